//! Hashes of a trial's files, in one record, so that a damaged file is detected and
//! never used.
//!
//! A hash is recorded before its file is written; that of the weights as soon as
//! training has written them. A file without a recorded hash is accepted: an earlier
//! version wrote it, or the process was killed in between.

use super::SweepError;
use super::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Name of the record.
const RECORD: &str = "checksums.json";

/// BLAKE3 in hexadecimal by file name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    files: BTreeMap<String, String>,
}

/// Records the hash of `bytes`, which are about to be written to a file.
pub(super) fn record(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), SweepError> {
    let path = folder.join(RECORD);
    let mut record: Record = files::read_json(&path)?.unwrap_or_default();
    let hash = blake3::hash(bytes).to_string();
    if record.files.get(name) == Some(&hash) {
        return Ok(());
    }
    record.files.insert(name.to_owned(), hash);
    files::write_json(&path, &record)
}

/// Records the hash of an existing file, unless one is recorded.
pub(super) fn record_as_it_is(folder: &Path, name: &str) -> Result<(), SweepError> {
    let record: Record = files::read_json(&folder.join(RECORD))?.unwrap_or_default();
    if record.files.contains_key(name) {
        return Ok(());
    }
    let path = folder.join(name);
    let bytes = fs::read(&path).map_err(|error| SweepError::io("read", &path, error))?;
    self::record(folder, name, &bytes)
}

/// Whether a file exists and differs from its recorded hash.
pub(crate) fn is_damaged(folder: &Path, name: &str) -> Result<bool, SweepError> {
    let record: Record = files::read_json(&folder.join(RECORD))?.unwrap_or_default();
    let Some(recorded) = record.files.get(name) else {
        return Ok(false);
    };
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(bytes) => Ok(blake3::hash(&bytes).to_string() != *recorded),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(SweepError::io("read", &path, error)),
    }
}

/// An error if a file is damaged.
pub(crate) fn refuse_damage(folder: &Path, name: &str) -> Result<(), SweepError> {
    match is_damaged(folder, name)? {
        false => Ok(()),
        true => Err(SweepError::Unusable {
            path: folder.join(name),
        }),
    }
}

/// Removes the recorded hash of a file that is deleted and will be made again.
pub(super) fn forget(folder: &Path, name: &str) -> Result<(), SweepError> {
    let path = folder.join(RECORD);
    let mut record: Record = files::read_json(&path)?.unwrap_or_default();
    match record.files.remove(name) {
        None => Ok(()),
        Some(_) => files::write_json(&path, &record),
    }
}
