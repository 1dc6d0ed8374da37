//! The rows that scoring adds to the results.

use brevity_model::Weights;
use brevity_train::config::Experiment;
use brevity_train::sweep::{
    ArchiveScorer, DataCache, DataIdentity, Job, Manifest, RunOptions, Step, SweepFolder, Trainer,
    Unobserved, Work, WorkError, rows, run,
};
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Leaves a model that has learned nothing.
struct Untrained;

impl Trainer for Untrained {
    fn train(&self, job: &Job<'_>) -> Result<Step<Map<String, Value>>, WorkError> {
        let spec = job.trial.config.model.clone();
        let weights = Weights::from_fn(spec, |info| vec![0.0; info.len()])?;
        weights.save(&job.folder.join("model.safetensors"))?;
        Ok(Step::Done(Map::new()))
    }
}

/// Scores of a model that has learned nothing of 4000 random bytes: the rows,
/// and the number of its parameters.
fn rows_of(verify: bool) -> (Vec<Map<String, Value>>, f64) {
    let text = format!(
        "
        data = {{ source = \"random\", bytes = 4000, holdout = {{ bytes = 2000 }} }}
        model = {{ width = 16, context = 64 }}
        score = {{ regimes = [\"in-sample\", \"held-out\"], verify = {verify} }}
        "
    );
    let experiment = Experiment::parse(Path::new("a.toml"), &text, &[]).unwrap();
    let data = DataCache::default();
    let identify = |config: &_| data.load(config).map(|split| DataIdentity::from(&*split));
    let manifest = Manifest::expand(&experiment, identify).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let folder = SweepFolder::new(temporary.path());
    let work = Work {
        trainer: &Untrained,
        scorer: &ArchiveScorer::new(&data),
        observer: &Unobserved,
    };
    let (options, stop) = (RunOptions::default(), AtomicBool::new(false));
    let summary = run(&folder, &manifest, &text, &work, &options, &stop).unwrap();
    assert_eq!(summary.failed, []);
    let rows = rows(&folder, &manifest).unwrap();
    (rows, manifest.trials[0].parameters as f64)
}

#[test]
fn nothing_learned_costs_eight_bits_a_byte_and_the_model() {
    for verify in [true, false] {
        let (rows, parameters) = rows_of(verify);
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
            assert_eq!(row["estimate"], !verify);
            assert_eq!(row["verified"], verify);
            assert_eq!(row["provenance"]["data_hash"], row["data"]["hash"]);
        }
    }
}
