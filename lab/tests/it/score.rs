//! The rows that scoring adds to the results.

use brevity_lab::config::Experiment;
use brevity_lab::experiments::two_part::ArchiveScorer;
use brevity_lab::sweep::{
    DataCache, DataIdentity, Job, Manifest, RunOptions, Step, Summary, SweepFolder, Trainer,
    Unobserved, Work, WorkError, rows, run,
};
use brevity_length::Training;
use brevity_measure::{Decoder, Decoding, InProcess, MeasureError};
use brevity_model::Weights;
use brevity_task::Stop;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Writes an untrained model.
struct Untrained;

impl Trainer for Untrained {
    fn train(&self, job: &Job<'_>) -> Result<Step<Training>, WorkError> {
        let spec = job.trial.config.model.clone();
        let weights = Weights::from_fn(spec, |info| vec![0.0; info.len()])?;
        weights.save(&job.folder.join("model.safetensors"))?;
        Ok(Step::Done(Training::default()))
    }
}

/// A sweep of one such model over 4000 random bytes and 2000 held-out bytes.
struct Case {
    temporary: tempfile::TempDir,
    data: DataCache,
    text: String,
}

impl Case {
    fn new(verify: bool) -> Case {
        let text = format!(
            "
            data = {{ source = \"random\", bytes = 4000, holdout = {{ bytes = 2000 }} }}
            model = {{ width = 16, context = 64 }}
            score = {{ regimes = [\"in-sample\", \"held-out\"], verify = {verify}, bits = [2, 4.5] }}
            "
        );
        Case {
            temporary: tempfile::tempdir().unwrap(),
            data: DataCache::default(),
            text,
        }
    }

    fn folder(&self) -> SweepFolder {
        SweepFolder::new(self.temporary.path())
    }

    fn manifest(&self) -> Manifest {
        let experiment = Experiment::parse(Path::new("a.toml"), &self.text, &[]).unwrap();
        let identify = |config: &_| self.data.load(config).map(|s| DataIdentity::from(&*s));
        Manifest::expand(&experiment, identify).unwrap()
    }

    fn run(&self, decoder: &dyn Decoder) -> Summary {
        let work = Work {
            trainer: &Untrained,
            scorer: &ArchiveScorer::new(&self.data, decoder),
            observer: &Unobserved,
        };
        let options = RunOptions {
            resume: true,
            retry_failed: true,
            ..RunOptions::default()
        };
        let (manifest, stop) = (self.manifest(), Stop::new());
        run(
            &self.folder(),
            &manifest,
            &self.text,
            &work,
            &options,
            &stop,
        )
        .unwrap()
    }
}

#[test]
fn nothing_learned_costs_eight_bits_a_byte_and_the_model() {
    for verify in [true, false] {
        let case = Case::new(verify);
        assert_eq!(case.run(&InProcess::default()).failed, []);
        let manifest = case.manifest();
        let parameters = manifest.trials[0].parameters as f64;
        let rows = rows(&case.folder(), &manifest).unwrap();
        let archives = case.folder().trial(&manifest.trials[0]).join("archive");
        assert_eq!(archives.join("in-sample.bvy").exists(), verify);
        assert_eq!(archives.join("held-out.bvy").exists(), verify);
        let rows = rows.iter().map(|row| serde_json::to_value(row).unwrap());
        let rows: Vec<Value> = rows.collect();
        assert_eq!(rows.len(), 2, "one row a regime");
        assert_eq!(rows[0]["regime"], "in-sample");
        assert_eq!(rows[1]["regime"], "held-out");
        assert_eq!(rows[1]["scored"]["bytes"], 2000);
        for row in &rows {
            assert_eq!(row["bits_per_byte"], 8.0);
            let raw = row["raw_rate"].as_f64().unwrap();
            assert!((1.0..1.001).contains(&raw), "{raw}");
            let adjusted = row["adjusted_rate"]["fp16"].as_f64().unwrap();
            assert!((adjusted - raw - 2.0 * parameters / 4000.0).abs() < 1e-12);
            let adjusted = row["adjusted_rate"]["stored"].as_f64().unwrap();
            let stored = row["model_bytes"]["stored"].as_f64().unwrap();
            assert!((adjusted - 1.0 - stored / 4000.0).abs() < 0.001);
            assert!(stored < parameters / 8.0, "zeros cost {stored} bytes");
            for convention in ["2-bit", "4.5-bit"] {
                let model = row["model_bytes"][convention].as_f64().unwrap();
                assert!(model < stored + 60.0, "zeros cost {model} bytes");
                let adjusted = row["adjusted_rate"][convention].as_f64().unwrap();
                assert!((adjusted - 1.0 - model / 4000.0).abs() < 0.001);
            }
            assert_eq!(row["estimate"], !verify);
            assert_eq!(row["verified"], verify);
            let scored = row["scored"]["bytes"].as_f64().unwrap();
            let blocks = row["block_bits"].as_array().unwrap();
            assert_eq!(blocks.len(), scored as usize / 1024);
            let sum: f64 = blocks.iter().map(|b| b.as_f64().unwrap()).sum();
            assert_eq!(sum, 8.0 * scored);
            let charged = row["model_charged_to"].as_f64().unwrap();
            assert_eq!(
                charged, 4000.0,
                "held-out bytes share the model with those trained on"
            );
            assert_eq!(row["provenance"]["data_hash"], row["data"]["hash"]);
        }
    }
}

/// Decodes a number of archives, then a stop is requested.
struct Counting(AtomicUsize, usize);

impl Decoder for Counting {
    fn decode(
        &self,
        what: &Decoding<'_>,
        out: &mut dyn Write,
        stop: &Stop,
    ) -> Result<(), MeasureError> {
        if self.0.fetch_add(1, Ordering::Relaxed) == self.1 {
            return Err(MeasureError::Stopped);
        }
        InProcess::default().decode(what, out, stop)
    }
}

#[test]
fn a_stopped_score_keeps_the_regimes_that_are_done() {
    let case = Case::new(true);
    // Four archives for the first regime: with the weights as trained, as stored, and
    // in 2 and 4.5 bits per parameter.
    let decoder = Counting(AtomicUsize::new(0), 5);
    let summary = case.run(&decoder);
    assert_eq!((summary.interrupted, summary.done), (1, 0));
    let folder = case.folder().trial(&case.manifest().trials[0]);
    assert!(folder.join("scored.json").exists());
    assert!(!folder.join("archive/held-out.bvy").exists());

    let decoder = Counting(AtomicUsize::new(0), usize::MAX);
    assert_eq!(case.run(&decoder).done, 1);
    assert_eq!(
        decoder.0.load(Ordering::Relaxed),
        4,
        "only the second regime"
    );
    assert!(!folder.join("scored.json").exists());
    assert!(folder.join("archive/held-out.bvy").exists());
}
