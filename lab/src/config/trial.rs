//! One trial of an experiment.

use super::axes::Assignment;
use super::score::ScoreConfig;
use crate::experiments::prequential::config::PrequentialConfig;
use brevity_data::DataConfig;
use brevity_model::Spec;
use brevity_train::TrainConfig;
use serde::{Deserialize, Serialize};
use toml::Value;

/// Everything about one trial, with nothing left to defaults. As TOML it is a
/// config of one trial.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialConfig {
    /// Name of the experiment.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// Which bytes.
    pub data: DataConfig,
    /// What transformer.
    pub model: Spec,
    /// How it learns.
    pub train: TrainConfig,
    /// What is measured.
    pub score: ScoreConfig,
    /// How the bytes are learned while they are priced; without it, the trial
    /// trains a model and scores it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prequential: Option<PrequentialConfig>,
}

/// One trial of an experiment: its config, and the axes that led to it.
#[derive(Clone, Debug)]
pub struct TrialPlan {
    /// The sweep's choices by dotted key, seeds left out.
    pub axes: Vec<(String, Value)>,
    /// The complete config.
    pub config: TrialConfig,
    /// For a trial that is there to check another one: by what it differs.
    pub check: Option<Check>,
    pub(crate) assignments: Vec<Assignment>,
}

/// By what a trial that checks another one differs from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Place of the other trial in [`Experiment::trials`](super::Experiment::trials).
    pub of: usize,
    /// Dotted key of what differs.
    pub key: &'static str,
    /// Its value there.
    pub from: f64,
    /// Its value here.
    pub to: f64,
}
