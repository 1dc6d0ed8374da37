//! The fields of a trial besides its lengths.

use serde::{Deserialize, Serialize};

/// The state of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Not started.
    #[default]
    Pending,
    /// Started and not finished; nobody works on it.
    Interrupted,
    /// A process works on it.
    Running,
    /// Scored.
    Done,
    /// Failed.
    Failed,
}

impl State {
    /// The name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Interrupted => "interrupted",
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
        }
    }
}

/// The bytes a model was trained on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainedOn {
    /// Source of the bytes.
    pub source: String,
    /// Number of bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes in hexadecimal; empty if unknown.
    #[serde(deserialize_with = "text_or_null")]
    pub hash: String,
}

fn text_or_null<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(from).map(Option::unwrap_or_default)
}

/// How a trial of `sweep.checks` differs from the trial it checks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Id of the checked trial.
    pub of: String,
    /// Dotted key that differs.
    pub key: String,
    /// Its value in the checked trial.
    pub from: f64,
    /// Its value in this trial.
    pub to: f64,
}

/// The training report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Optimizer steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Bytes trained on, with repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Mean loss over the last tenth of the steps, each before its own update, in bits
    /// per byte; for a prequential code that over all bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Duration in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_seconds: Option<f64>,
}

/// The information needed to repeat a length, or to judge it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provenance {
    /// Version of brevity.
    pub version: String,
    /// Commit that it was built from, if known.
    pub git: Option<String>,
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// Training device.
    pub device: String,
    /// Threads of the trial.
    pub threads: u64,
    /// Name of the machine, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its processor, as the system names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
    /// Id of the scheduler's job, such as `17_3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The most bytes of memory that the process held while it ran the trial, if no
    /// other trial ran in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// Source of the training bytes.
    pub data_source: String,
    /// Number of training bytes.
    pub data_bytes: u64,
    /// BLAKE3 of the training bytes in hexadecimal.
    pub data_hash: Option<String>,
    /// Unix time at which the trial ended, in seconds.
    pub unix_time: u64,
    /// Duration of scoring in seconds.
    pub score_seconds: f64,
}
