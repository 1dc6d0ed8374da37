//! Experiments: their configs, their sweeps, their results.
//!
//! - [`config`] reads an experiment's TOML; [`sweep`] expands it into trials and runs
//!   them in a folder that survives interruption;
//! - [`experiments`]: each with its trials, reading, findings and page;
//! - [`pack`] trains a model for one file, to be stored in its archive;
//! - [`generate`] samples continuations from models and from classical coders;
//! - [`maps`] draws the cost of each byte under a model;
//! - [`text`] prints findings for a terminal.

// The types of a GPU backend nest deeply.
#![recursion_limit = "256"]

pub mod config;
pub mod experiments;
pub mod generate;
mod learned_length;
pub mod maps;
pub mod pack;
mod report_error;
pub mod sweep;
pub mod text;

pub use learned_length::learned_length;
pub use report_error::ReportError;
