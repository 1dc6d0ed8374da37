//! Predictors on a pipe, as they should be and as they should not.

use brevity_codec::Method;
use brevity_codec::archive::{Error, Models, Options, Source, compress, decompress};
use brevity_outside::pipe::Pipe;
use brevity_outside::predictor::{
    Outside, OutsideError, PredictorModel, check_causal, code_lengths, description,
};
use brevity_task::{Stop, chain};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// The program that predicts, built once.
fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/faulty.rs");
        let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("faulty");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        command
            .args(["--edition=2024", "-O", source, "-o"])
            .arg(&out);
        assert!(command.status().expect("a compiler").success());
        out
    })
}

fn pipe(fault: &str, seconds: f64) -> Result<Pipe, OutsideError> {
    let command = format!("{} {fault}", program().display());
    Pipe::new(&command, Duration::from_secs_f64(seconds))
}

fn text(length: usize) -> Vec<u8> {
    let words = ["aaaa ", "bbbbbb ", "cc ", "\n"];
    let all = (0_usize..).flat_map(|i| words[i * i % 7 % 4].bytes());
    all.take(length).collect()
}

/// What is wrong with a predictor, if anything is.
fn said(fault: &str) -> String {
    let bytes = text(1000);
    let tried = pipe(fault, 1.0).and_then(|mut pipe| {
        check_causal(&mut pipe, &bytes[..40])?;
        code_lengths(&mut pipe, &bytes, &Stop::new())
    });
    match tried {
        Ok(_) => String::new(),
        Err(error) => chain(&error).to_string(),
    }
}

#[test]
fn lengths_are_those_of_the_probabilities() {
    let bytes = text(1234);
    let mut pipe = pipe("good", 60.0).unwrap();
    assert_eq!(
        (pipe.about().context, pipe.about().name.as_str()),
        (100, "half")
    );
    let bits = code_lengths(&mut pipe, &bytes, &Stop::new()).unwrap();
    let (half, other) = (1.0, 1.0 + 255f64.log2());
    let expected = (0..bytes.len()).map(|i| match i % 100 {
        0 => other,
        _ if bytes[i] == bytes[i - 1] => half,
        _ => other,
    });
    for (i, (bits, expected)) in bits.iter().zip(expected).enumerate() {
        assert!(
            (f64::from(*bits) - expected).abs() < 1e-4,
            "{i}: {bits} {expected}"
        );
    }
    assert!(
        code_lengths(&mut pipe, &[], &Stop::new())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn faults_are_named() {
    for (fault, says) in [
        ("good", ""),
        (
            "dead",
            "ended (exit status: 3) instead of predicting its hello",
        ),
        ("mute", "took more than 1 s to predict its hello"),
        ("chatty", "its first bytes are `Loading `"),
        ("end", "257 symbols"),
        ("none", "0 streams"),
        (
            "dies",
            "ended (exit status: 9) instead of predicting 99 bytes of 4 streams",
        ),
        ("slow", "took more than 1 s to predict 99 bytes"),
        (
            "nan",
            "log-probability of byte 7 is NaN at byte 1 (byte 1 of the stream from 0)",
        ),
        ("zero", "byte 7 is -inf"),
        ("logits", "probabilities sum to 20.0"),
        ("257", "sum to"),
        ("ahead", "reads ahead"),
    ] {
        let said = said(fault);
        assert!(
            said.contains(says) && said.is_empty() == says.is_empty(),
            "{fault}: {said}"
        );
    }
    let missing = Pipe::new("/nowhere/predictor", Duration::from_secs(5));
    let Err(error) = missing.map(|_| ()) else {
        panic!("it is not there")
    };
    assert!(chain(&error).to_string().contains("127"), "{error}");
}

fn model(fault: &'static str) -> PredictorModel {
    let make = move || Ok(Box::new(pipe(fault, 10.0)?) as Box<dyn Outside>);
    PredictorModel::new(Box::new(make)).unwrap()
}

fn archive(model: &PredictorModel, bytes: &[u8], method: Method) -> Result<Vec<u8>, Error> {
    let source = Source::outside(description(model.about()), Box::new(model.clone()));
    let options = Options {
        method: Some(method),
        block: 2000,
        ..Options::default()
    };
    let mut out = Vec::new();
    compress(bytes, &mut out, &source, &options, &|_| {})?;
    Ok(out)
}

fn back(model: &PredictorModel, archive: &[u8]) -> Result<Vec<u8>, Error> {
    let find = |described: &[u8]| model.described(described);
    let models = Models {
        outside: Some(&find),
        ..Models::default()
    };
    let mut out = Vec::new();
    decompress(archive, &mut out, &models, &|_| {})?;
    Ok(out)
}

#[test]
fn archives_decode_with_the_same_predictor_and_no_other() {
    let bytes = text(3333);
    let good = model("good");
    for method in [Method::Model, Method::Mixed] {
        let made = archive(&good, &bytes, method).unwrap();
        // Another process of the program.
        assert_eq!(back(&model("good"), &made).unwrap(), bytes);
    }
    let made = archive(&good, &bytes, Method::Model).unwrap();
    let bits: f32 = code_lengths(&mut pipe("good", 9.0).unwrap(), &bytes, &Stop::new())
        .unwrap()
        .iter()
        .sum();
    let more = made.len() as f64 - f64::from(bits) / 8.0;
    assert!((0.0..90.0).contains(&more), "{more}");

    let mut out = Vec::new();
    let none = decompress(&made[..], &mut out, &Models::default(), &|_| {});
    assert!(matches!(none, Err(Error::PredictorMissing)));
    let drifted = back(
        &model("drifts"),
        &archive(&model("drifts"), &bytes, Method::Model).unwrap(),
    );
    assert!(drifted.is_ok(), "the same program gives the same");
    let drifting = model("drifts");
    let made = archive(&drifting, &bytes, Method::Model).unwrap();
    assert!(matches!(
        back(&drifting, &made),
        Err(Error::Unrepeatable { block: 0, .. })
    ));
    let failed = archive(&model("dies"), &bytes, Method::Model).unwrap_err();
    assert!(
        chain(&failed)
            .to_string()
            .starts_with("block 0: the predictor"),
        "{failed}"
    );
}

#[test]
fn another_predictor_is_told_by_its_description() {
    let good = model("good");
    let found = |described: &[u8]| good.described(described).map(|_| ()).unwrap_err();
    let mut other = good.about().clone();
    other.context = 99;
    assert!(found(&description(&other)).contains("`half` of context 99"));
    assert!(found(&[0x80, 0x80]).contains("damaged"));
}
