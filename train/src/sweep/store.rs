//! Files that hold the whole of what was written, or what they held before.

use super::SweepError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes `bytes` to `path`: to a temporary name in the same folder, synced,
/// renamed.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), SweepError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let attempt = || -> io::Result<()> {
        let mut file = temporary(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // The rename itself is durable once the folder is.
        File::open(folder)?.sync_all()
    };
    attempt().map_err(|error| SweepError::io("write", path, error))
}

/// As [`write()`], but leaves a file that is there alone. Returns whether it
/// wrote.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<bool, SweepError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let attempt = || -> io::Result<bool> {
        let mut file = temporary(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => {}
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(e) => return Err(e.error),
        }
        File::open(folder)?.sync_all()?;
        Ok(true)
    };
    attempt().map_err(|error| SweepError::io("write", path, error))
}

/// [`write()`] of a value as indented JSON with a newline at the end.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), SweepError> {
    write(path, &json(value))
}

/// A value as indented JSON with a newline at the end.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("our values have string keys");
    bytes.push(b'\n');
    bytes
}

/// Reads a JSON file; `None` where there is none.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, SweepError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(SweepError::io("read", path, e)),
    };
    let value = serde_json::from_slice(&bytes).map_err(|error| SweepError::Corrupt {
        path: path.to_path_buf(),
        message: error.to_string(),
    })?;
    Ok(Some(value))
}

pub(super) fn create_folder(path: &Path) -> Result<(), SweepError> {
    fs::create_dir_all(path).map_err(|error| SweepError::io("create", path, error))
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), SweepError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(SweepError::io("remove", path, e)),
        _ => Ok(()),
    }
}

fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    // Readable by everybody the umask lets, as an ordinary file.
    let mut builder = tempfile::Builder::new();
    builder.prefix(".brevity-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_json(&path, &[1, 2]).unwrap();
        write_json(&path, &[3]).unwrap();
        assert_eq!(read_json::<Vec<u8>>(&path).unwrap(), Some(vec![3]));
        assert!(!write_new(&path, b"other").unwrap());
        assert_eq!(read_json::<Vec<u8>>(&path).unwrap(), Some(vec![3]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn damage_and_absence_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        assert_eq!(read_json::<Vec<u8>>(&path).unwrap(), None);
        fs::write(&path, "[1,").unwrap();
        let error = read_json::<Vec<u8>>(&path).unwrap_err().to_string();
        assert!(error.contains("a.json"), "{error}");
    }
}
