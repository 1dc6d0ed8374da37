//! What can go wrong while lengths are measured.

use brevity_codec::{ScoreError, archive};
use std::io;
use std::path::PathBuf;

/// Why there is no length.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The model yields something that is no number.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// The model that is to learn cannot be made.
    #[error(transparent)]
    Learner(Box<dyn std::error::Error + Send + Sync>),
    /// The archive cannot be made.
    #[error("cannot write an archive in {}", folder.display())]
    Compress {
        /// Where it was to be.
        folder: PathBuf,
        /// Why.
        source: archive::Error,
    },
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive does not decode.
    #[error("the archive of these bytes does not decode: {message}")]
    Decode {
        /// What the decoder says.
        message: String,
    },
    /// The archive decodes to something else.
    #[error(
        "the archive decodes to other bytes than it was made of: \
         {decoded} bytes with hash {found} instead of {bytes} bytes with hash {expected}"
    )]
    Differs {
        /// Bytes that came out.
        decoded: u64,
        /// Their hash.
        found: blake3::Hash,
        /// Bytes that went in.
        bytes: u64,
        /// Their hash.
        expected: blake3::Hash,
    },
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
}
