//! Folder locks, exclusive or shared.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Name of the locked file.
const LOCK: &str = "lock";

/// A folder that this process has locked, exclusively or shared. The lock is an advisory
/// lock of the operating system, which releases it when the process ends for any reason.
#[derive(Debug)]
pub struct OwnedFolder {
    path: PathBuf,
    // Keeps the lock.
    _file: File,
}

/// Why a folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process holds the lock.
    #[error("another process{} works in {}", holder.map_or_else(String::new, |id| format!(" ({id})")), path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
        /// Id of that process, if recorded.
        holder: Option<u32>,
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
}

impl OwnedFolder {
    /// Locks a folder exclusively, creating it.
    ///
    /// # Errors
    /// Another process that holds any lock; errors of the file system.
    pub fn take(path: impl Into<PathBuf>) -> Result<OwnedFolder, FolderError> {
        let mut folder = OwnedFolder::lock(path.into(), false)?;
        // Only for the error message of another process; not worth failing over.
        let _ = folder._file.set_len(0);
        let _ = folder
            ._file
            .write_all(std::process::id().to_string().as_bytes());
        Ok(folder)
    }

    /// Locks a folder shared with other processes, creating it.
    ///
    /// # Errors
    /// A process that holds an exclusive lock; errors of the file system.
    pub fn share(path: impl Into<PathBuf>) -> Result<OwnedFolder, FolderError> {
        OwnedFolder::lock(path.into(), true)
    }

    /// Whether a process holds a lock of the folder now.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn is_owned(path: &Path) -> Result<bool, FolderError> {
        let lock = path.join(LOCK);
        let io = |action| {
            let path = lock.clone();
            move |source| FolderError::Io {
                action,
                path,
                source,
            }
        };
        // Not created here: a look leaves no trace.
        let file = match OpenOptions::new().read(true).open(&lock) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(io("open")(e)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(e)) => Err(io("lock")(e)),
        }
    }

    /// Whether the lock keeps others out. Some file systems grant every lock; it is
    /// tried on this folder. (A lock that is kept on one machine and not told to the
    /// others cannot be found out this way.)
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn holds(&self) -> Result<bool, FolderError> {
        let lock = self.path.join(LOCK);
        let again = OpenOptions::new().read(true).write(true).open(&lock);
        let again = again.map_err(|source| FolderError::Io {
            action: "open",
            path: lock,
            source,
        })?;
        Ok(matches!(again.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Whether a folder is, or was, locked with this type.
    pub fn was_owned(path: &Path) -> bool {
        path.join(LOCK).exists()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock(path: PathBuf, shared: bool) -> Result<OwnedFolder, FolderError> {
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| FolderError::Io {
                action,
                path,
                source,
            }
        };
        fs::create_dir_all(&path).map_err(io("create", &path))?;
        let lock = path.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&lock)
            .map_err(io("open", &lock))?;
        let taken = match shared {
            true => file.try_lock_shared(),
            false => file.try_lock(),
        };
        match taken {
            Ok(()) => Ok(OwnedFolder { path, _file: file }),
            Err(TryLockError::WouldBlock) => Err(FolderError::Busy {
                holder: holder(&file),
                path,
            }),
            Err(TryLockError::Error(source)) => Err(io("lock", &lock)(source)),
        }
    }
}

fn holder(mut file: &File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_at_a_time_and_sharers_together() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("run");
        assert!(!OwnedFolder::was_owned(&path));
        let first = OwnedFolder::take(&path).unwrap();
        let error = OwnedFolder::take(&path).unwrap_err().to_string();
        let id = std::process::id().to_string();
        assert!(error.contains(&id) && error.contains("run"), "{error}");
        assert!(OwnedFolder::share(&path).is_err());
        drop(first);
        assert!(!OwnedFolder::is_owned(&path).unwrap());
        let shared = [OwnedFolder::share(&path), OwnedFolder::share(&path)];
        assert!(shared[0].as_ref().unwrap().holds().unwrap());
        assert!(shared.iter().all(Result::is_ok));
        assert!(OwnedFolder::take(&path).is_err());
        drop(shared);
        assert!(OwnedFolder::was_owned(&path));
        let last = OwnedFolder::take(&path).unwrap();
        assert!(last.holds().unwrap() && OwnedFolder::is_owned(&path).unwrap());
    }
}
