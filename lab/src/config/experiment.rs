//! Turns a config file into the complete configs of its trials.

use super::axes::{Assignment, SweepConfig};
use super::checks;
use super::document::{Document, assign};
use super::error::ConfigError;
use super::model::ModelConfig;
use super::score::ScoreConfig;
use super::trial::{TrialConfig, TrialPlan};
use crate::experiments::contamination::config::ContaminationConfig;
use crate::experiments::prequential::config::PrequentialConfig;
use crate::sweep::quote;
use brevity_data::DataConfig;
use brevity_stats::design::Goal;
use brevity_train::TrainConfig;
use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use toml::{Table, Value};

/// A config file as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentConfig {
    /// Name of the results folder; by default the file's name.
    pub name: Option<String>,
    /// Seed of the initial weights and of the order of the data.
    #[serde(default)]
    pub seed: u64,
    /// The training and held-out bytes.
    pub data: DataConfig,
    /// The transformer.
    #[serde(default)]
    pub model: ModelConfig,
    /// The training options.
    #[serde(default)]
    pub train: TrainConfig,
    /// What is measured of a trained model.
    #[serde(default)]
    pub score: ScoreConfig,
    /// The prequential code, if the trials are prequential.
    pub prequential: Option<PrequentialConfig>,
    /// What differs between trials.
    #[serde(default)]
    pub sweep: SweepConfig,
    /// The leaks to test, for `brevity contamination`.
    pub contamination: Option<ContaminationConfig>,
}

/// A config file, parsed and checked.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Name of the results folder.
    pub name: String,
    /// The trials, in the order of the sweep.
    pub trials: Vec<TrialPlan>,
    /// When an adaptive plan is to stop; `None` if all trials are run.
    pub adaptive: Option<Goal>,
    pub(crate) document: Document,
}

impl Experiment {
    /// Reads and checks a config file, with `sets` (`table.key=value`) applied over it.
    ///
    /// # Errors
    /// Any error that can be found without reading the data.
    pub fn read(path: &Path, sets: &[String]) -> Result<Experiment, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|error| ConfigError::new(path, format!("cannot read the config: {error}")))?;
        Experiment::parse(path, &text, sets)
    }

    /// Like [`Experiment::read`], but from text; errors name `file`.
    ///
    /// # Errors
    /// Those of [`Experiment::read`].
    pub fn parse(file: &Path, text: &str, sets: &[String]) -> Result<Experiment, ConfigError> {
        let mut document = Document::parse(file, text)?;
        document.typed::<ExperimentConfig>()?;
        for argument in sets {
            document.set(argument)?;
            let key = argument.split('=').next().unwrap_or_default().trim();
            typed(document.table()).map_err(|error| document.value_error(key, &error))?;
        }
        let config = typed(document.table()).map_err(|e| document.value_error("", &e))?;
        let name = experiment_name(&document, &config)?;
        let choices = config
            .sweep
            .expand()
            .map_err(|error| document.error(&error.key, error.message))?;
        effective_sets(&document, &choices)?;
        let adaptive = config
            .sweep
            .goal()
            .map_err(|error| document.error(&error.key, error.message))?;
        let mut trials: Vec<TrialPlan> = Vec::with_capacity(choices.len());
        for assignments in choices {
            trials.push(plan(&document, &name, assignments)?);
        }
        if config.sweep.checks {
            let checks = checks::of(&trials);
            if checks.is_empty() {
                let message = "no ladder of at least three sizes to check";
                return Err(document.error("sweep.checks", message));
            }
            trials.extend(checks);
        }
        Ok(Experiment {
            name,
            trials,
            adaptive,
            document,
        })
    }

    /// The same experiment as a sweep of two-part codes: `[prequential]` is dropped, so
    /// that one config serves both.
    pub fn two_part(mut self) -> Experiment {
        for trial in &mut self.trials {
            trial.config.prequential = None;
        }
        self
    }

    /// The same experiment as a sweep of prequential codes: with the defaults of
    /// `[prequential]` if there is no such table, and without the trials of
    /// `sweep.checks` and an adaptive plan, which are about two-part codes.
    ///
    /// # Errors
    /// Prequential options that are invalid for a trial's model.
    pub fn prequential(mut self) -> Result<Experiment, ConfigError> {
        self.trials.retain(|trial| trial.check.is_none());
        self.adaptive = None;
        for trial in &mut self.trials {
            trial.learn(&self.document)?;
        }
        Ok(self)
    }

    /// The text of the config file, without `--set`.
    pub fn text(&self) -> &str {
        self.document.text()
    }

    /// The file, or a name used in its place.
    pub fn file(&self) -> &Path {
        self.document.file()
    }

    /// `--set` arguments that leave the first trial of the sweep alone.
    pub fn sets_of_first(&self) -> Vec<String> {
        let config = typed(self.document.table());
        config.map_or_else(|_| Vec::new(), |config| config.sweep.first())
    }

    /// An error about `key` of a trial, at the position that set its value: an axis of
    /// the sweep, a `--set` argument, or a line of the file.
    pub fn error(&self, trial: usize, key: &str, message: impl Into<String>) -> ConfigError {
        trial_error(
            &self.document,
            &self.trials[trial].assignments,
            key,
            message,
        )
    }
}

impl TrialPlan {
    /// Makes the trial a prequential code.
    pub(crate) fn learn(&mut self, document: &Document) -> Result<(), ConfigError> {
        let table = self.config.prequential.get_or_insert_default().clone();
        table
            .validate(&self.config.model)
            .map_err(|(key, message)| {
                trial_error(
                    document,
                    &self.assignments,
                    &format!("prequential.{key}"),
                    message,
                )
            })
    }
}

pub(crate) fn typed(table: &Table) -> Result<ExperimentConfig, toml::de::Error> {
    ExperimentConfig::deserialize(table.clone().into_deserializer())
}

/// Refuses a `--set` of a key that the sweep sets in every trial.
fn effective_sets(document: &Document, choices: &[Vec<Assignment>]) -> Result<(), ConfigError> {
    for (key, set) in document.sets() {
        let chosen: Vec<_> = choices
            .iter()
            .filter_map(|trial| trial.iter().find(|assignment| assignment.key == key))
            .collect();
        if let Some(first) = chosen.first()
            && chosen.len() == choices.len()
        {
            let message = format!("`--set {set}` has no effect: the sweep chooses this value");
            let error = document.error(&first.origin, message);
            return Err(error.with_help(instead(document, key, &first.origin)));
        }
    }
    Ok(())
}

/// What to set in place of `key`, whose values in the trials come from such as `origin`.
fn instead(document: &Document, key: &str, origin: &str) -> String {
    let axis = origin.rsplit_once('.').map_or(origin, |(axis, _)| axis);
    let value = document.value(key).map(Value::to_string);
    let set = quote(&format!("{axis}=[{}]", value.unwrap_or_default()));
    match axis {
        _ if axis.starts_with("sweep.trials.") => {
            "change it in the tables of sweep.trials instead".into()
        }
        _ if axis.starts_with("sweep.zip.") => {
            format!("set all axes of sweep.zip instead, this one by --set {set}")
        }
        _ => format!("set the axis instead: --set {set}"),
    }
}

fn experiment_name(document: &Document, config: &ExperimentConfig) -> Result<String, ConfigError> {
    let stem = document.file().file_stem().map(|s| s.to_string_lossy());
    let name = match (&config.name, stem) {
        (Some(name), _) => name.clone(),
        (None, Some(stem)) => stem.into_owned(),
        (None, None) => "experiment".into(),
    };
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(good) {
        let message = format!(
            "`{name}` cannot name a folder: use letters, digits, `-`, `_` and `.`, no `.` in front"
        );
        return Err(document.error("name", message));
    }
    Ok(name)
}

/// The complete, checked config of one trial.
pub(crate) fn plan(
    document: &Document,
    name: &str,
    assignments: Vec<Assignment>,
) -> Result<TrialPlan, ConfigError> {
    let mut table = document.table().clone();
    table.remove("sweep");
    for assignment in &assignments {
        let fault = |message: String| document.error(&assignment.origin, message);
        assign(&mut table, &assignment.key, assignment.value.clone()).map_err(fault)?;
    }
    let config = typed(&table).map_err(|error| culprit(document, &assignments, error))?;
    let fault = |key: &str, message: String| trial_error(document, &assignments, key, message);
    let model = config
        .model
        .resolve()
        .map_err(|error| fault(&format!("model.{}", error.field), error.reason))?;
    config
        .train
        .validate()
        .map_err(|error| fault(&format!("train.{}", error.field), error.reason))?;
    config
        .score
        .validate()
        .map_err(|error| fault(&format!("score.{}", error.field), error.reason))?;
    let axes = assignments
        .iter()
        .filter(|assignment| assignment.key != "seed")
        .map(|assignment| (assignment.key.clone(), assignment.value.clone()))
        .collect();
    Ok(TrialPlan {
        axes,
        config: TrialConfig {
            name: name.to_string(),
            seed: config.seed,
            data: config.data,
            model,
            train: config.train,
            score: config.score,
            prequential: config.prequential,
        },
        check: None,
        assignments,
    })
}

/// An error about the first assignment that makes the config invalid.
fn culprit(document: &Document, assignments: &[Assignment], error: toml::de::Error) -> ConfigError {
    let mut table = document.table().clone();
    table.remove("sweep");
    for assignment in assignments {
        // `plan` has already assigned each of them without an error.
        let _ = assign(&mut table, &assignment.key, assignment.value.clone());
        if let Err(error) = typed(&table) {
            let mut out = document.value_error(&assignment.origin, &error);
            out.key = Some(assignment.key.clone());
            return out;
        }
    }
    document.value_error("sweep", &error)
}

fn trial_error(
    document: &Document,
    assignments: &[Assignment],
    key: &str,
    message: impl Into<String>,
) -> ConfigError {
    let origin = assignments
        .iter()
        .find(|assignment| assignment.key == key)
        .map_or(key, |assignment| assignment.origin.as_str());
    let mut error = document.error(origin, message).with_key(key);
    if !assignments.is_empty() {
        let axes: Vec<_> = assignments
            .iter()
            .map(|assignment| format!("{} = {}", assignment.key, assignment.value))
            .collect();
        error.trial = Some(axes.join(", "));
    }
    error
}
