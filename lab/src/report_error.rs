//! Errors of making a report.

use std::path::PathBuf;

use brevity_baselines::BaselineError;
use brevity_draw::PageError;
use brevity_length::RowError;
use brevity_stats::critical::CriticalError;

/// Errors of making a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] RowError),
    /// The rows hold impossible values.
    #[error(transparent)]
    Points(#[from] CriticalError),
    /// A file of the report cannot be read or written.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file of the sweep has invalid content.
    #[error("cannot read {path}")]
    Json {
        /// The file.
        path: PathBuf,
        /// The position in the file, and the error.
        source: serde_json::Error,
    },
    /// The classical coders' results have invalid content.
    #[error("{path} holds no results of coders", path = path.display())]
    Baselines {
        /// The file.
        path: PathBuf,
        /// The position in the file, and the error.
        source: serde_json::Error,
    },
    /// A file of the page cannot be written.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A baseline could not be measured.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
}
