//! `sweep.checks`: trials that check how well the models of a ladder are trained.
//!
//! A ladder is a set of trials that differ in model size and, optionally, in a learning
//! rate that is varied with it. The smallest and the largest model are trained twice as
//! long; these two and the middle one are trained at half and at double the learning
//! rate. That makes eight trials for each ladder of three sizes or more, with the first
//! seed only.

use super::trial::{Check, TrialPlan};
use brevity_length::SIZE_KEYS;
use brevity_train::TrainConfig;
use toml::Value;

const RATE: &str = "train.learning_rate";

/// The trials that check the given ones.
pub(super) fn of(trials: &[TrialPlan]) -> Vec<TrialPlan> {
    let mut checks = Vec::new();
    for ladder in ladders(trials) {
        let [smallest, .., largest] = ladder[..] else {
            continue;
        };
        let middle = ladder[ladder.len() / 2];
        if middle == largest {
            continue;
        }
        let longer = |of: usize| changed(trials, of, twice_as_long);
        checks.extend([smallest, largest].map(longer));
        for of in [smallest, middle, largest] {
            for factor in [0.5, 2.0] {
                checks.push(changed(trials, of, |train| {
                    let from = train.learning_rate;
                    train.learning_rate = factor * from;
                    (RATE, from, train.learning_rate)
                }));
            }
        }
    }
    checks
}

/// The trials of each ladder, one per size, smallest first.
fn ladders(trials: &[TrialPlan]) -> Vec<Vec<usize>> {
    let mut ladders: Vec<(Vec<_>, Vec<usize>)> = Vec::new();
    for (i, trial) in trials.iter().enumerate() {
        if trial.config.seed != trials[0].config.seed {
            continue;
        }
        let beyond_size =
            |(key, _): &&(String, Value)| key != RATE && !SIZE_KEYS.iter().any(|size| size == key);
        let kind: Vec<_> = trial.axes.iter().filter(beyond_size).collect();
        match ladders.iter_mut().find(|ladder| ladder.0 == kind) {
            Some((_, ladder)) => ladder.push(i),
            None => ladders.push((kind, vec![i])),
        }
    }
    let size = |&mut i: &mut usize| trials[i].config.model.parameters();
    let by_size = |(_, mut ladder): (_, Vec<usize>)| {
        ladder.sort_by_key(|&i| trials[i].config.model.parameters());
        ladder.dedup_by_key(size);
        ladder
    };
    ladders.into_iter().map(by_size).collect()
}

fn changed(
    trials: &[TrialPlan],
    of: usize,
    change: impl Fn(&mut TrainConfig) -> (&'static str, f64, f64),
) -> TrialPlan {
    let mut trial = trials[of].clone();
    let (key, from, to) = change(&mut trial.config.train);
    trial.axes.retain(|(name, _)| name != key);
    trial.axes.push((key.into(), Value::Float(to)));
    trial.check = Some(Check { of, key, from, to });
    trial
}

fn twice_as_long(train: &mut TrainConfig) -> (&'static str, f64, f64) {
    for (key, length) in [
        ("train.steps", &mut train.steps),
        ("train.bytes", &mut train.bytes),
    ] {
        if let Some(length) = length {
            let from = *length;
            *length = 2 * from;
            return (key, from as f64, *length as f64);
        }
    }
    let from = train.passes();
    train.epochs = Some(2.0 * from);
    ("train.epochs", from, 2.0 * from)
}

#[cfg(test)]
mod tests {
    use crate::config::Experiment;
    use std::path::Path;

    fn checks(more: &str) -> Vec<String> {
        let text = format!("[data]\nsource = \"crates\"\n[sweep]\nchecks = true\n{more}");
        let experiment = Experiment::parse(Path::new("a.toml"), &text, &[]).unwrap();
        let told = |trial: &crate::config::TrialPlan| {
            let check = trial.check.as_ref()?;
            let width = trial.config.model.width;
            Some(format!("{width} {} {} {}", check.key, check.from, check.to))
        };
        experiment.trials.iter().filter_map(told).collect()
    }

    #[test]
    fn ends_are_trained_longer_and_three_sizes_at_other_rates() {
        let found = checks("seeds = [3, 4]\n[sweep.grid]\nmodel.width = [32, 8, 16, 24]\n");
        assert_eq!(
            found,
            [
                "8 train.epochs 8 16",
                "32 train.epochs 8 16",
                "8 train.learning_rate 0.02 0.01",
                "8 train.learning_rate 0.02 0.04",
                "24 train.learning_rate 0.02 0.01",
                "24 train.learning_rate 0.02 0.04",
                "32 train.learning_rate 0.02 0.01",
                "32 train.learning_rate 0.02 0.04",
            ]
        );
    }

    #[test]
    fn each_ladder_has_its_own_with_a_rate_that_goes_with_size() {
        let zip =
            "[sweep.zip]\nmodel.width = [8, 16, 24]\ntrain.learning_rate = [0.03, 0.02, 0.01]\n";
        let found = checks(&format!("[sweep.grid]\ntrain.steps = [5, 7]\n{zip}"));
        assert_eq!(found.len(), 16);
        assert_eq!(found[1], "24 train.steps 5 10");
        assert_eq!(found[15], "24 train.learning_rate 0.01 0.02");
    }

    #[test]
    fn without_a_ladder_there_is_nothing_to_check() {
        let text = "[data]\nsource = \"crates\"\n[sweep]\nchecks = true\n\
                    [sweep.grid]\nmodel.width = [8, 16]\n";
        let error = Experiment::parse(Path::new("a.toml"), text, &[]).unwrap_err();
        assert!(error.to_string().contains("three sizes"), "{error}");
    }
}
