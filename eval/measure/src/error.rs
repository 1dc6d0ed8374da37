//! Errors of measuring lengths.

use brevity_codec::{ScoreError, archive};
use std::io;
use std::path::PathBuf;

/// Why a length could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The output of the model is not finite.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// The online learner cannot be made.
    #[error(transparent)]
    Learner(Box<dyn std::error::Error + Send + Sync>),
    /// The archive cannot be written.
    #[error("cannot write an archive in {}", folder.display())]
    Compress {
        /// Its folder.
        folder: PathBuf,
        /// Why.
        source: archive::Error,
    },
    /// An operation of the file system failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive cannot be decoded.
    #[error("the archive of these bytes does not decode: {message}")]
    Decode {
        /// The decoder's error.
        message: String,
    },
    /// The archive decodes to other bytes.
    #[error(
        "the archive decodes to other bytes than it was made of: \
         {decoded} bytes with hash {found} instead of {bytes} bytes with hash {expected}"
    )]
    Differs {
        /// Number of decoded bytes.
        decoded: u64,
        /// Their hash.
        found: blake3::Hash,
        /// Number of original bytes.
        bytes: u64,
        /// Their hash.
        expected: blake3::Hash,
    },
    /// Stopped on request.
    #[error("stopped")]
    Stopped,
}
