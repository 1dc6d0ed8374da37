//! Errors of reading and writing pictures and sounds.

use std::io;
use std::path::{Path, PathBuf};

/// Shorthand for results of this crate.
pub type Result<T, E = MediaError> = std::result::Result<T, E>;

/// Why a picture or sound could not be read or written. Every message names the
/// file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The operating system refused an operation on a file.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried, as a verb: "read", "write", "rename".
        action: &'static str,
        /// The file, or archive and member.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A picture or sound that is damaged, empty, too large or of an unknown
    /// format.
    #[error("`{path}`: {message}")]
    Decode {
        /// The file, or archive and member.
        path: String,
        /// What is wrong with it.
        message: String,
    },
}

impl MediaError {
    /// Whether the operating system refused an operation; otherwise the content
    /// of the file is at fault.
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Io { .. })
    }

    /// The message without the name of the file.
    pub fn reason(&self) -> String {
        match self {
            Self::Io { source, .. } => source.to_string(),
            Self::Decode { message, .. } => message.clone(),
        }
    }

    /// Adds the action and the path to an I/O error, for `map_err`.
    pub(crate) fn io(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// The error for a file whose content is wrong.
pub(crate) fn bad(name: &str, message: impl Into<String>) -> MediaError {
    MediaError::Decode {
        path: name.into(),
        message: message.into(),
    }
}
