//! Sweeps with real training.

use brevity_lab::config::Experiment;
use brevity_lab::experiments::two_part::LocalTrainer;
use brevity_lab::sweep::{
    DataCache, DataIdentity, Job, Manifest, Observer, RunOptions, Scorer, Step, Summary,
    SweepFolder, Trial, Unobserved, Work, WorkError, run,
};
use brevity_length::Score;
use brevity_task::Stop;
use brevity_train::{DeviceKind, MODEL};
use std::fs;
use std::path::Path;

const CONFIG: &str = "
    data = { source = \"random\", bytes = 2000 }
    model = { width = 8, context = 32 }
    train = { steps = 12, batch_bytes = 64, log_steps = 1 }
    sweep = { seeds = [0, 1] }
";

struct Unscored;

impl Scorer for Unscored {
    fn score(&self, _: &Job<'_>) -> Result<Step<Vec<Score>>, WorkError> {
        Ok(Step::Done(Vec::new()))
    }
}

/// Requests a stop when a trial is half done.
struct StopHalfway(Stop);

impl Observer for StopHalfway {
    fn advanced(&self, _: &Trial, done: f64, _: f64) {
        if done >= 0.5 {
            self.0.set();
            // The request reaches the trial within a few milliseconds.
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}

struct Case {
    manifest: Manifest,
    data: DataCache,
}

impl Case {
    fn new() -> Case {
        let experiment = Experiment::parse(Path::new("a.toml"), CONFIG, &[]).unwrap();
        let data = DataCache::default();
        let identify = |config: &_| data.load(config).map(|split| DataIdentity::from(&*split));
        let manifest = Manifest::expand(&experiment, identify).unwrap();
        Case { manifest, data }
    }

    fn run(
        &self,
        folder: &SweepFolder,
        jobs: usize,
        observer: &dyn Observer,
        stop: &Stop,
    ) -> Summary {
        let work = Work {
            trainer: &LocalTrainer::new(&self.data, DeviceKind::Flex),
            scorer: &Unscored,
            observer,
        };
        let options = RunOptions {
            jobs: Some(jobs),
            threads: 2,
            resume: true,
            ..RunOptions::default()
        };
        run(folder, &self.manifest, CONFIG, &work, &options, stop).unwrap()
    }

    fn models(&self, folder: &SweepFolder) -> Vec<Vec<u8>> {
        let model = |trial| fs::read(folder.trial(trial).join(MODEL)).unwrap();
        self.manifest.trials.iter().map(model).collect()
    }
}

#[test]
fn a_stopped_sweep_resumes_to_the_same_bits() {
    let (case, never) = (Case::new(), Stop::new());
    let temporary = tempfile::tempdir().unwrap();

    let whole = SweepFolder::new(temporary.path().join("whole"));
    assert_eq!(case.run(&whole, 2, &Unobserved, &never).done, 2);

    let parts = SweepFolder::new(temporary.path().join("parts"));
    let observer = StopHalfway(Stop::new());
    let stopped = case.run(&parts, 1, &observer, &observer.0);
    assert_eq!((stopped.done, stopped.interrupted), (0, 2));
    assert_eq!(case.run(&parts, 1, &Unobserved, &never).done, 2);

    assert_eq!(case.models(&whole), case.models(&parts));
    let report = &parts.score(&case.manifest.trials[0]).unwrap().unwrap();
    assert_eq!(report.training.steps, Some(12));
    assert!(report.training.wall_seconds.unwrap() > 0.0);
}
