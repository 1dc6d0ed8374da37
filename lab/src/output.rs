//! Why no report could be made.

use std::path::PathBuf;

use brevity_baselines::BaselineError;
use brevity_draw::PageError;
use brevity_length::RowError;
use brevity_stats::critical::CriticalError;

/// Why no report could be made.
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
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the sweep holds something else than it should.
    #[error("cannot read {path}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// A file of the page cannot be written.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A baseline could not be measured.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
}
