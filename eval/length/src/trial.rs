//! What is known of a trial besides its lengths.

use serde::{Deserialize, Serialize};

/// How far a trial is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing was done yet.
    #[default]
    Pending,
    /// Work began and did not end.
    Interrupted,
    /// It has its scores.
    Done,
    /// It failed.
    Failed,
}

impl State {
    /// The name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Interrupted => "interrupted",
            State::Done => "done",
            State::Failed => "failed",
        }
    }
}

/// The bytes a model was trained on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainedOn {
    /// Where they come from.
    pub source: String,
    /// How many there are.
    pub bytes: u64,
    /// BLAKE3 of them, in hexadecimal; empty when not known.
    #[serde(deserialize_with = "text_or_null")]
    pub hash: String,
}

fn text_or_null<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(from).map(Option::unwrap_or_default)
}

/// What a trial that checks the training of another one differs from it by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Id of the other trial.
    pub of: String,
    /// Dotted key of what differs.
    pub key: String,
    /// Its value there.
    pub from: f64,
    /// Its value here.
    pub to: f64,
}

/// What a complete training reports of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Optimiser steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Bytes that went through the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Mean loss over the last tenth of the steps, each before its own update, bits a
    /// byte; of a prequential code that over all bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Seconds that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_seconds: Option<f64>,
}

/// What has to be known to repeat a length, or to distrust it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provenance {
    /// Version of brevity.
    pub version: String,
    /// Commit of the sources it was built from, where that can be told.
    pub git: Option<String>,
    /// Operating system.
    pub os: String,
    /// Kind of processor.
    pub arch: String,
    /// Device that trained.
    pub device: String,
    /// Threads of the trial.
    pub threads: u64,
    /// Where the bytes trained on come from.
    pub data_source: String,
    /// How many they are.
    pub data_bytes: u64,
    /// BLAKE3 of them, in hexadecimal.
    pub data_hash: Option<String>,
    /// Seconds since 1970 when the trial ended.
    pub unix_time: u64,
    /// Seconds that scoring took.
    pub score_seconds: f64,
}
