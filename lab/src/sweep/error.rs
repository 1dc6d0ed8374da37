//! Errors that stop a whole sweep; those of a single trial are not here.

use crate::config::ConfigError;
use brevity_files::FolderError;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// Why a sweep did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The config cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An operation of the file system failed.
    #[error("cannot {action} {}{}", path.display(), advice(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file of the sweep has invalid content.
    #[error("{} is damaged: {message}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A file of a trial differs from its recorded hash.
    #[error(
        "{} is damaged: its hash is not the recorded one; pass --resume to make it again",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Another process is using the folder.
    #[error(
        "another sweep is running in {}{holder}; wait for it, or give this one another folder",
        path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
        /// The process that holds the lock, if known.
        holder: String,
    },
    /// The folder belongs to another config.
    #[error(
        "{} was made by another config; these keys differ:\n  {}\n\
         restore them, or give this sweep another name or folder",
        path.display(),
        differences.join("\n  ")
    )]
    Drift {
        /// The manifest.
        path: PathBuf,
        /// The keys that differ, old and new value.
        differences: Vec<String>,
    },
    /// There are interrupted trials, and `--resume` was not given.
    #[error(
        "{count} trial{} in {} {} interrupted; pass --resume to continue where {} stopped",
        plural(*count, "", "s"),
        path.display(),
        plural(*count, "was", "were"),
        plural(*count, "it", "they")
    )]
    Interrupted {
        /// How many trials.
        count: usize,
        /// The sweep's folder.
        path: PathBuf,
    },
    /// A trial met a full disk or a read-only or forbidden folder. The next trial would
    /// too, so the sweep stopped; the trial is not marked as failed.
    #[error(
        "the sweep stopped in trial {id}: {message}\n\
         what was done is kept; make room and pass --resume"
    )]
    Storage {
        /// The trial's id.
        id: String,
        /// The error with its causes.
        message: String,
    },
    /// Some trials failed; all others are done.
    #[error(
        "{} of {trials} trials failed:\n{}\npass --retry-failed to try them again",
        failed.len(),
        list(failed)
    )]
    Failed {
        /// How many trials there are.
        trials: usize,
        /// The failed ones: id and message.
        failed: Vec<(String, String)>,
    },
    /// The sweep stopped on request.
    #[error("stopped; {left} trial{} left, pass --resume to continue", plural(*left, " is", "s are"))]
    Stopped {
        /// Trials that are not done.
        left: usize,
    },
    /// The options contradict each other or the sweep.
    #[error("{0}")]
    Usage(String),
}

impl From<FolderError> for SweepError {
    fn from(error: FolderError) -> SweepError {
        match error {
            FolderError::Busy { path, holder } => SweepError::Locked {
                path,
                holder: holder.map_or_else(String::new, |id| format!(" (process {id})")),
            },
            FolderError::Io {
                action,
                path,
                source,
            } => SweepError::io(action, &path, source),
        }
    }
}

impl SweepError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> SweepError {
        SweepError::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }

    /// The exit status of the command: 1 the work failed, 2 wrong usage or config, 130
    /// stopped on request (as in shells for SIGINT).
    pub fn exit_status(&self) -> u8 {
        use SweepError::*;
        match self {
            Config(_) | Locked { .. } | Drift { .. } | Interrupted { .. } | Usage(_) => 2,
            Io { .. } | Corrupt { .. } | Damaged { .. } | Storage { .. } | Failed { .. } => 1,
            Stopped { .. } => 130,
        }
    }
}

fn list(failed: &[(String, String)]) -> String {
    let lines = failed
        .iter()
        .map(|(id, message)| format!("  {id}  {message}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " (what was done is kept: make room and pass --resume)"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            " (choose a folder that can be written with --out)"
        }
        _ => "",
    }
}

fn plural(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// Whether an error means that nothing can be written here.
pub(super) fn is_storage(error: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::*;
    let mut next = Some(error);
    while let Some(error) = next {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if let Some(StorageFull | QuotaExceeded | ReadOnlyFilesystem | PermissionDenied) = kind {
            return true;
        }
        next = error.source();
    }
    false
}
