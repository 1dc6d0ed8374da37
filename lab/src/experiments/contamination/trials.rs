//! The trials of the `[contamination]` table.

use super::config::ContaminationConfig;
use crate::config::axes::{Assignment, SweepConfig, SweepPlan};
use crate::config::document::{Document, leaves};
use crate::config::experiment::{plan, typed};
use crate::config::{ConfigError, Experiment, TrialPlan};
use toml::{Table, Value};

/// Keys that set the length of training; they exclude each other.
const BUDGET: [&str; 3] = ["train.epochs", "train.steps", "train.bytes"];

/// Number of copies of the test.
const COPIES: &str = "data.leak.copies";

/// Disguise: every so-many-th word of a copy is left out.
const SKIP_WORDS: &str = "data.leak.skip_words";

/// One trial without its seed.
struct Part {
    /// Axis values that identify it in results.
    axes: Vec<(String, Value)>,
    /// Values it sets in the config.
    assignments: Vec<Assignment>,
    /// Keys it removes from the config.
    dropped: Vec<&'static str>,
    /// Whether it is a prequential code.
    prequential: bool,
}

impl ContaminationConfig {
    /// The trials, without their seeds.
    fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for (name, keys) in [("honest", &self.honest), ("memoriser", &self.memoriser)] {
            let role = Role { name, keys };
            for (i, copies) in self.doses.iter().enumerate() {
                let origin = format!("contamination.doses.{i}");
                for code in [false, true] {
                    parts.push(role.leaked("dose", (*copies, 0), origin.clone(), code));
                }
            }
            for (i, copies) in self.disguised.iter().enumerate() {
                let origin = format!("contamination.disguised.{i}");
                let leak = (*copies, self.skip_words);
                parts.push(role.leaked("disguise", leak, origin, false));
            }
            for code in [false, true] {
                parts.push(role.alone("text", self.text_bytes, code));
                parts.push(role.alone("random", self.random_bytes, code));
            }
        }
        parts
    }
}

/// One of the two models, honest or memoriser.
struct Role<'a> {
    name: &'static str,
    keys: &'a Table,
}

impl Role<'_> {
    /// `leak` is the number of copies of the test and `skip_words`.
    fn part(&self, name: &str, leak: (u64, u64), prequential: bool) -> Part {
        let code = if prequential {
            "prequential"
        } else {
            "two-part"
        };
        Part {
            axes: vec![
                ("part".into(), name.into()),
                ("model".into(), self.name.into()),
                ("code".into(), code.into()),
                (COPIES.into(), Value::Integer(leak.0 as i64)),
                (SKIP_WORDS.into(), Value::Integer(leak.1 as i64)),
            ],
            assignments: Vec::new(),
            dropped: Vec::new(),
            prequential,
        }
    }

    fn own(&self) -> impl Iterator<Item = Assignment> {
        leaves(self.keys)
            .into_iter()
            .map(|(key, value)| Assignment {
                origin: format!("contamination.{}.{key}", self.name),
                key,
                value,
            })
    }

    /// Trained on all data, the leak included.
    fn leaked(&self, name: &str, leak: (u64, u64), origin: String, prequential: bool) -> Part {
        let mut part = self.part(name, leak, prequential);
        let own = self.own().filter(|a| !BUDGET.contains(&&a.key[..]));
        part.assignments.extend(own);
        for (key, number) in [(COPIES, leak.0), (SKIP_WORDS, leak.1)] {
            part.assignments.push(Assignment {
                key: key.into(),
                value: Value::Integer(number as i64),
                origin: origin.clone(),
            });
        }
        part.assignments.push(scored(&["overlap", "held-out"]));
        part
    }

    /// Trained on exactly the bytes it is scored on.
    fn alone(&self, name: &str, bytes: u64, prequential: bool) -> Part {
        let mut part = self.part(name, (0, 0), prequential);
        part.assignments.extend(self.own());
        if part
            .assignments
            .iter()
            .any(|a| BUDGET.contains(&&a.key[..]))
        {
            part.dropped.extend(BUDGET);
        }
        part.dropped.push("data.leak");
        part.assignments.push(Assignment {
            key: "data.bytes".into(),
            value: Value::Integer(bytes as i64),
            origin: format!("contamination.{name}_bytes"),
        });
        if name == "random" {
            part.dropped.extend(["data.holdout", "data.offset"]);
            part.assignments.push(Assignment {
                key: "data.source".into(),
                value: "random".into(),
                origin: "contamination.random_bytes".into(),
            });
        }
        let regimes: &[&str] = match name {
            "random" => &["in-sample"],
            _ => &["in-sample", "held-out"],
        };
        part.assignments.push(scored(regimes));
        part
    }
}

fn scored(regimes: &[&str]) -> Assignment {
    Assignment {
        key: "score.regimes".into(),
        value: Value::Array(regimes.iter().map(|regime| (*regime).into()).collect()),
        origin: "contamination".into(),
    }
}

impl Experiment {
    /// The experiment that `[contamination]` describes. It replaces `[sweep]`, of which
    /// only the seeds are used.
    ///
    /// # Errors
    /// A config without that table or without `[data.leak]`, with other axes, or with
    /// invalid trials.
    pub fn contamination(mut self) -> Result<Experiment, ConfigError> {
        let config = typed(self.document.table()).map_err(|e| self.document.value_error("", &e))?;
        let fault = |key: &str, message: &str| self.document.error(key, message);
        let Some(table) = config.contamination else {
            return Err(fault("contamination", "there is no [contamination]"));
        };
        table.validate().map_err(|(key, message)| {
            self.document
                .error(&format!("contamination.{key}"), message)
        })?;
        if config.data.leak.is_none() {
            return Err(fault(
                "data.leak",
                "there is no [data.leak] to define the leaked test",
            ));
        }
        let SweepConfig {
            seeds,
            grid,
            zip,
            trials,
            checks,
            max_trials: _,
            plan,
            precision: _,
            budget: _,
        } = config.sweep;
        let of_sizes = checks || plan == SweepPlan::Adaptive;
        if of_sizes || !(grid.is_empty() && zip.is_empty() && trials.is_empty()) {
            let message = "[contamination] defines its own axes: only `seeds` may be given in \
                           [sweep]";
            return Err(fault("sweep", message));
        }
        let seeds = seeds.unwrap_or_else(|| vec![config.seed as i64]);
        self.trials.clear();
        for part in table.parts() {
            for seed in &seeds {
                self.trials
                    .push(part.plan(&self.document, &self.name, *seed)?);
            }
        }
        Ok(self)
    }
}

impl Part {
    /// The trial of one seed.
    fn plan(&self, document: &Document, name: &str, seed: i64) -> Result<TrialPlan, ConfigError> {
        let mut assignments = self.assignments.clone();
        assignments.push(Assignment {
            key: "seed".into(),
            value: Value::Integer(seed),
            origin: "sweep.seeds".into(),
        });
        let mut trial = plan(&document.without(&self.dropped), name, assignments)?;
        trial.axes = self.axes.clone();
        match self.prequential {
            true => trial.learn(document)?,
            false => trial.config.prequential = None,
        }
        Ok(trial)
    }
}
