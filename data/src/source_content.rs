//! The content of a source: opened, and readable by ranges.

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::crates::CratesList;
use crate::error::{DataError, Result};
use crate::generate::Generator;
use crate::listing::nearest;
use crate::source::Source;
use crate::store::Store;

/// The bytes of a source, readable by ranges.
#[derive(Debug)]
pub(crate) enum Content {
    /// In memory: the embedded set, standard input.
    Memory(Vec<u8>),
    /// Concatenated files, with their lengths.
    Files(Vec<(PathBuf, u64)>),
    /// A data set of the store: file, length, recorded BLAKE3.
    Stored(PathBuf, u64, String),
    /// Endless: a generator and its seed.
    Generated(Generator, u64),
}

/// The result of a read: the ranges asked for, and the BLAKE3 of the whole content,
/// which identifies its origin whatever its name.
pub(crate) struct Reading {
    pub ranges: Vec<Vec<u8>>,
    pub origin: String,
}

impl Content {
    /// Opens a source; an empty one is an error.
    pub fn open(source: &Source, seed: u64, store: &Store) -> Result<Self> {
        let content = match source {
            Source::Crates => Self::Memory(CratesList::builtin().read()?),
            Source::Generated(generator) => Self::Generated(*generator, seed),
            Source::Stdin => {
                let mut bytes = Vec::new();
                io::stdin()
                    .lock()
                    .read_to_end(&mut bytes)
                    .map_err(DataError::io("read", "-"))?;
                Self::Memory(bytes)
            }
            Source::Registered(name) => {
                stored(name, store)?.ok_or_else(|| DataError::NotFetched { name: name.clone() })?
            }
            Source::Glob(pattern) => Self::Files(glob_files(pattern)?),
            Source::Path(path) => match fs::metadata(path) {
                Ok(meta) if meta.is_dir() => {
                    let mut files = Vec::new();
                    folder_files(path, &mut files)?;
                    files.sort();
                    Self::Files(files)
                }
                Ok(meta) => Self::Files(vec![(path.clone(), meta.len())]),
                Err(e) if e.kind() == io::ErrorKind::NotFound => named(path, store)?,
                Err(e) => return Err(DataError::io("read", path)(e)),
            },
        };
        if content.len() == Some(0) {
            return Err(DataError::Empty {
                source_name: source.to_string(),
            });
        }
        Ok(content)
    }

    /// Length in bytes; `None` if endless.
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Memory(bytes) => Some(bytes.len() as u64),
            Self::Files(files) => Some(files.iter().map(|(_, len)| len).sum()),
            Self::Stored(_, len, _) => Some(*len),
            Self::Generated(..) => None,
        }
    }

    /// Reads all of it; `None` if endless.
    pub fn read_all(&self) -> Result<Option<(Vec<u8>, String)>> {
        let Some(len) = self.len() else {
            return Ok(None);
        };
        let mut reading = self.read(std::slice::from_ref(&(0..len)))?;
        Ok(reading.ranges.pop().map(|bytes| (bytes, reading.origin)))
    }

    /// Reads ranges, which must lie within the length. Files are read once in full, for
    /// their hash; only the ranges are kept in memory.
    pub fn read(&self, ranges: &[Range<u64>]) -> Result<Reading> {
        match self {
            Self::Memory(bytes) => Ok(Reading {
                ranges: ranges
                    .iter()
                    .map(|r| bytes[r.start as usize..r.end as usize].to_vec())
                    .collect(),
                origin: blake3::hash(bytes).to_hex().to_string(),
            }),
            Self::Files(files) => read_files(files, ranges),
            Self::Stored(path, len, recorded) => {
                let reading = read_files(&[(path.clone(), *len)], ranges)?;
                if reading.origin != *recorded {
                    return Err(DataError::Mismatch {
                        what: format!("BLAKE3 of `{}`", path.display()),
                        expected: recorded.clone(),
                        got: reading.origin,
                        remedy: "the stored set is damaged: fetch or import it again with --force"
                            .into(),
                    });
                }
                Ok(reading)
            }
            Self::Generated(generator, seed) => Ok(Reading {
                ranges: ranges
                    .iter()
                    .map(|r| generator.bytes(*seed, r.clone()))
                    .collect(),
                origin: blake3::hash(format!("{} {seed}", generator.name()).as_bytes())
                    .to_hex()
                    .to_string(),
            }),
        }
    }
}

fn stored(name: &str, store: &Store) -> Result<Option<Content>> {
    let record = store.record(name)?;
    Ok(record.map(|r| Content::Stored(store.data_path(name), r.bytes, r.blake3)))
}

/// A path that does not exist may be the name of an imported set.
fn named(path: &Path, store: &Store) -> Result<Content> {
    if let Some(name) = path.to_str().filter(|name| !name.contains(['/', '\\']))
        && let Some(content) = stored(name, store)?
    {
        return Ok(content);
    }
    let source_name = path.display().to_string();
    let nearest = nearest(&source_name, store);
    Err(DataError::NotFound {
        source_name,
        nearest,
    })
}

/// All files under a folder, including hidden files and symbolic links.
fn folder_files(dir: &Path, files: &mut Vec<(PathBuf, u64)>) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(DataError::io("list", dir))? {
        let path = entry.map_err(DataError::io("list", dir))?.path();
        let meta = fs::metadata(&path).map_err(DataError::io("read", &path))?;
        if meta.is_dir() {
            // A link to a parent folder would be an endless loop.
            if fs::symlink_metadata(&path).is_ok_and(|m| !m.is_symlink()) {
                folder_files(&path, files)?;
            }
        } else {
            files.push((path, meta.len()));
        }
    }
    Ok(())
}

fn glob_files(pattern: &str) -> Result<Vec<(PathBuf, u64)>> {
    let paths = glob::glob(pattern).map_err(|e| DataError::Config {
        field: "data.source",
        message: format!("`{pattern}` is not a valid pattern: {e}"),
    })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|e| {
            let path = e.path().to_owned();
            DataError::io("read", path)(e.into())
        })?;
        let meta = fs::metadata(&path).map_err(DataError::io("read", &path))?;
        if meta.is_file() {
            files.push((path, meta.len()));
        }
    }
    if files.is_empty() {
        return Err(DataError::NoMatch {
            pattern: pattern.into(),
            what: "file".into(),
        });
    }
    files.sort();
    Ok(files)
}

/// The part of a pattern before its first wildcard component.
pub(crate) fn glob_root(pattern: &str) -> PathBuf {
    Path::new(pattern)
        .components()
        .take_while(|c| !c.as_os_str().to_string_lossy().contains(['*', '?', '[']))
        .collect()
}

fn read_files(files: &[(PathBuf, u64)], ranges: &[Range<u64>]) -> Result<Reading> {
    let mut out: Vec<Vec<u8>> = ranges
        .iter()
        .map(|r| Vec::with_capacity((r.end - r.start) as usize))
        .collect();
    let mut hash = blake3::Hasher::new();
    let mut chunk = vec![0; 1 << 20];
    let mut position = 0u64;
    for (path, len) in files {
        let mut file = File::open(path).map_err(DataError::io("read", path))?;
        let start = position;
        loop {
            let read = file.read(&mut chunk).map_err(DataError::io("read", path))?;
            if read == 0 {
                break;
            }
            hash.update(&chunk[..read]);
            for (range, out) in ranges.iter().zip(&mut out) {
                let from = range.start.clamp(position, position + read as u64) - position;
                let to = range.end.clamp(position, position + read as u64) - position;
                out.extend_from_slice(&chunk[from as usize..to as usize]);
            }
            position += read as u64;
        }
        if position - start != *len {
            return Err(DataError::Mismatch {
                what: format!("length of `{}`", path.display()),
                expected: len.to_string(),
                got: (position - start).to_string(),
                remedy: "the file changes while it is read".into(),
            });
        }
    }
    Ok(Reading {
        ranges: out,
        origin: hash.finalize().to_hex().to_string(),
    })
}
