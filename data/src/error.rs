//! Errors of finding, fetching and reading data.

use std::io;
use std::path::{Path, PathBuf};

use brevity_media::MediaError;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, DataError>;

/// Why data could not be read. Every message names the path, field, set or URL and, if
/// possible, the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// An operation on a file failed.
    #[error("cannot {action} `{path}`")]
    Io {
        /// The operation, as a verb: "read", "write", "rename".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// No file, folder or data set has this name.
    #[error("data.source: no file, folder or data set `{source_name}`{}", did_you_mean(.nearest))]
    NotFound {
        /// What the user wrote.
        source_name: String,
        /// The nearest known data set.
        nearest: Option<String>,
    },
    /// A name that is both that of a path and of a data set.
    #[error(
        "`{name}` is both a path and a data set: write `./{name}` for the path, `set:{name}` for the set"
    )]
    Ambiguous {
        /// The name.
        name: String,
    },
    /// The folder to write into is not empty.
    #[error("`{path}` exists and is not empty; choose a new folder with --out")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A set of the registry that is not on this machine.
    #[error("data set `{name}` has not been fetched: run `brevity data fetch {name}`")]
    NotFetched {
        /// Its name in the registry.
        name: String,
    },
    /// No data set has this name.
    #[error("no data set `{name}`{}", did_you_mean(.nearest))]
    NoSet {
        /// What the user wrote.
        name: String,
        /// The nearest known data set.
        nearest: Option<String>,
    },
    /// A set that is made anew whenever it is used.
    #[error("data set `{name}` is made when it is used: it has no items to export")]
    NoItems {
        /// Its name.
        name: String,
    },
    /// An empty source.
    #[error("`{source_name}` holds no bytes")]
    Empty {
        /// The source.
        source_name: String,
    },
    /// A pattern or an import that matches no file.
    #[error("`{pattern}` matches no {what}")]
    NoMatch {
        /// The glob pattern or folder.
        pattern: String,
        /// What was looked for.
        what: String,
    },
    /// A source with fewer bytes than the config asks for.
    #[error(
        "{field}: `{source_name}` has {have} bytes, {need} are needed; ask for fewer or use a larger source"
    )]
    TooShort {
        /// The config field that asks for them.
        field: &'static str,
        /// The source.
        source_name: String,
        /// Bytes needed.
        need: u64,
        /// Bytes available.
        have: u64,
    },
    /// A field of `[data]` with an invalid value.
    #[error("{field}: {message}")]
    Config {
        /// The field.
        field: &'static str,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// A crate of the `crates` set is not in cargo's registry folder.
    #[error(
        "data set `crates`: no folder `{package}` under {}; run `cargo fetch` in the project's folder",
        paths(.looked)
    )]
    CrateMissing {
        /// Name and version.
        package: String,
        /// The registry folders searched.
        looked: Vec<PathBuf>,
    },
    /// Bytes that differ from their recorded hash or length.
    #[error("{what}: expected {expected}, got {got}; {remedy}")]
    Mismatch {
        /// The item that was checked.
        what: String,
        /// Recorded hash or length.
        expected: String,
        /// Actual hash or length.
        got: String,
        /// What to do about it.
        remedy: String,
    },
    /// A file that is not as long as it was, or was written to meanwhile.
    #[error("`{path}` changes while it is read")]
    Changes {
        /// The file.
        path: PathBuf,
    },
    /// A registry or record that does not parse.
    #[error("`{path}` is not valid")]
    Toml {
        /// The file.
        path: PathBuf,
        /// Line, column and reason.
        source: toml::de::Error,
    },
    /// A download that failed.
    #[error("{url}: {message}")]
    Http {
        /// The address.
        url: String,
        /// What happened.
        message: String,
    },
    /// A picture or sound that cannot be decoded.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// An archive that cannot be unpacked.
    #[error("`{path}`: {message}")]
    Decode {
        /// The archive.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// A data set of this name exists.
    #[error("data set `{name}` exists in `{path}`; pass --force to replace it")]
    Exists {
        /// The name.
        name: String,
        /// Its folder.
        path: PathBuf,
    },
    /// Another process is writing the same data set.
    #[error("`{path}` is locked: another brevity is fetching or importing this data set")]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
}

impl DataError {
    /// Whether the error is in the user's input (exit status 2) rather than the work
    /// (exit status 1).
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. }
                | Self::Ambiguous { .. }
                | Self::NotEmpty { .. }
                | Self::NotFetched { .. }
                | Self::NoSet { .. }
                | Self::NoItems { .. }
                | Self::Empty { .. }
                | Self::NoMatch { .. }
                | Self::TooShort { .. }
                | Self::Config { .. }
                | Self::Exists { .. }
        )
    }

    /// Whether the operating system refused an operation; otherwise the bytes are at
    /// fault.
    pub(crate) fn is_io(&self) -> bool {
        match self {
            Self::Io { .. } => true,
            Self::Media(error) => error.is_io(),
            _ => false,
        }
    }

    /// Adds action and path to an I/O error, for `map_err`.
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

/// The error for a file that changes while it is read.
pub(crate) fn changes(path: &Path) -> DataError {
    DataError::Changes {
        path: path.to_owned(),
    }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`? (`brevity data list` shows all sets)"),
        None => "; `brevity data list` shows the data sets there are".to_owned(),
    }
}

fn paths(looked: &[PathBuf]) -> String {
    let quoted: Vec<_> = looked
        .iter()
        .map(|p| format!("`{}`", p.display()))
        .collect();
    quoted.join(", ")
}
