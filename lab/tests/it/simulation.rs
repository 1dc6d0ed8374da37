//! A cluster in one process: the real state machine of sweeps, with trainers that only
//! count, workers that die, and files that are slow.
//!
//! The test is small. The sizes of `docs/scale.md` are asked for in the environment:
//! `BREVITY_SIMULATE=100000/1000 cargo test --release -p brevity-lab --test it simulation`.

use brevity_lab::sweep::{
    Job, Manifest, RunOptions, Scorer, Shard, Step, SweepError, SweepFolder, Trainer, Unobserved,
    Work, WorkError, freeze, run_frozen,
};
use brevity_length::{Description, Regime, Score, Scored, Training};
use brevity_task::Stop;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Steps of a trial.
const STEPS: u64 = 3;

/// One in so many calls of a worker is its last.
const DEATHS: u64 = 40;

/// The most that a call takes longer than it should, in microseconds.
const SLOW: u64 = 300;

/// Numbers that look random, the same in every run up to the order of threads.
struct Chance(AtomicU64);

impl Chance {
    fn below(&self, bound: u64) -> u64 {
        // The finaliser of SplitMix64.
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// What all workers did together.
struct Cluster {
    chance: Chance,
    /// Steps done of each trial, by id.
    steps: Mutex<HashMap<String, Vec<u64>>>,
    deaths: AtomicUsize,
}

impl Cluster {
    /// A call of the file system: slow, or the last of a worker that dies. The sweep sees
    /// a disk that is full, which leaves all files as they are and marks nothing failed.
    fn call(&self) -> io::Result<()> {
        std::thread::sleep(Duration::from_micros(self.chance.below(SLOW)));
        if self.chance.below(DEATHS) == 0 {
            self.deaths.fetch_add(1, Ordering::Relaxed);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl Trainer for Cluster {
    fn train(&self, job: &Job<'_>) -> Result<Step<Training>, WorkError> {
        let checkpoint = job.folder.join("checkpoint");
        let read = || fs::read_to_string(&checkpoint).map_or(0, |text| text.parse().unwrap());
        for step in read() + 1..=STEPS {
            self.call()?;
            {
                let mut steps = self.steps.lock().unwrap();
                steps.entry(job.trial.id.clone()).or_default().push(step);
                // A death between a step and its checkpoint would repeat the step, as it
                // does in a training; here it would hide a trial that is done twice.
                fs::write(&checkpoint, step.to_string())?;
            }
            self.call()?;
        }
        fs::write(job.folder.join("model.safetensors"), &job.trial.id)?;
        self.call()?;
        Ok(Step::Done(Training::default()))
    }
}

impl Scorer for Cluster {
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Score>>, WorkError> {
        self.call()?;
        let scored = Scored {
            bytes: 1000,
            hash: job.trial.id.clone(),
        };
        let parameters = job.trial.parameters;
        let found = Description::two_part(Regime::InSample, scored, 4000.0, 500, parameters, 1000);
        Ok(Step::Done(vec![found.into()]))
    }
}

fn manifest(trials: usize) -> Manifest {
    let one = crate::sweep::manifest("data.source = \"random\"\nmodel.width = 16\n");
    let trial = |index| brevity_lab::sweep::Trial {
        index,
        id: format!("{index:012x}"),
        // All sizes from short to long, in no order.
        flops: ((index as u64).wrapping_mul(0x9E37_79B9) % 1000) as f64,
        ..one.trials[0].clone()
    };
    Manifest {
        trials: (0..trials).map(trial).collect(),
        ..one
    }
}

/// Runs until all is done. Returns the deaths.
fn simulate(trials: usize, workers: usize) -> usize {
    static NEVER: Stop = Stop::new();
    let temporary = tempfile::tempdir().unwrap();
    let folder = SweepFolder::new(temporary.path().join("run"));
    let manifest = manifest(trials);
    freeze(&folder, &manifest, Some("")).unwrap();
    let cluster = Cluster {
        chance: Chance(AtomicU64::new(1)),
        steps: Mutex::default(),
        deaths: AtomicUsize::new(0),
    };
    let work = Work {
        trainer: &cluster,
        scorer: &cluster,
        observer: &Unobserved,
    };
    let worker = |number: usize| {
        let options = RunOptions {
            jobs: Some(1),
            threads: 1,
            any: true,
            shard: Some(Shard {
                number,
                of: workers,
            }),
            ..RunOptions::default()
        };
        loop {
            match run_frozen(&folder, &manifest, &work, &options, &NEVER) {
                // Dead. The scheduler starts another in its place.
                Err(SweepError::Storage { .. }) => {}
                Err(error) => panic!("{error}"),
                Ok(summary) => {
                    assert!(summary.failed.is_empty());
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for number in 1..=workers {
            scope.spawn(move || worker(number));
        }
    });
    brevity_lab::sweep::collect(&folder, &manifest).unwrap();
    let text = fs::read_to_string(folder.root().join("results.json")).unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(rows.len(), trials);
    assert!(
        rows.iter().all(|row| row["state"] == "done"),
        "a trial is lost"
    );
    let steps = cluster.steps.into_inner().unwrap();
    assert_eq!(steps.len(), trials);
    let once: Vec<u64> = (1..=STEPS).collect();
    for (id, done) in steps {
        assert_eq!(done, once, "steps of trial {id}");
    }
    cluster.deaths.into_inner()
}

#[test]
fn a_cluster_of_dying_workers_does_every_trial_once() {
    if let Some((trials, workers)) = asked() {
        let start = Instant::now();
        let deaths = simulate(trials, workers);
        let seconds = start.elapsed().as_secs_f64();
        println!("{trials} trials, {workers} workers, {deaths} deaths: {seconds:.1} s");
        return;
    }
    assert!(simulate(200, 16) > 10);
}

fn asked() -> Option<(usize, usize)> {
    let asked = std::env::var("BREVITY_SIMULATE").ok()?;
    let (trials, workers) = asked.split_once('/')?;
    Some((trials.parse().ok()?, workers.parse().ok()?))
}
