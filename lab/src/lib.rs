//! What runs: configs, sweeps, and the experiments.
//!
//! - [`config`] reads an experiment's TOML; [`sweep`] expands it into trials and runs
//!   them in a folder that can be resumed;
//! - [`experiments`]: each with its trials, what is read from its results, what is
//!   found, and its page;
//! - [`pack`] trains a model for one file, to be stored beside it;
//! - [`generate`]: continuations sampled from models and from classical coders;
//! - [`maps`]: pictures of where the bits go, byte by byte;
//! - [`text`]: findings as text for a terminal.

// The types of a GPU backend nest deeply.
#![recursion_limit = "256"]

pub mod config;
pub mod experiments;
pub mod generate;
mod learned;
pub mod maps;
mod output;
pub mod pack;
pub mod sweep;
pub mod text;

pub use learned::learned_length;
pub use output::ReportError;
