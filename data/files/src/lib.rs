//! Files that are whole or not there, and folders that one process works in.
//!
//! - [`write()`] and [`write_new()`]: a file appears under its name when all of its bytes
//!   are on the disk. One that is too long for memory is written to a [`Temporary`] in the
//!   same folder and then given its name by [`publish()`] or [`publish_new()`]. No end of
//!   a process leaves half a file under the name, and none leaves a temporary file for
//!   long: see [`Temporary`].
//! - [`OwnedFolder`]: a folder that this process has, until it drops it or dies.

mod lock;
mod temporary;

pub use lock::{FolderError, OwnedFolder};
pub use temporary::{Readers, Temporary, remove_unfinished};

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// A file in `folder` under a temporary name, removed unless it is published;
/// readable as an ordinary file.
///
/// # Errors
///
/// When the folder is missing or not writable.
pub fn temporary(folder: &Path) -> io::Result<Temporary> {
    Temporary::new(folder, Readers::Ordinary)
}

/// Syncs a file and gives it its name in the same folder, in place of what had
/// it.
///
/// # Errors
///
/// When the disk is full or fails; the file is then removed, and what had its
/// name is there still.
pub fn publish(file: Temporary, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.file.persist(path)?;
    sync_folder(path)
}

/// As [`publish`], but leaves a file that has the name alone. Returns whether
/// there was none.
pub fn publish_new(file: Temporary, path: &Path) -> io::Result<bool> {
    file.as_file().sync_all()?;
    match file.file.persist_noclobber(path) {
        Ok(_) => {}
        Err(e) if path.symlink_metadata().is_ok() => {
            return match e.error.kind() {
                io::ErrorKind::AlreadyExists => Ok(false),
                _ => Err(e.error),
            };
        }
        // Some file systems have neither links nor a rename that replaces nothing.
        Err(e) => fs::rename(e.file.into_temp_path(), path)?,
    }
    sync_folder(path)?;
    Ok(true)
}

/// Writes `bytes` to a temporary name beside `path`, syncs, renames.
///
/// # Errors
///
/// As [`temporary`] and [`publish`].
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    publish(with_bytes(path, bytes)?, path)
}

/// Finds out before long work whether [`write()`] could write `path` afterwards, as
/// far as that can be known then.
///
/// # Errors
///
/// A path that is a folder; as [`temporary`].
pub fn check(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    temporary(folder_of(path)).map(drop)
}

/// As [`write()`], but leaves a file that is there alone. Returns whether it
/// wrote.
///
/// # Errors
///
/// As [`write()`].
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    publish_new(with_bytes(path, bytes)?, path)
}

fn with_bytes(path: &Path, bytes: &[u8]) -> io::Result<Temporary> {
    let mut file = temporary(folder_of(path))?;
    file.write_all(bytes)?;
    Ok(file)
}

/// A rename itself is durable once the folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_writer_wins_unless_it_may_not_replace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert!(!write_new(&path, b"three").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_known_before() {
        let folder = tempfile::tempdir().unwrap();
        check(&folder.path().join("file")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let kind = |path: &Path| check(path).unwrap_err().kind();
        assert_eq!(kind(folder.path()), io::ErrorKind::IsADirectory);
        let missing = folder.path().join("no/file");
        assert_eq!(kind(&missing), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_may_be_read_by_whom_the_umask_lets() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let ordinary = folder.path().join("ordinary");
        fs::write(&ordinary, b"x").unwrap();
        let path = folder.path().join("file");
        write(&path, b"x").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&ordinary));
    }
}
