//! Experiments as TOML: what a config may say, and what it comes to.
//!
//! An experiment has up to eight parts. `[data]` says which bytes, `[model]` what
//! transformer, `[train]` how it learns, `[score]` what is measured,
//! `[prequential]` how bytes are learned while they are priced, `[sweep]` which
//! of these values differ between trials, `[contamination]` which leaks are tried
//! instead; `name` says where results go.
//!
//! ```toml
//! name = "sizes"
//!
//! [data]
//! source = "crates"
//! bytes = 500_000
//!
//! [model]
//! preset = "brevity"
//!
//! [sweep]
//! seeds = [0, 1]
//!
//! [sweep.grid]
//! model.width = [16, 24, 32]
//! ```
//!
//! [`Experiment::read`] checks everything that can be checked without the data:
//! unknown keys, types, ranges, fields that contradict each other. What it
//! refuses, it refuses with the place in the file and the nearest valid name
//! ([`ConfigError`]). The result is a list of [`TrialConfig`]s in which nothing
//! is left to defaults.
//!
//! What does not live here: reading the bytes (the `data` crate), training, and
//! running trials ([`crate::sweep`]).

pub(crate) mod axes;
mod checks;
pub(crate) mod document;
mod error;
pub(crate) mod experiment;
mod model;
mod score;
mod trial;

pub use axes::SweepConfig;
pub use error::{ConfigError, Fault, Place};
pub use experiment::{Experiment, ExperimentConfig};
pub use model::{ModelConfig, Preset};
pub use score::{ScoreConfig, ScoreConfigError};
pub use trial::{Check, TrialConfig, TrialPlan};
