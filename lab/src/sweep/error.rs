//! Errors that stop a whole sweep; those of a single trial are not here.

use crate::config::ConfigError;
use brevity_files::FolderError;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// Why a scheduler did not answer.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// Its program is not there.
    #[error("there is no `{program}` on the PATH: {help}")]
    Absent {
        /// The program.
        program: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// Its program cannot be started.
    #[error("cannot start `{program}`")]
    Start {
        /// The program.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It refused, or could not be reached.
    #[error("`{command}` failed: {message}")]
    Refused {
        /// What was run.
        command: String,
        /// What it said.
        message: String,
    },
    /// It said something unexpected.
    #[error("`{command}` said `{said}`, which names no job")]
    Unexpected {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },
}

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
    /// As [`Damaged`](SweepError::Damaged), told to who reads the file and makes none.
    #[error(
        "{} is damaged: its hash is not the recorded one; to make it again, delete it and pass \
         --resume to the sweep or training that made it",
        path.display()
    )]
    Unusable {
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
    /// Locks of the file system hold nobody back.
    #[error(
        "locks do nothing in {}: its file system grants every lock, so processes that share \
         the folder would do trials twice; mount it with locks (NFS from version 4, Lustre \
         with `flock`), or give each shard a folder of its own with --out and join them after",
        path.display()
    )]
    NoLocks {
        /// The folder.
        path: PathBuf,
    },
    /// Two processes hold the lock of one trial.
    #[error(
        "two processes work on the trial in {}, the other is {place}: locks do nothing between \
         machines on this file system; nothing of this process was kept",
        path.display()
    )]
    Twin {
        /// The trial's folder.
        path: PathBuf,
        /// The other process.
        place: String,
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
    /// Nothing failed, but others work on trials that are not done.
    #[error(
        "{} trial{} not done, others work on {}:\n{}\n\
         run the same command again when they have ended",
        running.len(),
        plural(running.len(), " is", "s are"),
        plural(running.len(), "it", "them"),
        list(running)
    )]
    Elsewhere {
        /// The trials: id, and who works on it.
        running: Vec<(String, String)>,
    },
    /// Trials are missing.
    #[error("{left} of {trials} trials are not done: {states}")]
    Incomplete {
        /// Trials that are not done.
        left: usize,
        /// How many trials there are.
        trials: usize,
        /// How many are in which state.
        states: String,
    },
    /// A scheduler is not there, does not answer, or refuses.
    #[error(transparent)]
    Scheduler(#[from] SchedulerError),
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

    /// The exit status of the command: 1 the work failed, 2 wrong usage or config, 75
    /// others work on what is left (`EX_TEMPFAIL` of sysexits: try again later), 130
    /// stopped on request (as in shells for SIGINT).
    pub fn exit_status(&self) -> u8 {
        use SweepError::*;
        match self {
            Scheduler(SchedulerError::Absent { .. }) => 2,
            Scheduler(_) => 1,
            Config(_) | Locked { .. } | Drift { .. } | Interrupted { .. } | Usage(_) => 2,
            Io { .. } | Corrupt { .. } | Damaged { .. } | Storage { .. } | Failed { .. } => 1,
            NoLocks { .. } | Twin { .. } | Incomplete { .. } | Unusable { .. } => 1,
            Elsewhere { .. } => 75,
            Stopped { .. } => 130,
        }
    }
}

fn list(trials: &[(String, String)]) -> String {
    let lines = trials
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
        io::ErrorKind::Unsupported => {
            " (this file system has no locks: put the folder on one that has, with --out)"
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
