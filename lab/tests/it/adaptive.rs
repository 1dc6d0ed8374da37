//! An adaptive plan: which trials of a grid it runs, and when it stops.

use crate::sweep::{Case, Fake, NEVER, manifest};
use brevity_lab::config::Experiment;
use brevity_lab::sweep::{
    Job, RunOptions, Scorer, Step, SweepError, Work, WorkError, run, run_adaptive,
};
use brevity_length::{Description, Regime, Score, Scored, State};
use brevity_stats::design::{Decision, Goal};
use std::path::Path;

const CONFIG: &str = "
name = \"fake\"
[data]
source = \"random\"
[model]
context = 64
[sweep.grid]
model.width = [8, 12, 16, 24, 32, 48, 64]
";

const HALF: Goal = Goal {
    precision: 0.1,
    budget: 0.5,
};

/// Scores by a law, of which no seed and no size departs.
struct Lawful;

impl Scorer for Lawful {
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Score>>, WorkError> {
        let bytes = 500_000;
        let parameters = job.trial.parameters;
        let loss = 1.2 + 40.0 * (parameters as f64).powf(-0.4);
        let bits = loss * bytes as f64;
        let scored = Scored {
            bytes,
            hash: "00".into(),
        };
        let coded = (bits / 8.0) as u64;
        let found = Description::two_part(Regime::InSample, scored, bits, coded, parameters, bytes);
        Ok(Step::Done(vec![found.into()]))
    }
}

fn case() -> Case {
    Case {
        manifest: manifest(CONFIG),
        ..Case::new()
    }
}

/// Runs a plan; gives the widths that are done, and why it ended.
fn follow(case: &Case, goal: Goal) -> (Vec<usize>, Vec<Decision>) {
    let fake = Fake::default();
    let work = Work {
        scorer: &Lawful,
        ..fake.work()
    };
    let (summary, ends) = run_adaptive(
        &case.folder,
        &case.manifest,
        CONFIG,
        goal,
        &work,
        &case.options,
        &NEVER,
    )
    .unwrap();
    summary.verdict().unwrap();
    (done(case), ends)
}

fn done(case: &Case) -> Vec<usize> {
    let rows = brevity_lab::sweep::rows(&case.folder, &case.manifest).unwrap();
    let done = rows.iter().filter(|row| row.state == State::Done);
    let width = |row: &brevity_length::Row| case.manifest.trials[row.index].config.model.width;
    done.map(width).collect()
}

#[test]
fn it_stops_when_the_interval_is_narrow() {
    // The points lie on a law, so that the interval is narrow at once.
    let case = case();
    let (widths, ends) = follow(
        &case,
        Goal {
            budget: 1.0,
            ..HALF
        },
    );
    assert_eq!(ends, [Decision::Enough]);
    assert!((5..7).contains(&widths.len()), "{widths:?}");
}

#[test]
fn it_never_spends_more_than_its_budget() {
    let case = case();
    let (widths, ends) = follow(
        &case,
        Goal {
            precision: 1e-9,
            budget: 0.5,
        },
    );
    assert_eq!(ends, [Decision::Spent]);
    assert!(widths.len() >= 3 && !widths.contains(&64), "{widths:?}");
    let trials = &case.manifest.trials;
    let flops = |all: bool| -> f64 {
        let counted = trials
            .iter()
            .filter(|t| all || widths.contains(&t.config.model.width));
        counted.map(|t| t.flops).sum()
    };
    assert!(flops(false) <= 0.5 * flops(true));
}

#[test]
fn it_goes_on_with_a_larger_budget_and_ends_as_the_grid() {
    let case = case();
    let goal = |budget| Goal {
        precision: 1e-9,
        budget,
    };
    let (first, _) = follow(&case, goal(0.3));
    let (all, ends) = follow(&case, goal(1.0));
    assert!(first.len() < all.len() && all.len() == 7);
    assert_eq!(ends, [Decision::Exhausted]);
    let fake = Fake::default();
    let options = RunOptions {
        resume: true,
        ..case.options.clone()
    };
    let (folder, manifest) = (&case.folder, &case.manifest);
    let summary = run(folder, manifest, CONFIG, &fake.work(), &options, &NEVER).unwrap();
    assert_eq!((summary.done, summary.skipped), (0, 7));
}

#[test]
fn a_trial_that_fails_is_left_out() {
    let case = case();
    let fake = Fake {
        broken: Some((16, || "out of luck".into())),
        ..Fake::default()
    };
    let work = Work {
        scorer: &Lawful,
        ..fake.work()
    };
    let goal = Goal {
        precision: 1e-9,
        budget: 1.0,
    };
    let (folder, manifest) = (&case.folder, &case.manifest);
    let (summary, _) =
        run_adaptive(folder, manifest, CONFIG, goal, &work, &case.options, &NEVER).unwrap();
    assert_eq!((summary.done, summary.failed.len()), (6, 1));
    assert!(!done(&case).contains(&16));
}

#[test]
fn several_processes_cannot_share_it() {
    let case = case();
    let fake = Fake::default();
    let options = RunOptions {
        any: true,
        ..case.options.clone()
    };
    let (folder, manifest) = (&case.folder, &case.manifest);
    let refused = run_adaptive(
        folder,
        manifest,
        CONFIG,
        HALF,
        &fake.work(),
        &options,
        &NEVER,
    );
    assert!(matches!(refused, Err(SweepError::Usage(_))));
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let told = |more: &str| {
        let text = CONFIG.replace("[sweep.grid]", &format!("[sweep]\n{more}\n[sweep.grid]"));
        let parsed = Experiment::parse(Path::new("a.toml"), &text, &[]);
        parsed
            .map(|experiment| experiment.adaptive)
            .map_err(|e| e.to_string())
    };
    assert_eq!(told("plan = \"adaptive\""), Ok(Some(HALF)));
    assert_eq!(told("plan = \"grid\""), Ok(None));
    for (wrong, key) in [
        ("budget = 0.5", "sweep.budget"),
        ("plan = \"adaptive\"\nbudget = 1.5", "sweep.budget"),
        ("plan = \"adaptive\"\nprecision = nan", "sweep.precision"),
        ("plan = \"adaptive\"\nchecks = true", "sweep.checks"),
        ("plan = \"random\"", "valid here: grid, adaptive"),
    ] {
        let error = told(wrong).unwrap_err();
        assert!(error.contains(key), "{wrong}: {error}");
    }
}
