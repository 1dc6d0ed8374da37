//! Files of results: how they are written, and why they could not be.

use std::path::{Path, PathBuf};

use brevity_data::durable;

use crate::{baselines::BaselineError, critical::CriticalError, rows::RowError};

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
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the sweep holds something else than it should.
    #[error("{path}: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// A baseline could not be measured.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
}

/// Writes to a temporary name in the same folder, syncs, renames.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    durable::write(path, content).map_err(|source| ReportError::File {
        path: path.to_owned(),
        source,
    })
}
