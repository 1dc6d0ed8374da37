//! Lengths of archives decoded by other processes.

use brevity_length::{Description, Regime};
use brevity_measure::{
    Archives, Decoder, Decoding, FreshProcess, InProcess, MeasureError, StoredModel, measure,
};
use brevity_model::{Spec, Weights};
use brevity_task::Stop;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

fn model() -> Weights {
    let values = |length: usize| (0..length).map(|i| ((i * 37 % 101) as f32 - 50.0) * 2e-3);
    Weights::from_fn(Spec::aspect(16, 64), |info| values(info.len()).collect()).unwrap()
}

fn data() -> Vec<u8> {
    (0..5000_u32)
        .map(|i| b"abcdefgh"[(i * i % 11 % 8) as usize])
        .collect()
}

struct Case {
    folder: tempfile::TempDir,
    stop: Stop,
}

impl Case {
    fn new() -> Case {
        let folder = tempfile::tempdir().unwrap();
        model()
            .save(&folder.path().join("model.safetensors"))
            .unwrap();
        let stop = Stop::new();
        Case { folder, stop }
    }

    fn archives(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    fn measure(&self, decoder: &dyn Decoder) -> Result<Description, MeasureError> {
        let stored = StoredModel::for_data(model(), &data(), &self.stop)?;
        let archives = Archives {
            folder: &self.archives(),
            name: "all",
            model: &self.folder.path().join("model.safetensors"),
            decoder,
        };
        measure(
            &stored,
            &data(),
            Regime::InSample,
            5000,
            Some(&archives),
            &self.stop,
        )
    }

    /// Measures with a process that runs a shell script, whose first argument is the
    /// archive's path.
    fn shell(&self, script: &str) -> Result<Description, MeasureError> {
        let command = |decoding: &Decoding| {
            let mut command = Command::new("sh");
            command.args(["-c", script, "sh"]).arg(decoding.archive);
            command
        };
        self.measure(&FreshProcess { command: &command })
    }
}

#[test]
fn one_archive_is_left_and_holds_its_model() {
    let case = Case::new();
    let measured = case.measure(&InProcess::default()).unwrap();
    let names: Vec<_> = fs::read_dir(case.archives())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["all.bvy"]);
    let length = fs::metadata(case.archives().join("all.bvy")).unwrap().len();
    let stored = measured.code("stored").unwrap();
    assert_eq!(length, stored.coded_bytes + stored.model_bytes);
    let exact = measured.code("fp16").unwrap();
    assert_eq!(exact.model_bytes, 2 * model().parameters());
    let blocks: u64 = measured.block_bits().iter().sum();
    assert!((blocks as f64 - measured.bits()).abs() < 4.0);
    assert_eq!(measured.block_bits().len(), 4);
    assert!((measured.bits() / 8.0 - exact.coded_bytes as f64).abs() < 8.0);
}

#[test]
fn estimates_are_those_of_the_archives() {
    let case = Case::new();
    let verified = case.measure(&InProcess::default()).unwrap();
    let stored = StoredModel::for_data(model(), &data(), &case.stop).unwrap();
    let estimate = measure(&stored, &data(), Regime::InSample, 5000, None, &case.stop).unwrap();
    assert!(verified.is_decoded() && !estimate.is_decoded());
    assert_eq!(verified.bits(), estimate.bits());
    for (a, b) in verified.codes().iter().zip(estimate.codes()) {
        assert_eq!(a.convention, b.convention);
        assert!(a.coded_bytes.abs_diff(b.coded_bytes) < 8, "{a:?} {b:?}");
        assert!(a.model_bytes.abs_diff(b.model_bytes) < 40, "{a:?} {b:?}");
    }
}

#[test]
fn a_process_that_decodes_wrongly_fails_and_nothing_is_kept() {
    let case = Case::new();
    let cases = [
        ("echo of ourse not", "decodes to other bytes"),
        ("exit 0", "0 bytes with hash"),
        ("echo no memory >&2; exit 7", "no memory"),
        ("exit 3", "exit status: 3"),
        // The archive is complete on the disk while it is decoded.
        ("test -s \"$1\" && exit 4", "exit status: 4"),
    ];
    for (script, says) in cases {
        let error = case.shell(script).unwrap_err().to_string();
        assert!(error.contains(says), "{script}: {error}");
        assert_eq!(fs::read_dir(case.archives()).unwrap().count(), 0);
    }
    let command = |_: &Decoding| Command::new("/nowhere/brevity");
    let error = case.measure(&FreshProcess { command: &command });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("/nowhere/brevity"), "{error}");
}

#[test]
fn a_stop_ends_the_process_too() {
    let mut case = Case::new();
    let measured = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            case.stop.set();
        });
        case.shell("exec sleep 60")
    });
    assert!(matches!(measured, Err(MeasureError::Stopped)));
    // The exit status of an interrupted command.
    case.stop = Stop::new();
    assert!(matches!(case.shell("exit 130"), Err(MeasureError::Stopped)));
}

/// Decodes correctly, with extra bytes at the end.
struct TooMuch;

impl Decoder for TooMuch {
    fn decode(
        &self,
        what: &Decoding<'_>,
        out: &mut dyn Write,
        stop: &Stop,
    ) -> Result<(), MeasureError> {
        InProcess::default().decode(what, out, stop)?;
        out.write_all(b"!").unwrap();
        Ok(())
    }
}

#[test]
fn one_byte_too_many_is_another_hash() {
    let error = Case::new().measure(&TooMuch).unwrap_err().to_string();
    assert!(error.contains("5001 bytes with hash"), "{error}");
    assert!(error.contains("instead of 5000"), "{error}");
}
