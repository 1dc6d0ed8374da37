//! Atomic file writes and folder locks.
//!
//! - [`write()`] and [`write_new()`]: a file appears under its name only after all its
//!   bytes are on the disk. A file too long for memory is written to a [`Temporary`] in
//!   the same folder, which [`publish()`] or [`publish_new()`] renames. However a
//!   process ends, it leaves no partial file under the name, and temporary files are
//!   removed later: see [`Temporary`].
//! - [`OwnedFolder`]: a folder locked by this process until it drops the lock or dies.

mod lock;
mod temporary;

pub use lock::{FolderError, OwnedFolder};
pub use temporary::{Readers, Temporary, remove_unfinished};

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Creates a file in `folder` with a temporary name and the permissions of an ordinary
/// file. It is removed unless it is published.
///
/// # Errors
///
/// If the folder is missing or not writable.
pub fn temporary(folder: &Path) -> io::Result<Temporary> {
    Temporary::new(folder, Readers::Ordinary)
}

/// Syncs a file and renames it within the same folder, replacing any file of that name.
///
/// # Errors
///
/// If the disk is full or fails; the temporary file is then removed, and an existing
/// file of that name stays.
pub fn publish(file: Temporary, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.file.persist(path)?;
    sync_folder(path)
}

/// Like [`publish`], unless a file of that name exists. Returns whether it published.
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
        // Some file systems support neither links nor a rename that refuses to replace.
        Err(e) => fs::rename(e.file.into_temp_path(), path)?,
    }
    sync_folder(path)?;
    Ok(true)
}

/// Writes `bytes` to a temporary file beside `path`, syncs, renames.
///
/// # Errors
///
/// Those of [`temporary`] and [`publish`].
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    publish(with_bytes(path, bytes)?, path)
}

/// Checks, before long work, whether [`write()`] is likely to succeed for `path`.
///
/// # Errors
///
/// A path that is a folder; those of [`temporary`].
pub fn check(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    temporary(folder_of(path)).map(drop)
}

/// Like [`write()`], unless the file exists. Returns whether it wrote.
///
/// # Errors
///
/// Those of [`write()`].
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    publish_new(with_bytes(path, bytes)?, path)
}

/// Of a folder for results: the first file of these names, if it has none of the `marks` that
/// results leave. It is somebody else's, and results would replace it.
#[must_use]
pub fn foreign(folder: &Path, marks: &[&str], names: &[&str]) -> Option<PathBuf> {
    let there = |name: &&&str| folder.join(name).symlink_metadata().is_ok();
    match marks.iter().any(|mark| there(&mark)) {
        true => None,
        false => names.iter().find(there).map(|name| folder.join(name)),
    }
}

fn with_bytes(path: &Path, bytes: &[u8]) -> io::Result<Temporary> {
    let mut file = temporary(folder_of(path))?;
    file.write_all(bytes)?;
    Ok(file)
}

/// A rename is durable once its folder is synced.
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
    fn files_of_others_are_told_from_results() {
        let folder = tempfile::tempdir().unwrap();
        let find = || foreign(folder.path(), &["mark.json"], &["a.csv", "b.csv"]);
        assert_eq!(find(), None);
        let path = folder.path().join("b.csv");
        write(&path, b"mine").unwrap();
        assert_eq!(find(), Some(path));
        write(&folder.path().join("mark.json"), b"{}").unwrap();
        assert_eq!(find(), None);
        assert_eq!(foreign(&folder.path().join("none"), &[], &["a.csv"]), None);
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
