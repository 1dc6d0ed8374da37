//! Atomic writing of files: the new content whole, or the old.

use super::SweepError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io;
use std::path::Path;

/// Writes `bytes` to `path`: to a temporary file in the same folder, which is synced
/// and renamed.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), SweepError> {
    brevity_files::write(path, bytes).map_err(|error| SweepError::io("write", path, error))
}

/// As [`write()`], unless the file exists. Returns whether it wrote.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<bool, SweepError> {
    brevity_files::write_new(path, bytes).map_err(|error| SweepError::io("write", path, error))
}

/// [`write()`] of a value as indented JSON with a newline at the end.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), SweepError> {
    write(path, &json(value))
}

/// A value as indented JSON with a newline at the end.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("our values have string keys");
    bytes.push(b'\n');
    bytes
}

/// Reads a JSON file; `None` if there is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, SweepError> {
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

pub(crate) fn create_folder(path: &Path) -> Result<(), SweepError> {
    fs::create_dir_all(path).map_err(|error| SweepError::io("create", path, error))
}

/// Removes a file if it exists.
pub(crate) fn remove(path: &Path) -> Result<(), SweepError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(SweepError::io("remove", path, e)),
        _ => Ok(()),
    }
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
