//! Long sources of several files, and compressed ones, written to the store once.
//!
//! What lies in several files, or in a compressed one, cannot be mapped. It is written
//! to `<store>/.together/<key>`, where the next run finds it. The key says which files,
//! and how long and how old they are; when one changes, what was made of it before is
//! removed. The folder can be deleted at any time when nothing runs.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{DataError, Result, changes};
use crate::hashes::Stamp;
use crate::packed::Packing;
use crate::store::Store;

/// A file of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub path: PathBuf,
    /// Its length as it lies on disk.
    pub length: u64,
    /// How what it holds is compressed, if it is.
    pub packing: Option<Packing>,
}

impl Part {
    pub fn new(path: PathBuf, length: u64) -> Self {
        let packing = Packing::of(&path);
        Self {
            path,
            length,
            packing,
        }
    }

    /// Opens what the file holds.
    pub fn open(&self) -> Result<Box<dyn Read>> {
        let opened = match self.packing {
            Some(packing) => packing.open(&self.path),
            None => File::open(&self.path).map(|file| Box::new(file) as Box<dyn Read>),
        };
        opened.map_err(DataError::io("read", &self.path))
    }

    /// Writes what the file holds.
    ///
    /// # Errors
    /// A file that cannot be read, is damaged, or has another length than it had.
    pub fn copy(&self, out: &mut dyn Write, to: &Path) -> Result<()> {
        let mut input = self.open()?;
        let mut piece = vec![0; 1 << 18];
        let mut copied = 0;
        loop {
            let read = match input.read(&mut piece) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if self.packing.is_some() => return Err(self.damaged(&error)),
                Err(error) => return Err(DataError::io("read", &self.path)(error)),
            };
            if read == 0 {
                break;
            }
            out.write_all(&piece[..read])
                .map_err(DataError::io("write", to))?;
            copied += read as u64;
        }
        match self.packing.is_none() && copied != self.length {
            true => Err(changes(&self.path)),
            false => Ok(()),
        }
    }

    fn damaged(&self, error: &io::Error) -> DataError {
        DataError::Decode {
            path: self.path.display().to_string(),
            message: format!("cannot be unpacked: {error}"),
        }
    }
}

/// The name of what is made of these files: of their paths, and of their state.
fn key(parts: &[Part]) -> Result<(String, String)> {
    let (mut paths, mut state) = (blake3::Hasher::new(), blake3::Hasher::new());
    for part in parts {
        let absolute = fs::canonicalize(&part.path).map_err(DataError::io("read", &part.path))?;
        let name = absolute.as_os_str().as_encoded_bytes();
        paths
            .update(&(name.len() as u64).to_le_bytes())
            .update(name);
        state.update(Stamp::of(&part.path)?.to_string().as_bytes());
    }
    let hex = |hasher: blake3::Hasher| hasher.finalize().to_hex()[..16].to_owned();
    Ok((hex(paths), hex(state)))
}

impl Store {
    fn together_dir(&self) -> PathBuf {
        self.root().join(".together")
    }

    /// The file that holds these files one after the other, if it has been made.
    pub(crate) fn found_together(&self, parts: &[Part]) -> Result<Option<PathBuf>> {
        let (paths, state) = key(parts)?;
        let path = self.together_dir().join(format!("{paths}-{state}"));
        Ok(path.is_file().then_some(path))
    }

    /// The file that holds these files one after the other, made if need be.
    ///
    /// # Errors
    /// A file that cannot be read or unpacked; a full disk.
    pub(crate) fn put_together(&self, parts: &[Part]) -> Result<PathBuf> {
        if let Some(path) = self.found_together(parts)? {
            return Ok(path);
        }
        let (paths, state) = key(parts)?;
        let dir = self.together_dir();
        fs::create_dir_all(&dir).map_err(DataError::io("create", &dir))?;
        let path = dir.join(format!("{paths}-{state}"));
        // Of several processes one writes and the others wait. Where locks do not work,
        // all of them write the same bytes.
        let lock = dir.join(format!("{paths}.lock"));
        let lock = File::create(&lock).map_err(DataError::io("create", &lock))?;
        let _ = lock.lock();
        if path.is_file() {
            return Ok(path);
        }
        let temporary =
            brevity_files::temporary(&dir).map_err(DataError::io("write into", &dir))?;
        let mut out = BufWriter::with_capacity(1 << 18, temporary);
        for part in parts {
            part.copy(&mut out, &path)?;
        }
        let temporary = out.into_inner().map_err(io::IntoInnerError::into_error);
        let temporary = temporary.map_err(DataError::io("write", &path))?;
        if key(parts)?.1 != state {
            return Err(changes(&parts[0].path));
        }
        brevity_files::publish(temporary, &path).map_err(DataError::io("write", &path))?;
        forget_older(&dir, &paths, &path);
        Ok(path)
    }
}

/// Removes what was made of the same files when they were others.
fn forget_older(dir: &Path, paths: &str, kept: &Path) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let older = name.to_str().and_then(|name| name.strip_prefix(paths));
        if older.is_some_and(|rest| rest.starts_with('-')) && entry.path() != kept {
            // One that cannot be removed takes room and does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}
