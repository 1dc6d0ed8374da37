//! Sweeps with a trainer that only counts its steps.

use brevity_lab::config::Experiment;
use brevity_lab::sweep::{
    DataIdentity, Job, Manifest, RunOptions, Scorer, State, Step, Summary, SweepError, SweepFolder,
    Trainer, Unobserved, Work, WorkError, run,
};
use brevity_length::{Description, Regime, Score, Scored, Training};
use brevity_task::Stop;
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub const CONFIG: &str = "
name = \"fake\"
[data]
source = \"random\"
[model]
context = 64
[sweep]
seeds = [0, 1]
[sweep.grid]
model.width = [16, 32, 48]
";

pub const STEPS: u64 = 5;

pub fn manifest(config: &str) -> Manifest {
    let experiment = Experiment::parse(Path::new("fake.toml"), config, &[]).unwrap();
    let identify = |_: &brevity_data::DataConfig| {
        Ok(DataIdentity {
            source: "random".into(),
            bytes: 1000,
            hash: Some("00".into()),
            holdout_bytes: 0,
            holdout_hash: None,
            leak_hash: None,
        })
    };
    Manifest::expand(&experiment, identify).unwrap()
}

/// Counts steps in the trial's folder and logs them beside the sweep's folder. Requests
/// a stop, fails, or panics as configured.
#[derive(Default)]
pub struct Fake {
    pub pause: Duration,
    /// Called after each step.
    pub after_step: Option<fn(&Job<'_>)>,
    /// Trials of this width fail in this way.
    pub broken: Option<(usize, fn() -> WorkError)>,
    /// The caller's flag, and the step that sets it.
    pub stop_at: Option<(&'static Stop, u64)>,
    pub trained: AtomicUsize,
}

impl Fake {
    pub fn work(&self) -> Work<'_> {
        Work {
            trainer: self,
            scorer: self,
            observer: &Unobserved,
        }
    }
}

/// The model file of a trial: whole, and without tensors.
fn model_of(id: &str) -> Vec<u8> {
    let header = json!({ "__metadata__": { "trial": id } }).to_string();
    let length = header.len() as u64;
    [&length.to_le_bytes()[..], header.as_bytes()].concat()
}

impl Trainer for Fake {
    fn train(&self, job: &Job<'_>) -> Result<Step<Training>, WorkError> {
        let checkpoint = job.folder.join("checkpoint");
        let steps = || fs::read_to_string(&checkpoint).map_or(0, |text| text.parse().unwrap());
        while steps() < STEPS {
            if job.stopped() {
                return Ok(Step::Interrupted);
            }
            let step = steps() + 1;
            let next = job.folder.join("checkpoint.tmp");
            fs::write(&next, step.to_string())?;
            fs::rename(next, &checkpoint)?;
            let log = job.folder.join("../../../log");
            let mut log = OpenOptions::new().append(true).create(true).open(log)?;
            log.write_all(format!("{} {step}\n", job.trial.id).as_bytes())?;
            std::thread::sleep(self.pause);
            if let Some(after) = self.after_step {
                after(job);
            }
            if let Some((width, fail)) = self.broken
                && job.trial.config.model.width == width
            {
                return Err(fail());
            }
            if let Some((stop, at)) = self.stop_at
                && step == at
            {
                stop.set();
                // The request reaches the trials within a few milliseconds.
                while !job.stopped() {
                    std::thread::yield_now();
                }
            }
        }
        // Atomically, like real models: the process may be killed here.
        let model = job.folder.join("model.safetensors");
        brevity_files::write(&model, &model_of(&job.trial.id))?;
        self.trained.fetch_add(1, Ordering::Relaxed);
        Ok(Step::Done(Training::default()))
    }
}

impl Scorer for Fake {
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Score>>, WorkError> {
        let model = fs::read(job.folder.join("model.safetensors"))?;
        assert_eq!(model, model_of(&job.trial.id));
        let scored = Scored {
            bytes: 1000,
            hash: format!("seed {}", job.trial.seed),
        };
        let (bits, coded) = (4000.0, 500 + job.trial.seed);
        let parameters = job.trial.parameters;
        let found = Description::two_part(Regime::InSample, scored, bits, coded, parameters, 1000);
        Ok(Step::Done(vec![found.into()]))
    }
}

pub static NEVER: Stop = Stop::new();

pub struct Case {
    pub _temporary: tempfile::TempDir,
    pub folder: SweepFolder,
    pub manifest: Manifest,
    pub options: RunOptions,
}

impl Case {
    pub fn new() -> Case {
        let temporary = tempfile::tempdir().unwrap();
        Case {
            folder: SweepFolder::new(temporary.path().join("run")),
            _temporary: temporary,
            manifest: manifest(CONFIG),
            options: RunOptions {
                jobs: Some(2),
                threads: 2,
                ..RunOptions::default()
            },
        }
    }

    pub fn run(&self, fake: &Fake, stop: &Stop) -> Result<Summary, SweepError> {
        run(
            &self.folder,
            &self.manifest,
            CONFIG,
            &fake.work(),
            &self.options,
            stop,
        )
    }

    /// Rows without the fields that depend on machine and time.
    pub fn results(&self) -> Vec<Value> {
        results(self.folder.root())
    }

    pub fn log(&self) -> Vec<String> {
        log(self.folder.root())
    }
}

pub fn results(root: &Path) -> Vec<Value> {
    let text = fs::read_to_string(root.join("results.json")).unwrap();
    let mut rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("provenance");
        row.as_object_mut().unwrap().remove("training");
    }
    rows
}

pub fn log(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(root.join("../log")).unwrap_or_default();
    text.lines().map(str::to_string).collect()
}

/// No step of any trial happened twice, and none is missing unless a process
/// was killed between the step and the line about it.
pub fn assert_nothing_twice(mut log: Vec<String>) {
    let all = log.len();
    log.sort();
    log.dedup();
    assert_eq!(log.len(), all, "a step was done twice");
}

#[test]
fn a_sweep_runs_once() {
    let case = Case::new();
    let fake = Fake::default();
    let summary = case.run(&fake, &NEVER).unwrap();
    assert_eq!((summary.done, summary.skipped), (6, 0));
    let first = case.results();
    assert_eq!(first.len(), 6);
    assert_eq!(first[1]["axes"], json!({"model.width": 16}));
    assert_eq!(first[1]["seed"], 1);
    assert_eq!(first[1]["scored"]["hash"], "seed 1");
    assert_eq!(first[1]["state"], "done");
    let summary = case.run(&fake, &NEVER).unwrap();
    assert_eq!((summary.done, summary.skipped), (0, 6));
    assert_eq!(fake.trained.load(Ordering::Relaxed), 6);
    assert_eq!(case.results(), first);
}

#[test]
fn jobs_and_threads_change_no_result() {
    let mut case = Case::new();
    case.run(&Fake::default(), &NEVER).unwrap();
    let first = case.results();
    case = Case::new();
    case.options.jobs = Some(1);
    case.options.threads = 1;
    case.run(&Fake::default(), &NEVER).unwrap();
    assert_eq!(case.results(), first);
}

#[test]
fn a_stop_is_clean_and_resume_continues() {
    static STOP: Stop = Stop::new();
    let mut case = Case::new();
    let stopping = Fake {
        stop_at: Some((&STOP, 3)),
        ..Fake::default()
    };
    let summary = case.run(&stopping, &STOP).unwrap();
    assert_eq!(summary.done + summary.interrupted, 6);
    assert!(summary.interrupted >= 1);

    let refused = case.run(&Fake::default(), &NEVER).unwrap_err();
    assert!(
        matches!(refused, SweepError::Interrupted { .. }),
        "{refused}"
    );
    assert!(refused.exit_status() == 2 && refused.to_string().contains("--resume"));

    case.options.resume = true;
    let summary = case.run(&Fake::default(), &NEVER).unwrap();
    assert_eq!(summary.done + summary.skipped, 6);
    assert_eq!(case.log().len(), 6 * STEPS as usize);
    assert_nothing_twice(case.log());
}

#[test]
fn failures_are_kept_and_retried_on_demand() {
    let mut case = Case::new();
    let broken = Fake {
        broken: Some((32, || "the loss is not a number".into())),
        ..Fake::default()
    };
    let summary = case.run(&broken, &NEVER).unwrap();
    assert_eq!((summary.done, summary.failed.len()), (4, 2));
    let rows = case.results();
    assert_eq!(rows[2]["state"], "failed");
    assert_eq!(rows[2]["error"], "the loss is not a number");

    let mended = Fake::default();
    let summary = case.run(&mended, &NEVER).unwrap();
    assert_eq!((summary.done, summary.failed.len()), (0, 2));
    assert_eq!(mended.trained.load(Ordering::Relaxed), 0);

    case.options.retry_failed = true;
    let summary = case.run(&mended, &NEVER).unwrap();
    assert_eq!((summary.done, summary.failed.len()), (2, 0));
    assert_eq!(case.results()[2]["state"], "done");
}

#[test]
fn a_panic_fails_its_trial_only() {
    let case = Case::new();
    let broken = Fake {
        broken: Some((32, || panic!("index out of bounds"))),
        ..Fake::default()
    };
    let summary = case.run(&broken, &NEVER).unwrap();
    assert_eq!((summary.done, summary.failed.len()), (4, 2));
    assert!(summary.failed[0].1.message.contains("index out of bounds"));
}

#[test]
fn a_full_disk_stops_the_sweep_and_fails_no_trial() {
    let mut case = Case::new();
    let full = Fake {
        broken: Some((32, || io::Error::from(io::ErrorKind::StorageFull).into())),
        ..Fake::default()
    };
    let error = case.run(&full, &NEVER).unwrap_err();
    assert!(matches!(error, SweepError::Storage { .. }), "{error}");
    assert_eq!(error.exit_status(), 1);
    for trial in &case.manifest.trials {
        let state = case.folder.state(trial).unwrap();
        assert!(!matches!(state, State::Failed(_)), "{state:?}");
    }
    case.options.resume = true;
    case.run(&Fake::default(), &NEVER).unwrap();
    assert_nothing_twice(case.log());
}

#[test]
fn drift_names_the_keys() {
    let mut case = Case::new();
    case.run(&Fake::default(), &NEVER).unwrap();
    case.manifest = manifest(&CONFIG.replace("context = 64", "context = 128"));
    let error = case.run(&Fake::default(), &NEVER).unwrap_err().to_string();
    assert!(error.contains("model.context: 64 -> 128"), "{error}");
    case.manifest = manifest(&CONFIG.replace("[0, 1]", "[0, 1, 2]"));
    let error = case.run(&Fake::default(), &NEVER).unwrap_err().to_string();
    assert!(error.contains("number of trials: 6 -> 9"), "{error}");
}

#[test]
fn how_often_to_log_and_the_name_are_no_drift() {
    let mut case = Case::new();
    case.run(&Fake::default(), &NEVER).unwrap();
    let other = CONFIG.replace("[model]", "[train]\nlog_steps = 7\n[model]");
    case.manifest = manifest(&other.replace("\"fake\"", "\"other\""));
    assert_eq!(case.run(&Fake::default(), &NEVER).unwrap().skipped, 6);
}

#[test]
fn shards_share_a_folder_and_cover_it() {
    let mut case = Case::new();
    case.options.shard = Some("1/2".parse().unwrap());
    assert_eq!(case.run(&Fake::default(), &NEVER).unwrap().done, 3);
    case.options.shard = Some("2/2".parse().unwrap());
    assert_eq!(case.run(&Fake::default(), &NEVER).unwrap().done, 3);
    assert!(case.results().iter().all(|row| row["state"] == "done"));
    assert_nothing_twice(case.log());
}

#[test]
fn an_unwritable_runs_folder_is_one_clear_error() {
    let case = Case::new();
    fs::write(case.folder.root(), "a file, not a folder").unwrap();
    let error = case.run(&Fake::default(), &NEVER).unwrap_err();
    assert!(error.to_string().contains("run"), "{error}");
    assert!(matches!(error, SweepError::Io { .. }));
}

/// A flipped bit in a file of a trial is detected, reported, and repaired by `resume`.
#[test]
fn damage_is_named_and_never_used() {
    for name in ["score.json", "trained.json"] {
        let mut case = Case::new();
        case.run(&Fake::default(), &NEVER).unwrap();
        let before = case.results();
        let path = case.folder.trial(&case.manifest.trials[2]).join(name);
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        let error = case.run(&Fake::default(), &NEVER).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        assert!(error.contains("--resume"), "{error}");
        if name == "score.json" {
            let rows = brevity_lab::sweep::rows(&case.folder, &case.manifest);
            assert!(rows.unwrap_err().to_string().contains("is damaged"));
        }
        case.options.resume = true;
        let fake = Fake::default();
        assert_eq!(case.run(&fake, &NEVER).unwrap().done, 1);
        let trained = fake.trained.load(Ordering::Relaxed);
        assert_eq!(trained, usize::from(name == "trained.json"), "{name}");
        assert_eq!(case.results(), before);
    }
}

/// Weights that change between training and scoring are not scored.
#[test]
fn damaged_weights_are_trained_again() {
    let mut case = Case::new();
    let stop: &'static Stop = Box::leak(Box::new(Stop::new()));
    let trial = case.manifest.trials[0].clone();
    case.run(&Fake::default(), stop).unwrap();
    let folder = case.folder.trial(&trial);
    fs::remove_file(folder.join("score.json")).unwrap();
    fs::write(folder.join("model.safetensors"), "another").unwrap();
    let error = case.run(&Fake::default(), stop).unwrap_err().to_string();
    assert!(error.contains("model.safetensors is damaged"), "{error}");
    case.options.resume = true;
    let fake = Fake::default();
    assert_eq!(case.run(&fake, stop).unwrap().done, 1);
    assert_eq!(fake.trained.load(Ordering::Relaxed), 1);
}

/// A finished trial does not need its weights, but who asks for them is told that `resume`
/// makes them again.
#[test]
fn lost_weights_of_finished_trials_are_made_again_by_resume() {
    for damage in ["cut short", "zeroed", "removed"] {
        let mut case = Case::new();
        case.run(&Fake::default(), &NEVER).unwrap();
        let before = case.results();
        let trial = &case.manifest.trials[2];
        let path = case.folder.trial(trial).join("model.safetensors");
        let whole = fs::read(&path).unwrap();
        match damage {
            "cut short" => fs::write(&path, &whole[..whole.len() - 1]).unwrap(),
            "zeroed" => fs::write(&path, vec![0; whole.len()]).unwrap(),
            _ => fs::remove_file(&path).unwrap(),
        }
        assert_eq!(case.run(&Fake::default(), &NEVER).unwrap().skipped, 6);
        case.options.resume = true;
        let summary = case.run(&Fake::default(), &NEVER).unwrap();
        assert_eq!((summary.done, summary.skipped), (1, 5), "{damage}");
        assert_eq!(fs::read(&path).unwrap(), whole, "{damage}");
        assert_eq!(case.results(), before);
    }
}

/// The tests below start this as a separate process; on its own it does nothing.
#[test]
fn child() {
    let Ok(root) = std::env::var("BREVITY_TEST_SWEEP") else {
        return;
    };
    let options = RunOptions {
        jobs: Some(2),
        threads: 2,
        resume: true,
        ..RunOptions::default()
    };
    let fake = Fake {
        pause: Duration::from_millis(10),
        ..Fake::default()
    };
    let folder = SweepFolder::new(root);
    let manifest = manifest(CONFIG);
    let ran = run(&folder, &manifest, CONFIG, &fake.work(), &options, &NEVER);
    if matches!(ran, Err(SweepError::Locked { .. })) {
        std::process::exit(42);
    }
    ran.unwrap();
}

fn start_child(root: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "sweep::child", "--nocapture"])
        .env("BREVITY_TEST_SWEEP", root)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn killed_at_ten_moments_a_sweep_ends_in_the_same_results() {
    let undisturbed = Case::new();
    undisturbed.run(&Fake::default(), &NEVER).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let root = temporary.path().join("run");
    for moment in 1..=10 {
        let mut child = start_child(&root).spawn().unwrap();
        // Kill after the start of the process, each time later in its work.
        std::thread::sleep(Duration::from_millis(5 + 7 * moment));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(start_child(&root).status().unwrap().success());
    assert_eq!(results(&root), undisturbed.results());
    assert_nothing_twice(log(&root));
}

#[test]
fn two_sweeps_in_one_folder_are_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let root = temporary.path().join("run");
    let mut first = start_child(&root).spawn().unwrap();
    while log(&root).is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let second = start_child(&root).status().unwrap();
    assert_eq!(second.code(), Some(42));
    assert!(first.wait().unwrap().success());
    assert_nothing_twice(log(&root));
}
