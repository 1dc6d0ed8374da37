//! Experiment configs in TOML: the keys, their checks, their expansion into trials.
//!
//! A config has up to eight parts: `name`, the results folder; `[data]`, the bytes;
//! `[model]`, the transformer; `[train]`, the training options; `[score]`, what is
//! measured; `[prequential]`, the prequential code; `[sweep]`, the values that differ
//! between trials; and `[contamination]`, the leaks to test in place of a sweep.
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
//! [`Experiment::read`] checks everything that does not need the data: unknown keys,
//! types, ranges, fields that contradict each other. An error ([`ConfigError`]) gives
//! the position in the file and the nearest valid name. The result is a list of
//! [`TrialConfig`]s in which every default is filled in.
//!
//! Not here: reading the bytes (the `data` crate), training, running trials
//! ([`crate::sweep`]).

pub(crate) mod axes;
mod checks;
pub(crate) mod document;
mod error;
pub(crate) mod experiment;
mod model;
mod score;
mod trial;

pub use axes::{SweepConfig, SweepPlan};
pub use error::{ConfigError, Fault, Place};
pub use experiment::{Experiment, ExperimentConfig};
pub use model::{ModelConfig, Preset};
pub use score::{ScoreCode, ScoreConfig, ScoreConfigError};
pub use trial::{Check, TrialConfig, TrialPlan};
