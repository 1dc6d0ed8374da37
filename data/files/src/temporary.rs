//! Temporary files: their locks, and the removal of those of dead processes.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::NamedTempFile;

const PREFIX: &str = ".brevity-";
const SUFFIX: &str = ".tmp";

/// The permissions of a file, from its creation on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// As for an ordinary file, by the umask.
    Ordinary,
    /// For the owner only.
    Owner,
}

/// A file with a random temporary name, removed unless it is
/// [published](crate::publish): when dropped, by [`remove_unfinished`], or, if the
/// process was killed, by the next process that writes in the folder.
///
/// An advisory lock on the file marks its process as alive.
#[derive(Debug)]
pub struct Temporary {
    pub(crate) file: NamedTempFile,
    _listed: Listed,
}

impl Temporary {
    /// Creates a file in `folder`. The temporary name is short even if the final name is
    /// long.
    ///
    /// # Errors
    /// If the folder is missing or not writable.
    pub fn new(folder: &Path, readers: Readers) -> io::Result<Temporary> {
        sweep_once(folder);
        loop {
            let (file, listed) = Listed::create(folder, readers)?;
            // Between creation and lock, another process may have removed the file as a
            // leftover.
            let ours = match file.as_file().try_lock() {
                Err(TryLockError::WouldBlock) => false,
                // Some file systems have no locks; no leftovers are removed there.
                Ok(()) | Err(TryLockError::Error(_)) => file.path().exists(),
            };
            if ours {
                return Ok(Temporary {
                    file,
                    _listed: listed,
                });
            }
        }
    }

    /// The temporary path.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The open file.
    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }
}

// Writes through the file itself, because the errors of `NamedTempFile` contain the
// temporary name.
impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

impl Read for Temporary {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.as_file_mut().read(bytes)
    }
}

impl Seek for Temporary {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.as_file_mut().seek(to)
    }
}

fn create(folder: &Path, readers: Readers) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(
        match readers {
            Readers::Ordinary => 0o666,
            Readers::Owner => 0o600,
        },
    ));
    builder.tempfile_in(folder).map_err(bare)
}

/// The error of the operating system without the temporary name, which does not help a
/// user: `tempfile` appends it to the words, and hides the error's number.
fn bare(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((message, _)) => io::Error::new(error.kind(), message),
        None => error,
    }
}

/// The temporary files of this process.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Folders from which leftovers have been removed.
static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// No code panics while it holds one of the locks.
fn locked(set: &Mutex<BTreeSet<PathBuf>>) -> MutexGuard<'_, BTreeSet<PathBuf>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An entry of [`UNFINISHED`].
#[derive(Debug)]
struct Listed(PathBuf);

impl Listed {
    /// Creates a file. No signal comes between that and its entry, since whoever removes
    /// the files waits for the lock.
    fn create(folder: &Path, readers: Readers) -> io::Result<(NamedTempFile, Listed)> {
        let mut unfinished = locked(&UNFINISHED);
        let file = create(folder, readers)?;
        // The working directory may change.
        let path = std::path::absolute(file.path()).unwrap_or_else(|_| file.path().to_owned());
        unfinished.insert(path.clone());
        Ok((file, Listed(path)))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        locked(&UNFINISHED).remove(&self.0);
    }
}

/// Removes the temporary files of this process. Call it before a process ends without
/// unwinding, as on a signal.
pub fn remove_unfinished() {
    for path in locked(&UNFINISHED).iter() {
        // A file that cannot be removed is left to the next process.
        let _ = fs::remove_file(path);
    }
}

/// Removes the temporary files of dead processes from a folder, on this process's first
/// write there.
fn sweep_once(folder: &Path) {
    let Ok(path) = folder.canonicalize() else {
        return;
    };
    if locked(&SWEPT).insert(path.clone()) {
        sweep(&path);
    }
}

/// Removes the temporary files in a folder that no process has locked. Files whose lock
/// cannot be tested, or that cannot be removed, are left.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) {
            continue;
        }
        let path = entry.path();
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn errors_do_not_name_the_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = Temporary::new(&folder.path().join("none"), Readers::Ordinary).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.to_string().contains(PREFIX), "{error}");
    }

    #[test]
    fn what_a_dead_process_left_is_swept_and_what_lives_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".brevity-dead00.tmp"), b"half").unwrap();
        fs::write(folder.path().join(".brevity-other"), b"not ours").unwrap();
        let living = Temporary::new(folder.path(), Readers::Ordinary).unwrap();
        assert_eq!(count(folder.path()), 2);
        sweep(folder.path());
        assert!(living.path().exists());
        drop(living);
        assert_eq!(count(folder.path()), 1);
    }

    #[test]
    fn unfinished_files_are_removed_on_request() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = Temporary::new(folder.path(), Readers::Owner).unwrap();
        let path = std::path::absolute(unfinished.path()).unwrap();
        assert!(locked(&UNFINISHED).contains(&path));
        drop(unfinished);
        assert!(!locked(&UNFINISHED).contains(&path));
    }
}
