//! Opens a source and reads ranges of it.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::crates::CratesList;
use crate::error::{DataError, Result};
use crate::files::{self, Files, Named, PassedOver};
use crate::generate::Generator;
use crate::meaning::Meaning;
use crate::source::Source;
use crate::store::Store;

/// The bytes of a source, readable by ranges.
#[derive(Debug)]
pub(crate) enum Content {
    /// In memory: the embedded set, standard input, pipes.
    Memory(Vec<u8>),
    /// Concatenated files, with their lengths.
    Files(Vec<(PathBuf, u64)>),
    /// A data set of the store: file, length, recorded BLAKE3.
    Stored(PathBuf, u64, String),
    /// Endless: a generator and its seed.
    Generated(Generator, u64),
}

/// The result of a read: the requested ranges, and the BLAKE3 of the whole content, which
/// identifies the origin independently of its name.
pub(crate) struct Reading {
    pub ranges: Vec<Vec<u8>>,
    pub origin: String,
}

impl Content {
    /// Opens a source; an empty one is an error.
    pub fn open(source: &Source, seed: u64, store: &Store) -> Result<Self> {
        let content = match Meaning::of(source, store)? {
            Meaning::Crates => Self::Memory(CratesList::builtin().read()?),
            Meaning::Generated(generator) => Self::Generated(generator, seed),
            Meaning::Stdin => Self::Memory(read_stream(&mut io::stdin().lock(), "-".as_ref())?),
            Meaning::Set(name) => {
                let record = store.record(&name)?;
                let record = record.ok_or_else(|| DataError::NotFetched { name: name.clone() })?;
                Self::Stored(store.data_path(&name), record.bytes, record.blake3)
            }
            Meaning::Pattern(pattern) => Self::Files(files::matching(&pattern)?.files),
            Meaning::Path(path) => match files::named(&path)? {
                Named::Folder(Files { files, .. }) => Self::Files(files),
                Named::File(len) => Self::Files(vec![(path, len)]),
                Named::Stream => {
                    let mut file = File::open(&path).map_err(DataError::io("read", &path))?;
                    Self::Memory(read_stream(&mut file, &path)?)
                }
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

/// The entries of a folder or pattern that are not read: pipes, sockets, devices,
/// dangling links, files without read permission. Empty for other sources.
///
/// # Errors
/// A source that refers to nothing or is ambiguous.
pub fn passed_over(source: &Source, store: &Store) -> Result<Vec<PassedOver>> {
    Ok(match Meaning::of(source, store)? {
        Meaning::Pattern(pattern) => files::matching(&pattern)?.passed_over,
        Meaning::Path(path) => match files::named(&path)? {
            Named::Folder(files) => files.passed_over,
            Named::File(_) | Named::Stream => Vec::new(),
        },
        _ => Vec::new(),
    })
}

fn read_stream(input: &mut dyn Read, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(DataError::io("read", path))?;
    Ok(bytes)
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
                remedy: "the file changed while it was read".into(),
            });
        }
    }
    Ok(Reading {
        ranges: out,
        origin: hash.finalize().to_hex().to_string(),
    })
}
