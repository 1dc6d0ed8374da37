//! Many processes that share one folder, as schedulers start them.

use crate::sweep::{CONFIG, Case, Fake, NEVER, STEPS, assert_nothing_twice, manifest};
use brevity_files::OwnedFolder;
use brevity_lab::config::Experiment;
use brevity_lab::sweep::{
    Attempt, DataIdentity, Kind, Manifest, Plan, RunOptions, State, Status, SweepError,
    TaskOptions, freeze, run_frozen,
};
use serde_json::Value;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;

/// A case whose folder is frozen and whose options are those of a task.
fn task() -> Case {
    let mut case = Case::new();
    case.options = RunOptions {
        jobs: Some(1),
        threads: 1,
        any: true,
        ..RunOptions::default()
    };
    freeze(&case.folder, &case.manifest, Some(CONFIG)).unwrap();
    case
}

fn go(case: &Case, fake: &Fake) -> Result<brevity_lab::sweep::Summary, SweepError> {
    run_frozen(
        &case.folder,
        &case.manifest,
        &fake.work(),
        &case.options,
        &NEVER,
    )
}

#[test]
fn a_task_takes_what_is_free_the_longest_first() {
    let case = task();
    let summary = go(&case, &Fake::default()).unwrap();
    assert_eq!(summary.done, 6);
    summary.verdict().unwrap();
    let trials = &case.manifest.trials;
    let log = case.log();
    let begun: Vec<_> = log
        .iter()
        .filter_map(|line| line.strip_suffix(" 1"))
        .collect();
    let flops = |id: &str| trials.iter().find(|t| t.id == id).unwrap().flops;
    assert!(begun.is_sorted_by(|a, b| flops(a) >= flops(b)), "{begun:?}");
    // Results belong to who collects them; a finished trial has no open attempt.
    assert!(!case.folder.root().join("results.json").exists());
    assert_eq!(Attempt::read(&case.folder.trial(&trials[0])).unwrap(), None);
    brevity_lab::sweep::collect(&case.folder, &case.manifest).unwrap();
    assert!(case.results().iter().all(|row| row["state"] == "done"));
}

/// Otherwise each of many tasks would end as failed for what one of them met.
#[test]
fn a_trial_fails_the_task_that_ran_it_and_no_later_one() {
    let mut case = task();
    let broken = Fake {
        broken: Some((32, || "no luck".into())),
        ..Fake::default()
    };
    let summary = go(&case, &broken).unwrap();
    assert_eq!((summary.done, summary.failed.len()), (4, 2));
    assert_eq!(summary.verdict().unwrap_err().exit_status(), 1);
    let summary = go(&case, &Fake::default()).unwrap();
    assert_eq!((summary.done, summary.skipped), (0, 2));
    summary.verdict().unwrap();
    case.options.retry_failed = true;
    let summary = go(&case, &Fake::default()).unwrap();
    assert_eq!((summary.done, summary.skipped), (2, 0));
}

#[test]
fn a_trial_that_another_process_runs_is_told_and_no_success() {
    for any in [true, false] {
        let mut case = task();
        let trial = case.manifest.trials[5].clone();
        case.options.any = any;
        if !any {
            case.options.only = vec![trial.id.clone()];
        }
        let taken = OwnedFolder::take(case.folder.trial(&trial)).unwrap();
        fs::write(case.folder.trial(&trial).join("config.toml"), "").unwrap();
        assert_eq!(case.folder.state_now(&trial).unwrap(), State::Running);
        let summary = go(&case, &Fake::default()).unwrap();
        assert_eq!(summary.done, if any { 5 } else { 0 });
        let error = summary.verdict().unwrap_err();
        assert!(error.to_string().contains(&trial.id), "{error}");
        assert_eq!(error.exit_status(), 75);
        drop(taken);
        let summary = go(&case, &Fake::default()).unwrap();
        assert_eq!(summary.done, 1);
        summary.verdict().unwrap();
        assert_nothing_twice(case.log());
    }
}

#[test]
fn shards_and_whole_sweeps_are_no_success_either() {
    let mut case = Case::new();
    case.options.shard = Some("1/1".parse().unwrap());
    let trial = &case.manifest.trials[0];
    let _taken = OwnedFolder::take(case.folder.trial(trial)).unwrap();
    let summary = case.run(&Fake::default(), &NEVER).unwrap();
    let error = summary.verdict().unwrap_err();
    assert!(matches!(error, SweepError::Elsewhere { .. }), "{error}");
}

/// A trial that runs is not one that was interrupted: no `--resume` is asked for.
#[test]
fn shards_that_overlap_are_told_who_works() {
    let mut case = Case::new();
    case.options.shard = Some("1/1".parse().unwrap());
    let folder = case.folder.trial(&case.manifest.trials[0]);
    let taken = OwnedFolder::take(&folder).unwrap();
    fs::write(folder.join("config.toml"), "").unwrap();
    let summary = case.run(&Fake::default(), &NEVER).unwrap();
    assert_eq!(summary.done, 5);
    assert_eq!(summary.verdict().unwrap_err().exit_status(), 75);
    drop(taken);
    let error = case.run(&Fake::default(), &NEVER).unwrap_err();
    assert!(matches!(error, SweepError::Interrupted { count: 1, .. }));
}

/// What a task that died left behind is done by the next, also when it lies before the
/// place at which tasks have arrived.
#[test]
fn nothing_that_a_dead_task_left_is_lost() {
    let case = task();
    let dying = Fake {
        broken: Some((48, || io::Error::from(io::ErrorKind::StorageFull).into())),
        ..Fake::default()
    };
    go(&case, &dying).unwrap_err();
    let frontier = fs::read_to_string(case.folder.root().join("index/frontier")).unwrap();
    assert_eq!(frontier, "1");
    let left = &case.manifest.trials[4];
    let attempt = Attempt::read(&case.folder.trial(left)).unwrap().unwrap();
    assert!(!attempt.stopped && attempt.number == 1);
    let summary = go(&case, &Fake::default()).unwrap();
    assert_eq!(summary.done, 6);
    assert_nothing_twice(case.log());
}

#[test]
fn trials_are_run_by_id_and_others_are_refused() {
    let mut case = task();
    case.options.any = false;
    case.options.only = [1, 3].map(|i| case.manifest.trials[i].id.clone()).into();
    assert_eq!(go(&case, &Fake::default()).unwrap().done, 2);
    assert_eq!(case.log().len(), 2 * STEPS as usize);
    case.options.only.push("0123".into());
    let error = go(&case, &Fake::default()).unwrap_err();
    assert!(error.to_string().contains("0123") && error.exit_status() == 2);
}

/// Where locks hold only on one machine, a second process begins the same trial.
#[test]
fn two_processes_at_one_trial_are_found_out() {
    let case = task();
    let fake = Fake {
        after_step: Some(|job| {
            let other = r#"{"host": "elsewhere", "process": 7, "token": "another"}"#;
            fs::write(job.folder.join("attempt.json"), other).unwrap();
        }),
        ..Fake::default()
    };
    let error = go(&case, &fake).unwrap_err();
    assert!(matches!(error, SweepError::Twin { .. }), "{error}");
    assert!(
        error.to_string().contains("process 7 on elsewhere"),
        "{error}"
    );
    for trial in &case.manifest.trials {
        let state = case.folder.state(trial).unwrap();
        assert!(
            matches!(state, State::Pending | State::Interrupted),
            "{state:?}"
        );
    }
}

/// Expands a config whose sources have these names; the bytes behind them are the same.
fn named(source: &str) -> Manifest {
    let config = CONFIG.replace("random", source);
    let experiment = Experiment::parse(Path::new("a.toml"), &config, &[]).unwrap();
    let identify = |_: &brevity_data::DataConfig| {
        Ok(DataIdentity {
            source: "any".into(),
            bytes: 1000,
            hash: Some("00".into()),
            holdout_bytes: 0,
            holdout_hash: None,
            leak_hash: None,
        })
    };
    Manifest::expand(&experiment, identify).unwrap()
}

#[test]
fn ids_depend_on_the_bytes_and_not_on_where_they_lie() {
    let ids = |manifest: &Manifest| -> Vec<String> {
        manifest.trials.iter().map(|t| t.id.clone()).collect()
    };
    let [here, there] = ["/mnt/a/x.txt", "/scratch/y.txt"].map(named);
    assert_eq!(ids(&here), ids(&there));
    assert!(here.differences(&there).is_empty());
    assert_eq!(here.trials[0].data.source, "/mnt/a/x.txt");
    // A relative path is frozen as an absolute one, and called as it was written.
    let relative = named("Cargo.toml");
    let config = relative.trials[0].config.data.source.to_string();
    assert!(Path::new(&config).is_absolute(), "{config}");
    assert_eq!(relative.trials[0].data.source, "Cargo.toml");
    assert_eq!(ids(&relative), ids(&here));
}

/// A folder of format 1, whose ids depended on names, is continued under its ids.
#[test]
fn folders_of_earlier_formats_are_continued() {
    let case = Case::new();
    let mut old = case.manifest.clone();
    old.format = 1;
    for (i, trial) in old.trials.iter_mut().enumerate() {
        trial.id = format!("old-{i}");
    }
    fs::create_dir_all(case.folder.root().join("trials")).unwrap();
    let path = case.folder.manifest_path();
    fs::write(&path, serde_json::to_vec(&old).unwrap()).unwrap();
    assert_eq!(case.run(&Fake::default(), &NEVER).unwrap().done, 6);
    let ids: Vec<Value> = case.results().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids[5], "old-5");
    assert_eq!(case.run(&Fake::default(), &NEVER).unwrap().skipped, 6);
    let mut other = Case {
        manifest: manifest(&CONFIG.replace("context = 64", "context = 128")),
        ..case
    };
    let error = other.run(&Fake::default(), &NEVER).unwrap_err().to_string();
    assert!(error.contains("model.context: 64 -> 128"), "{error}");
    other.manifest = manifest(CONFIG);
    assert_eq!(other.run(&Fake::default(), &NEVER).unwrap().skipped, 6);
}

#[test]
fn a_manifest_that_names_no_folders_is_refused() {
    let case = task();
    for (index, id) in [(0, "../x"), (0, ""), (9, "ab")] {
        let mut manifest = case.manifest.clone();
        manifest.trials[0].index = index;
        manifest.trials[0].id = id.into();
        let text = serde_json::to_vec(&manifest).unwrap();
        fs::write(case.folder.manifest_path(), text).unwrap();
        let error = case.folder.manifest().unwrap_err().to_string();
        assert!(
            error.contains("manifest.json is damaged: trial 0"),
            "{error}"
        );
    }
}

fn options() -> TaskOptions {
    TaskOptions {
        program: "brevity".into(),
        device: "flex".into(),
        jobs: 1,
        threads: None,
        retry_failed: false,
        json: false,
        task_seconds: 600.0,
    }
}

#[test]
fn a_plan_has_the_unfinished_trials_longest_first_and_packs_short_ones() {
    let mut case = task();
    assert_eq!(case.manifest.kind(), Kind::TwoPart);
    let plan = Plan::of(&case.folder, &case.manifest, &options()).unwrap();
    assert_eq!((plan.trials.len(), plan.tasks.len()), (6, 1));
    assert!(plan.trials.is_sorted_by(|a, b| a.priority > b.priority));
    let mut separate = options();
    separate.task_seconds = 0.0;
    let plan = Plan::of(&case.folder, &case.manifest, &separate).unwrap();
    assert_eq!(plan.tasks.len(), 6);
    let command = plan.tasks[0].command.join(" ");
    let id = &plan.trials[0].id;
    assert!(
        command.contains(&format!("--trial {id} --threads 1")),
        "{command}"
    );

    case.options.any = false;
    case.options.only = vec![id.clone()];
    go(&case, &Fake::default()).unwrap();
    let plan = Plan::of(&case.folder, &case.manifest, &options()).unwrap();
    assert_eq!(plan.trials.len(), 5);
    assert_eq!(plan.calibration.weighed, 1);

    case.options.only.clear();
    case.options.any = true;
    go(&case, &Fake::default()).unwrap();
    let plan = Plan::of(&case.folder, &case.manifest, &options()).unwrap();
    let told = plan.to_string();
    assert!(told.contains("0 tasks: about 0.0 core hours"), "{told}");
}

#[test]
fn what_was_killed_under_a_limit_of_memory_gets_twice_as_much() {
    let case = task();
    let trial = &case.manifest.trials[2];
    let folder = case.folder.trial(trial);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "").unwrap();
    let limit = 1u64 << 40;
    for (stopped, expected) in [("false", 2 * limit), ("true", 0)] {
        let attempt = format!(r#"{{"memory_limit": {limit}, "stopped": {stopped}}}"#);
        fs::write(folder.join("attempt.json"), attempt).unwrap();
        let plan = Plan::of(&case.folder, &case.manifest, &options()).unwrap();
        let planned = plan.trials.iter().find(|t| t.id == trial.id).unwrap();
        assert!(planned.memory_bytes >= expected && planned.memory_bytes <= 2 * limit);
        assert_eq!(planned.memory_bytes == 2 * limit, stopped == "false");
    }
}

#[test]
fn an_incomplete_sweep_is_no_success_for_who_collects() {
    let case = task();
    let status = Status::of(&case.folder, &case.manifest, None).unwrap();
    let error = status.verdict().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("6 of 6 trials are not done: 6 pending"),
        "{error}"
    );
    assert_eq!(error.exit_status(), 1);
    let fake = Fake::default();
    go(&case, &fake).unwrap();
    assert_eq!(fake.trained.load(Ordering::Relaxed), 6);
    let status = Status::of(&case.folder, &case.manifest, None).unwrap();
    status.verdict().unwrap();
    assert_eq!(status.summary(), "6 done");
}
