//! Folders that one process works in at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The file that is locked.
const LOCK: &str = "lock";

/// A folder that this process has, alone or together with others that share it. The
/// operating system's advisory lock takes it back from a process that dies, so a folder
/// that was left behind can be taken again at once.
#[derive(Debug)]
pub struct OwnedFolder {
    path: PathBuf,
    // Held for the lock on it.
    _file: File,
}

/// Why a folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it.
    #[error("another process{} works in {}", holder.map_or_else(String::new, |id| format!(" ({id})")), path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
        /// Number of that process, where it said so.
        holder: Option<u32>,
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
}

impl OwnedFolder {
    /// Takes a folder for this process alone, making it.
    ///
    /// # Errors
    /// Another process that has it, alone or shared; what the file system refuses.
    pub fn take(path: impl Into<PathBuf>) -> Result<OwnedFolder, FolderError> {
        let mut folder = OwnedFolder::lock(path.into(), false)?;
        // For the message of whoever is refused; not worth failing over.
        let _ = folder._file.set_len(0);
        let _ = folder
            ._file
            .write_all(std::process::id().to_string().as_bytes());
        Ok(folder)
    }

    /// Takes a folder together with other processes that share it, making it.
    ///
    /// # Errors
    /// A process that has it alone; what the file system refuses.
    pub fn share(path: impl Into<PathBuf>) -> Result<OwnedFolder, FolderError> {
        OwnedFolder::lock(path.into(), true)
    }

    /// Whether a folder was made to be owned: it has, or had, an owner.
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
        let shared = [OwnedFolder::share(&path), OwnedFolder::share(&path)];
        assert!(shared.iter().all(Result::is_ok));
        assert!(OwnedFolder::take(&path).is_err());
        drop(shared);
        assert!(OwnedFolder::was_owned(&path));
        OwnedFolder::take(&path).unwrap();
    }
}
