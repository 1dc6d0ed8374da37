//! The content of a source: looked up, then opened and readable by ranges.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::bytes::{Bytes, IN_MEMORY};
use crate::crates::CratesList;
use crate::error::{DataError, Result};
use crate::files::{self, Files, Named, PassedOver};
use crate::generate::Generator;
use crate::meaning::Meaning;
use crate::source::Source;
use crate::store::Store;
use crate::together::Part;

/// A source that has been looked up; nothing is read yet.
#[derive(Debug)]
pub(crate) enum Found {
    Crates,
    Generated(Generator),
    /// Bytes that can be read once: of a pipe at this path, or of standard input.
    Stream(Option<PathBuf>),
    /// A data set of the store: file, length, recorded BLAKE3.
    Stored(PathBuf, u64, String),
    /// Files that follow each other.
    Files(Vec<Part>),
}

impl Found {
    pub fn of(source: &Source, store: &Store) -> Result<Self> {
        let found = match Meaning::of(source, store)? {
            Meaning::Crates => Self::Crates,
            Meaning::Generated(generator) => Self::Generated(generator),
            Meaning::Stdin => Self::Stream(None),
            Meaning::Set(name) => {
                let record = store.record(&name)?;
                let record = record.ok_or_else(|| DataError::NotFetched { name: name.clone() })?;
                Self::Stored(store.data_path(&name), record.bytes, record.blake3)
            }
            Meaning::Pattern(pattern) => Self::files(files::matching(&pattern)?.files),
            Meaning::Path(path) => match files::named(&path)? {
                Named::Folder(Files { files, .. }) => Self::files(files),
                Named::File(len) => Self::files(vec![(path, len)]),
                Named::Stream => Self::Stream(Some(path)),
            },
            Meaning::Several(sources) => {
                let mut all = Vec::new();
                for source in &sources {
                    all.extend(Self::of(source, store)?.parts(source, store)?);
                }
                Self::Files(all)
            }
        };
        match found.length(store)? {
            Length::Known(0) => Err(empty(source)),
            _ => Ok(found),
        }
    }

    fn files(files: Vec<(PathBuf, u64)>) -> Self {
        let parts = files.into_iter();
        Self::Files(
            parts
                .map(|(path, length)| Part::new(path, length))
                .collect(),
        )
    }

    /// As parts of a longer source.
    fn parts(self, source: &Source, store: &Store) -> Result<Vec<Part>> {
        match self {
            Self::Files(parts) => Ok(parts),
            Self::Stored(path, length, recorded) => {
                check(
                    &path,
                    &recorded,
                    &store
                        .hashes()
                        .of(&path, std::slice::from_ref(&(0..length)))?[0],
                )?;
                Ok(vec![Part {
                    path,
                    length,
                    packing: None,
                }])
            }
            Self::Crates | Self::Generated(_) | Self::Stream(_) => Err(DataError::Config {
                field: "data.source",
                message: format!(
                    "`{source}` cannot be one of several: files, folders, patterns and stored sets can"
                ),
            }),
        }
    }

    /// Its length, as far as that is known without reading it.
    pub fn length(&self, store: &Store) -> Result<Length> {
        Ok(match self {
            Self::Crates => Length::Known(CratesList::builtin().bytes),
            Self::Generated(_) => Length::Endless,
            Self::Stream(_) => Length::Unknown,
            Self::Stored(_, length, _) => Length::Known(*length),
            Self::Files(parts) => match parts.iter().any(|part| part.packing.is_some()) {
                false => Length::Known(parts.iter().map(|part| part.length).sum()),
                true => match store.found_together(parts)? {
                    Some(path) => Length::Known(length_of(&path)?),
                    None => Length::Unknown,
                },
            },
        })
    }

    /// Bytes that must be read before the hashes of these ranges are known, if more
    /// than a moment's worth.
    pub fn unread(&self, ranges: &[Range<u64>], store: &Store) -> Result<u64> {
        let unknown = |path: &Path, length: u64| {
            let all = whole_and(length, ranges);
            match length <= IN_MEMORY {
                true => 0,
                false => store.hashes().unread(path, &all),
            }
        };
        Ok(match self {
            Self::Crates | Self::Generated(_) => 0,
            Self::Stream(_) => u64::MAX,
            Self::Stored(path, length, _) => unknown(path, *length),
            Self::Files(parts) => match &parts[..] {
                [part] if part.packing.is_none() => unknown(&part.path, part.length),
                parts => match store.found_together(parts)? {
                    Some(path) => unknown(&path, length_of(&path)?),
                    None if parts.iter().any(|part| part.packing.is_some()) => {
                        parts.iter().map(|part| part.length).sum()
                    }
                    None => {
                        let all = parts.iter().map(|part| part.length).sum();
                        if all <= IN_MEMORY { 0 } else { all }
                    }
                },
            },
        })
    }

    /// Opens it.
    pub fn open(self, source: &Source, seed: u64, store: &Store) -> Result<Content> {
        let content = match self {
            Self::Crates => Content::Memory(CratesList::builtin().read()?.into(), None),
            Self::Generated(generator) => Content::Generated(generator, seed),
            Self::Stream(None) => {
                let bytes = read_stream(&mut io::stdin().lock(), "-".as_ref(), store)?;
                Content::Memory(bytes, None)
            }
            Self::Stream(Some(path)) => {
                let mut file = File::open(&path).map_err(DataError::io("read", &path))?;
                Content::Memory(read_stream(&mut file, &path, store)?, None)
            }
            Self::Stored(path, length, recorded) => Content::file(path, length, Some(recorded))?,
            Self::Files(parts) => open_files(parts, store)?,
        };
        match content.len() {
            Some(0) => Err(empty(source)),
            _ => Ok(content),
        }
    }
}

fn empty(source: &Source) -> DataError {
    DataError::Empty {
        source_name: source.to_string(),
    }
}

fn length_of(path: &Path) -> Result<u64> {
    let meta = fs::metadata(path).map_err(DataError::io("read", path))?;
    Ok(meta.len())
}

fn open_files(mut parts: Vec<Part>, store: &Store) -> Result<Content> {
    let packed = parts.iter().any(|part| part.packing.is_some());
    let all: u64 = parts.iter().map(|part| part.length).sum();
    if parts.len() == 1 && !packed {
        return Content::file(parts.remove(0).path, all, None);
    }
    if !packed && all <= IN_MEMORY {
        let mut bytes = Vec::with_capacity(all as usize);
        for part in &parts {
            part.copy(&mut bytes, &part.path)?;
        }
        return Ok(Content::Memory(bytes.into(), None));
    }
    let path = store.put_together(&parts)?;
    let length = length_of(&path)?;
    match length {
        0 => Ok(Content::Memory(Vec::new().into(), None)),
        length => Content::file(path, length, None),
    }
}

/// How long a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Known(u64),
    /// A generator.
    Endless,
    /// A stream, or compressed files that have not been unpacked.
    Unknown,
}

/// The bytes of a source, readable by ranges.
#[derive(Debug)]
pub(crate) enum Content {
    /// In memory, or mapped from a file without a name; of a stored set, its file and
    /// the BLAKE3 that its record says it has.
    Memory(Bytes, Option<(PathBuf, String)>),
    /// A file that is mapped; of a stored set, the BLAKE3 that its record says it has.
    Mapped(PathBuf, Bytes, Option<String>),
    /// Endless: a generator and its seed.
    Generated(Generator, u64),
}

/// A range of a source.
pub(crate) struct Piece {
    pub bytes: Bytes,
    /// BLAKE3, in hex.
    pub blake3: String,
}

/// The result of a read: the ranges asked for, and the BLAKE3 of the whole content,
/// which identifies its origin whatever its name.
pub(crate) struct Reading {
    pub pieces: Vec<Piece>,
    pub origin: String,
}

impl Content {
    /// Looks a source up and opens it; an empty one is an error.
    pub fn open(source: &Source, seed: u64, store: &Store) -> Result<Self> {
        Found::of(source, store)?.open(source, seed, store)
    }

    fn file(path: PathBuf, length: u64, recorded: Option<String>) -> Result<Self> {
        let mut file = File::open(&path).map_err(DataError::io("read", &path))?;
        let bytes = Bytes::of_file(&mut file, &path, length)?;
        Ok(match length > IN_MEMORY {
            true => Self::Mapped(path, bytes, recorded),
            false => Self::Memory(bytes, recorded.map(|hash| (path, hash))),
        })
    }

    /// Length in bytes; `None` if endless.
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Memory(bytes, _) | Self::Mapped(_, bytes, _) => Some(bytes.len() as u64),
            Self::Generated(..) => None,
        }
    }

    /// Reads all of it; `None` if endless.
    pub fn read_all(&self, store: &Store) -> Result<Option<(Piece, String)>> {
        let Some(len) = self.len() else {
            return Ok(None);
        };
        let mut reading = self.read(std::slice::from_ref(&(0..len)), store)?;
        Ok(reading.pieces.pop().map(|piece| (piece, reading.origin)))
    }

    /// Reads ranges, which must lie within the length.
    pub fn read(&self, ranges: &[Range<u64>], store: &Store) -> Result<Reading> {
        match self {
            Self::Memory(bytes, recorded) => {
                let origin = bytes.blake3();
                if let Some((path, recorded)) = recorded {
                    check(path, recorded, &origin)?;
                }
                let piece = |range: &Range<u64>| {
                    let part = part(bytes, range);
                    let blake3 = match part.len() == bytes.len() {
                        true => origin.clone(),
                        false => part.blake3(),
                    };
                    Piece {
                        bytes: part,
                        blake3,
                    }
                };
                Ok(Reading {
                    pieces: ranges.iter().map(piece).collect(),
                    origin,
                })
            }
            Self::Mapped(path, bytes, recorded) => {
                let all = whole_and(bytes.len() as u64, ranges);
                let mut hashes = store.hashes().of(path, &all)?.into_iter();
                let origin = hashes.next().expect("the whole comes first");
                if let Some(recorded) = recorded {
                    check(path, recorded, &origin)?;
                }
                let piece = |(range, blake3)| Piece {
                    bytes: part(bytes, range),
                    blake3,
                };
                Ok(Reading {
                    pieces: ranges.iter().zip(hashes).map(piece).collect(),
                    origin,
                })
            }
            Self::Generated(generator, seed) => {
                let piece = |range: &Range<u64>| {
                    let bytes = Bytes::from(generator.bytes(*seed, range.clone()));
                    let blake3 = bytes.blake3();
                    Piece { bytes, blake3 }
                };
                Ok(Reading {
                    pieces: ranges.iter().map(piece).collect(),
                    origin: blake3::hash(format!("{} {seed}", generator.name()).as_bytes())
                        .to_hex()
                        .to_string(),
                })
            }
        }
    }
}

fn part(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let range = range.start as usize..range.end as usize;
    bytes.part(range).expect("a range within the length")
}

/// Compares the hash of a stored set with its record.
fn check(path: &Path, recorded: &str, got: &str) -> Result<()> {
    match recorded == got {
        true => Ok(()),
        false => Err(DataError::Mismatch {
            what: format!("BLAKE3 of `{}`", path.display()),
            expected: recorded.to_owned(),
            got: got.to_owned(),
            remedy: "the stored set is damaged: fetch or import it again with --force".into(),
        }),
    }
}

/// What a folder or pattern holds that is not read: pipes, sockets, devices, links
/// to nothing, what may not be read. Of other sources nothing is passed over.
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
        Meaning::Several(sources) => {
            let mut all = Vec::new();
            for source in &sources {
                all.extend(passed_over(source, store)?);
            }
            all
        }
        _ => Vec::new(),
    })
}

/// Reads a stream to its end: into memory, and what is longer into a file of the store
/// that has no name and goes when it is not used any more.
fn read_stream(input: &mut dyn Read, path: &Path, store: &Store) -> Result<Bytes> {
    let mut bytes = Vec::new();
    let read = (&mut *input).take(IN_MEMORY + 1).read_to_end(&mut bytes);
    if read.map_err(DataError::io("read", path))? as u64 <= IN_MEMORY {
        return Ok(bytes.into());
    }
    let folder = store.partial_dir();
    let spool = || -> io::Result<File> {
        fs::create_dir_all(&folder)?;
        let mut file = tempfile::tempfile_in(&folder)?;
        file.write_all(&bytes)?;
        Ok(file)
    };
    let mut file = spool().map_err(DataError::io("write into", &folder))?;
    drop(bytes);
    io::copy(input, &mut file).map_err(DataError::io("read", path))?;
    file.seek(SeekFrom::Start(0))
        .map_err(DataError::io("read", path))?;
    Bytes::map(&file).map_err(DataError::io("map", path))
}

/// The whole of a file, then these parts of it.
fn whole_and(length: u64, ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    std::iter::once(0..length)
        .chain(ranges.iter().cloned())
        .collect()
}
