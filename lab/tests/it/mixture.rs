//! A sweep whose models are trained and scored in a mixture with context models.

use brevity_lab::config::Experiment;
use brevity_lab::experiments::two_part::{ArchiveScorer, LocalTrainer};
use brevity_lab::sweep::{
    DataCache, DataIdentity, Manifest, RunOptions, SweepFolder, Unobserved, Work, run,
};
use brevity_length::Description;
use brevity_measure::InProcess;
use brevity_model::Weights;
use brevity_task::Stop;
use brevity_train::{DeviceKind, MODEL};
use std::path::Path;

const CONFIG: &str = r#"
    data = { source = "random", bytes = 3000 }
    model = { width = 8, context = 32 }
    train = { steps = 6, batch_bytes = 64 }
    score = { bits = [4.0], code = "CODE" }
"#;

/// The description by a sweep of one trial, its id, and whether its model has gates.
fn swept(code: &str) -> (Description, String, bool) {
    let config = CONFIG.replace("CODE", code);
    let experiment = Experiment::parse(Path::new("a.toml"), &config, &[]).unwrap();
    let data = DataCache::default();
    let identify = |config: &_| data.load(config).map(|split| DataIdentity::from(&*split));
    let manifest = Manifest::expand(&experiment, identify).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let folder = SweepFolder::new(temporary.path().join("sweep"));
    let decoder = InProcess::default();
    let work = Work {
        trainer: &LocalTrainer::new(&data, DeviceKind::Flex),
        scorer: &ArchiveScorer::new(&data, &decoder),
        observer: &Unobserved,
    };
    let options = RunOptions {
        threads: 2,
        ..RunOptions::default()
    };
    let done = run(&folder, &manifest, &config, &work, &options, &Stop::new()).unwrap();
    assert_eq!(done.done, 1);
    let trial = &manifest.trials[0];
    let weights = Weights::load(&folder.trial(trial).join(MODEL)).unwrap();
    let score = folder.score(trial).unwrap().unwrap();
    let found = score.scores[0].description.clone();
    (found, trial.id.clone(), weights.gates().is_some())
}

fn conventions(found: &Description) -> Vec<&str> {
    let codes = found.codes().iter();
    codes.map(|code| code.convention.as_str()).collect()
}

#[test]
fn rows_of_a_mixture_have_conventions_of_their_own() {
    let (alone, id, gated) = swept("model");
    assert_eq!(conventions(&alone), ["fp16", "stored", "4-bit"]);
    assert!(!gated);

    let (mixed, other, gated) = swept("mixed");
    let expected = ["mixed-fp16", "mixed-stored", "mixed-4-bit"];
    assert_eq!(conventions(&mixed), expected);
    assert!(gated && mixed.is_decoded());
    assert_ne!(id, other);
    // Random bytes: context models and a small transformer leave them alone.
    assert!(mixed.adjusted_rate("mixed-stored").unwrap() > 1.0);
}
