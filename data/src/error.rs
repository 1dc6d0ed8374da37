//! What can go wrong between a source and its bytes.

use std::io;
use std::path::{Path, PathBuf};

use brevity_media::MediaError;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, DataError>;

/// Why bytes could not be had. Every message names the path, field, set or
/// URL concerned and, where there is one, the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system refused an operation on a file.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried, as a verb: "read", "write", "rename".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// No file, folder or data set goes by this name.
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
    /// A folder to write into that holds something already.
    #[error("`{path}` is there already and not empty; choose a new folder with --out")]
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
    /// A source with no bytes in it.
    #[error("`{source_name}` holds no bytes")]
    Empty {
        /// The source.
        source_name: String,
    },
    /// A pattern or an import that no file answers to.
    #[error("`{pattern}` matches no {what}")]
    NoMatch {
        /// The glob pattern or folder.
        pattern: String,
        /// What was looked for.
        what: String,
    },
    /// A source that has fewer bytes than the config asks for.
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
        /// Bytes there are.
        have: u64,
    },
    /// A field of `[data]` with a value that makes no sense.
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
        /// The registry folders that were looked through.
        looked: Vec<PathBuf>,
    },
    /// Bytes that are not those that were recorded for them.
    #[error("{what}: expected {expected}, got {got}; {remedy}")]
    Mismatch {
        /// The thing that was checked.
        what: String,
        /// Hash or length on record.
        expected: String,
        /// Hash or length found.
        got: String,
        /// What to do about it.
        remedy: String,
    },
    /// A registry or record that does not parse.
    #[error("`{path}` is not valid")]
    Toml {
        /// The file.
        path: PathBuf,
        /// Line, column and reason.
        source: toml::de::Error,
    },
    /// A server that does not give what was asked for.
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
    /// A data set of this name is already there.
    #[error("data set `{name}` exists in `{path}`; pass --force to replace it")]
    Exists {
        /// The name.
        name: String,
        /// Its folder.
        path: PathBuf,
    },
    /// Another process is at work on the same data set.
    #[error("`{path}` is locked: another brevity is fetching or importing this data set")]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
}

impl DataError {
    /// Whether the user's input is at fault (exit status 2) rather than the
    /// work (exit status 1).
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. }
                | Self::Ambiguous { .. }
                | Self::NotEmpty { .. }
                | Self::NotFetched { .. }
                | Self::Empty { .. }
                | Self::NoMatch { .. }
                | Self::TooShort { .. }
                | Self::Config { .. }
                | Self::Exists { .. }
        )
    }

    /// Whether the operating system refused something, rather than that the
    /// bytes are wrong.
    pub(crate) fn is_io(&self) -> bool {
        match self {
            Self::Io { .. } => true,
            Self::Media(error) => error.is_io(),
            _ => false,
        }
    }

    /// Gives an I/O error its action and path, for `map_err`.
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
