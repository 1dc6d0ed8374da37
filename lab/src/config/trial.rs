//! One trial of an experiment.

use super::axes::Assignment;
use super::score::ScoreConfig;
use crate::experiments::prequential::config::PrequentialConfig;
use brevity_data::DataConfig;
use brevity_model::Spec;
use brevity_train::TrainConfig;
use serde::{Deserialize, Serialize};
use toml::Value;

/// The complete config of one trial, with every default filled in. As TOML it is a
/// config file with one trial.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialConfig {
    /// Name of the experiment.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// The training and held-out bytes.
    pub data: DataConfig,
    /// The transformer.
    pub model: Spec,
    /// The training options.
    pub train: TrainConfig,
    /// What is measured of the trained model.
    pub score: ScoreConfig,
    /// The prequential code; if absent, the trial trains a model and scores it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prequential: Option<PrequentialConfig>,
}

/// One trial of an experiment: its config, and the axis values that produced it.
#[derive(Clone, Debug)]
pub struct TrialPlan {
    /// Axis values by dotted key, without the seed.
    pub axes: Vec<(String, Value)>,
    /// The complete config.
    pub config: TrialConfig,
    /// For a trial of `sweep.checks`: how it differs from the trial it checks.
    pub check: Option<Check>,
    pub(crate) assignments: Vec<Assignment>,
}

/// How a trial of `sweep.checks` differs from the trial it checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Index of the checked trial in [`Experiment::trials`](super::Experiment::trials).
    pub of: usize,
    /// Dotted key that differs.
    pub key: &'static str,
    /// Its value in the checked trial.
    pub from: f64,
    /// Its value in this trial.
    pub to: f64,
}
