//! The `[sweep]` table: which values differ between trials.

use super::document::leaves;
use brevity_stats::design::Goal;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// The `[sweep]` table. Its trials are all combinations of a row of `trials`, a row of
/// `zip`, a point of `grid` and a seed; an absent part counts as one empty row. Seeds
/// vary fastest, then the last axis of the grid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepConfig {
    /// Values of `seed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Vec<i64>>,
    /// Arrays of values by key; every combination of them is a trial.
    pub grid: Table,
    /// Arrays of equal length by key; the n-th values of all belong together.
    pub zip: Table,
    /// Values by key, listed trial by trial.
    pub trials: Vec<Table>,
    /// Limit on the number of trials, before those of `checks` are added; a larger
    /// sweep is refused before it is expanded. Default 100,000.
    pub max_trials: Option<u64>,
    /// `"grid"`, the default, runs every trial. `"adaptive"` runs those that say most about
    /// the critical size first, and stops when it is known; the others stay pending.
    pub plan: SweepPlan,
    /// Adaptive plan: stop when every 95% interval of N* is at most so many octaves wide.
    /// Default 0.1.
    pub precision: Option<f64>,
    /// Adaptive plan: spend at most this share of the training of all trials, in
    /// floating-point operations. Default 0.5.
    pub budget: Option<f64>,
    /// Whether to add trials that check how well each ladder of sizes is trained:
    /// longer training at both ends, other learning rates at three sizes.
    pub checks: bool,
}

/// Which trials of a sweep are run, and in what order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweepPlan {
    /// All.
    #[default]
    Grid,
    /// As the critical size needs them.
    Adaptive,
}

/// One value that the sweep chose for a trial.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assignment {
    /// Dotted key, such as `model.width`.
    pub key: String,
    /// Its value in this trial.
    pub value: Value,
    /// Dotted key of the place in the config that gives the value.
    pub origin: String,
}

/// An error in the `[sweep]` table, with the key at fault.
#[derive(Debug, PartialEq)]
pub(crate) struct AxisError {
    pub key: String,
    pub message: String,
}

/// The default of [`SweepConfig::max_trials`].
const MAX_TRIALS: u64 = 100_000;

impl SweepConfig {
    /// The assignments of every trial, in order.
    pub(crate) fn expand(&self) -> Result<Vec<Vec<Assignment>>, AxisError> {
        let (zipped, grid) = (self.rows_of_zip()?, arrays("sweep.grid", &self.grid)?);
        let seeds = self.seeds.as_deref();
        if seeds.is_some_and(<[i64]>::is_empty) {
            return Err(no_axis("sweep.seeds", "an empty one"));
        }
        let seeds = seeds.unwrap_or_default();
        let lengths = [self.trials.len(), zipped.len(), seeds.len()];
        let lengths = lengths.into_iter().chain(grid.iter().map(|(_, v)| v.len()));
        self.check_count(lengths)?;
        let mut trials = combine(vec![Vec::new()], &self.rows_of_trials());
        trials = combine(trials, &zipped);
        for (key, values) in grid {
            let rows: Vec<_> = (0..values.len())
                .map(|i| vec![element("sweep.grid", &key, &values, i)])
                .collect();
            trials = combine(trials, &rows);
        }
        let row = |(i, seed): (usize, &i64)| {
            vec![Assignment {
                key: "seed".into(),
                value: Value::Integer(*seed),
                origin: format!("sweep.seeds.{i}"),
            }]
        };
        let seeds: Vec<_> = seeds.iter().enumerate().map(row).collect();
        trials = combine(trials, &seeds);
        check_keys(&trials)?;
        Ok(trials)
    }

    /// `--set` arguments that leave the first trial alone: of each axis its first value.
    pub(crate) fn first(&self) -> Vec<String> {
        let mut sets = Vec::new();
        if let [first, _, ..] = &self.trials[..] {
            sets.push(format!("sweep.trials=[{}]", Value::Table(first.clone())));
        }
        for (name, axes) in [("zip", &self.zip), ("grid", &self.grid)] {
            for (key, values) in leaves(axes) {
                if let Some([first, _, ..]) = values.as_array().map(Vec::as_slice) {
                    sets.push(format!("sweep.{name}.{key}=[{first}]"));
                }
            }
        }
        if let Some([first, _, ..]) = self.seeds.as_deref() {
            sets.push(format!("sweep.seeds=[{first}]"));
        }
        if self.checks {
            sets.push("sweep.checks=false".into());
        }
        sets
    }

    /// Checks the number of trials before any is made.
    fn check_count(&self, lengths: impl Iterator<Item = usize>) -> Result<(), AxisError> {
        let most = self.max_trials.unwrap_or(MAX_TRIALS);
        let count = lengths.fold(1u64, |count, n| count.saturating_mul(n.max(1) as u64));
        if count <= most {
            return Ok(());
        }
        Err(AxisError {
            key: "sweep".into(),
            message: format!(
                "{count} trials are more than {most}: vary less, or raise sweep.max_trials"
            ),
        })
    }

    /// When an adaptive plan is to stop; `None` for a grid.
    pub(crate) fn goal(&self) -> Result<Option<Goal>, AxisError> {
        let error = |key: &str, message: &str| AxisError {
            key: format!("sweep.{key}"),
            message: message.into(),
        };
        if self.plan == SweepPlan::Grid {
            let only = "is for sweep.plan = \"adaptive\"";
            return match (self.precision, self.budget) {
                (None, None) => Ok(None),
                (Some(_), _) => Err(error("precision", only)),
                (None, Some(_)) => Err(error("budget", only)),
            };
        }
        if self.checks {
            let message = "an adaptive plan leaves out trials that the checks need";
            return Err(error("checks", message));
        }
        let goal = Goal {
            precision: self.precision.unwrap_or(0.1),
            budget: self.budget.unwrap_or(0.5),
        };
        if !(goal.precision.is_finite() && goal.precision > 0.0) {
            return Err(error("precision", "must be a positive number of octaves"));
        }
        if !(goal.budget > 0.0 && goal.budget <= 1.0) {
            return Err(error("budget", "must be above 0 and at most 1"));
        }
        Ok(Some(goal))
    }

    fn rows_of_trials(&self) -> Vec<Vec<Assignment>> {
        let row = |(i, table): (usize, &Table)| {
            let assignment = |(key, value): (String, Value)| Assignment {
                origin: format!("sweep.trials.{i}.{key}"),
                key,
                value,
            };
            leaves(table).into_iter().map(assignment).collect()
        };
        self.trials.iter().enumerate().map(row).collect()
    }

    fn rows_of_zip(&self) -> Result<Vec<Vec<Assignment>>, AxisError> {
        let columns = arrays("sweep.zip", &self.zip)?;
        let Some((first, values)) = columns.first() else {
            return Ok(Vec::new());
        };
        let length = values.len();
        if let Some((key, values)) = columns.iter().find(|(_, v)| v.len() != length) {
            return Err(AxisError {
                key: format!("sweep.zip.{key}"),
                message: format!("{} values, but {first} has {length}", values.len()),
            });
        }
        let row = |i: usize| {
            let cell = |(key, values): &(String, Vec<Value>)| element("sweep.zip", key, values, i);
            columns.iter().map(cell).collect()
        };
        Ok((0..length).map(row).collect())
    }
}

fn element(table: &str, key: &str, values: &[Value], index: usize) -> Assignment {
    Assignment {
        key: key.to_string(),
        value: values[index].clone(),
        origin: format!("{table}.{key}.{index}"),
    }
}

fn arrays(table: &str, axes: &Table) -> Result<Vec<(String, Vec<Value>)>, AxisError> {
    let array = |(key, value): (String, Value)| match value {
        Value::Array(values) if !values.is_empty() => Ok((key, values)),
        Value::Array(_) => Err(no_axis(&format!("{table}.{key}"), "an empty one")),
        other => {
            let what = format!("a single {}", other.type_str());
            Err(no_axis(&format!("{table}.{key}"), &what))
        }
    };
    leaves(axes).into_iter().map(array).collect()
}

fn no_axis(key: &str, what: &str) -> AxisError {
    AxisError {
        key: key.to_owned(),
        message: format!("an axis is an array of at least one value, not {what}"),
    }
}

fn combine(trials: Vec<Vec<Assignment>>, rows: &[Vec<Assignment>]) -> Vec<Vec<Assignment>> {
    if rows.is_empty() {
        return trials;
    }
    let with = |trial: &Vec<Assignment>, row: &Vec<Assignment>| [&trial[..], &row[..]].concat();
    trials
        .iter()
        .flat_map(|trial| rows.iter().map(move |row| with(trial, row)))
        .collect()
}

fn check_keys(trials: &[Vec<Assignment>]) -> Result<(), AxisError> {
    for trial in trials {
        for (i, assignment) in trial.iter().enumerate() {
            let key = &assignment.key;
            let table = key.split('.').next().unwrap_or_default();
            if !["seed", "data", "model", "train", "score", "prequential"].contains(&table) {
                return Err(AxisError {
                    key: assignment.origin.clone(),
                    message: format!(
                        "`{key}` is neither the seed nor a key of data, model, train, score or prequential"
                    ),
                });
            }
            if let Some(twice) = trial[..i].iter().find(|other| other.key == *key) {
                return Err(AxisError {
                    key: assignment.origin.clone(),
                    message: format!("`{key}` is also given by {}", twice.origin),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Result<Vec<String>, AxisError> {
        let sweep: SweepConfig = toml::from_str(text).unwrap();
        let show = |trial: Vec<Assignment>| {
            let cells: Vec<_> = trial
                .iter()
                .map(|a| format!("{}={}", a.key, a.value))
                .collect();
            cells.join(" ")
        };
        Ok(sweep.expand()?.into_iter().map(show).collect())
    }

    #[test]
    fn no_axes_are_one_trial() {
        assert_eq!(expand("").unwrap(), [""]);
    }

    #[test]
    fn grid_zip_lists_and_seeds_multiply_in_order() {
        let trials = expand(
            "seeds = [0, 1]\n\
             [grid]\nmodel.width = [16, 24]\n\
             [zip]\n\"data.bytes\" = [10, 20]\ntrain.epochs = [3, 4]\n\
             [[trials]]\ntrain.a = 1\n[[trials]]\ntrain.a = 2\n",
        )
        .unwrap();
        assert_eq!(trials.len(), 16);
        assert_eq!(
            trials[0],
            "train.a=1 data.bytes=10 train.epochs=3 model.width=16 seed=0"
        );
        assert_eq!(
            trials[1],
            "train.a=1 data.bytes=10 train.epochs=3 model.width=16 seed=1"
        );
        assert_eq!(
            trials[15],
            "train.a=2 data.bytes=20 train.epochs=4 model.width=24 seed=1"
        );
    }

    #[test]
    fn a_grid_is_counted_before_it_is_expanded() {
        let values = vec!["1"; 1000].join(", ");
        let axis = |key: &str| format!("model.{key} = [{values}]\n");
        let grid = format!(
            "[grid]\n{}{}{}",
            axis("width"),
            axis("layers"),
            axis("heads")
        );
        let error = expand(&grid).unwrap_err();
        assert_eq!(error.key, "sweep");
        assert!(
            error.message.starts_with("1000000000 trials"),
            "{}",
            error.message
        );
        let few = "max_trials = 3\nseeds = [1, 2]\n[grid]\nmodel.width = [1, 2]";
        assert!(
            expand(few)
                .unwrap_err()
                .message
                .contains("4 trials are more than 3")
        );
        assert_eq!(expand(&few.replace('3', "4")).unwrap().len(), 4);
    }

    #[test]
    fn axes_that_make_no_sense_are_named() {
        let key = |text: &str| expand(text).unwrap_err().key;
        assert_eq!(key("[grid]\nmodel.width = 3"), "sweep.grid.model.width");
        assert_eq!(key("[grid]\nmodel.width = []"), "sweep.grid.model.width");
        assert_eq!(key("seeds = []"), "sweep.seeds");
        assert_eq!(
            key("[zip]\nmodel.width = [1, 2]\nmodel.heads = [1]"),
            "sweep.zip.model.heads"
        );
        assert_eq!(key("[grid]\nname = [\"a\"]"), "sweep.grid.name.0");
        assert_eq!(key("seeds = [1]\n[grid]\nseed = [1]"), "sweep.seeds.0");
    }
}
