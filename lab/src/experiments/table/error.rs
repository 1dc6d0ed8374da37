//! Errors of `brevity table`.

use std::error::Error;
use std::path::PathBuf;

use crate::sweep::SweepError;
use brevity_baselines::BaselineError;
use brevity_data::DataError;
use brevity_files::FolderError;
use brevity_task::chain;

/// Why a table could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// The config is not TOML, lacks a key or has an unknown one.
    #[error("{path}", path = path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Line, column and reason.
        source: Box<toml::de::Error>,
    },
    /// A key has an invalid value.
    #[error("{path}: {key}: {message}", path = path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key; list entries are counted from 0.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// The bytes of a set cannot be read.
    #[error("{}", of_set(key, cause))]
    Data {
        /// The set's key; list entries are counted from 0.
        key: String,
        /// Why.
        cause: Box<DataError>,
    },
    /// What a key names cannot be used.
    #[error("{key}")]
    Named {
        /// The key; list entries are counted from 0.
        key: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A coder failed.
    #[error("set `{set}`")]
    Coder {
        /// Name of the set.
        set: String,
        /// Why.
        source: Box<BaselineError>,
    },
    /// A model cannot be trained or measured.
    #[error("model `{row}`")]
    Train {
        /// Name of its row.
        row: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {path}", path = path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file of a former table cannot be removed.
    #[error(transparent)]
    Stale(#[from] brevity_draw::PageError),
    /// The folder of models and cells cannot be locked.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Other processes train models that are not done.
    #[error("others train {}: run the same command again when they have ended", models.join(", "))]
    Elsewhere {
        /// Names of the models.
        models: Vec<String>,
    },
    /// Tasks for a scheduler cannot be made.
    #[error(transparent)]
    Tasks(#[from] SweepError),
    /// Stopped on request.
    #[error("stopped; the same command continues where it was")]
    Stopped,
}

/// The field of a set that is at fault. What data are read by has the fields of a set, and
/// calls them those of `data`.
fn of_set(key: &str, cause: &DataError) -> String {
    let message = chain(cause).to_string();
    match message.strip_prefix("data.") {
        Some(field) => format!("{key}.{field}"),
        None => format!("{key}.source: {message}"),
    }
}
