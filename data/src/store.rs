//! The store: the local folder of fetched and imported sets.
//!
//! ```text
//! <root>/enwik8/data       the bytes
//! <root>/enwik8/set.toml   its record: lengths, hashes, licence, origin
//! <root>/.partial/         unfinished downloads; can be deleted at any time
//! <root>/.together/        long sources of several or compressed files, as one file
//! ```
//!
//! A set's folder is put in place by one rename, so it is complete or absent.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use brevity_media::{Conversion, Geometry, Item};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{DataError, Result};
use crate::hashes::Hashes;

/// The folder of data sets, and that of what is remembered about files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
    hashes: Hashes,
}

/// `set.toml`: the record of the file `data` beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetRecord {
    /// The set's name.
    pub name: String,
    /// Length of `data`.
    pub bytes: u64,
    /// BLAKE3 of `data`, in hex.
    pub blake3: String,
    /// SHA-256 of `data`, in hex.
    pub sha256: String,
    /// Licence, as the registry states it; absent for imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// How files were converted to bytes.
    pub convert: Conversion,
    /// The layout of the bytes in words: [`Conversion::layout`].
    #[serde(default)]
    pub layout: String,
    /// The files it was made from.
    #[serde(default)]
    pub file: Vec<FileRecord>,
    /// Each file, or member of an archive, in the order of their bytes. Empty in sets
    /// that older versions wrote.
    #[serde(default)]
    pub item: Vec<Item>,
}

/// A file that a set was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// URL or path.
    pub origin: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hex. If the registry has no hash, later downloads must have this
    /// one (trust on first use).
    pub sha256: String,
}

impl SetRecord {
    /// The geometry of the whole set, if it is uniform: pictures of several widths, or
    /// sounds of several rates, have none.
    pub fn geometry(&self) -> Option<Geometry> {
        match self.convert {
            // Patches and speech have the same layout for all files.
            Conversion::GrayPatches => return Some(Geometry::PATCHES),
            Conversion::Pcm8 => return Some(Geometry::SPEECH),
            // Each sound ends with a shorter block, after which the start of the next
            // sound is unknown.
            Conversion::Pcm16Planes if self.item.len() > 1 => return None,
            _ => {}
        }
        let mut of_items = self
            .item
            .iter()
            .map(|item| self.convert.geometry(item.shape()));
        let first = of_items.next()??;
        of_items.all(|other| other == Some(first)).then_some(first)
    }
}

impl Default for Store {
    /// `$BREVITY_DATA`, else `$XDG_DATA_HOME/brevity`, else
    /// `~/.local/share/brevity`, else `data/sets` under the working directory. Hashes
    /// are remembered in `$XDG_CACHE_HOME/brevity`, else `~/.cache/brevity`, else
    /// beside the sets.
    fn default() -> Self {
        let set = |name| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let home = std::env::home_dir();
        let of_home = |folder: &str| home.as_ref().map(|home| home.join(folder));
        let root = set("BREVITY_DATA")
            .or_else(|| set("XDG_DATA_HOME").map(|p| p.join("brevity")))
            .or_else(|| of_home(".local/share/brevity"))
            .unwrap_or_else(|| PathBuf::from("data/sets"));
        let cache = set("XDG_CACHE_HOME").or_else(|| of_home(".cache"));
        match cache {
            Some(cache) => Self {
                root,
                hashes: Hashes::at(cache.join("brevity/hashes")),
            },
            None => Self::at(root),
        }
    }
}

impl Store {
    /// A store in this folder, which need not exist, with everything in it.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let hashes = Hashes::at(root.join(".hashes"));
        Self { root, hashes }
    }

    /// The remembered hashes of files.
    pub(crate) fn hashes(&self) -> &Hashes {
        &self.hashes
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a set, which need not exist.
    pub fn set_dir(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The file with the bytes of a set.
    pub fn data_path(&self, name: &str) -> PathBuf {
        self.set_dir(name).join("data")
    }

    /// The record of a set; `None` if the store lacks it.
    ///
    /// # Errors
    /// A record that cannot be read, or whose `data` is missing or has another length.
    pub fn record(&self, name: &str) -> Result<Option<SetRecord>> {
        let path = self.set_dir(name).join("set.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(e) => return Err(DataError::io("read", &path)(e)),
        };
        let record: SetRecord =
            toml::from_str(&text).map_err(|source| DataError::Toml { path, source })?;
        let data = self.data_path(name);
        let found = fs::metadata(&data)
            .map_err(DataError::io("read", &data))?
            .len();
        if found != record.bytes {
            return Err(DataError::Mismatch {
                what: format!("length of `{}`", data.display()),
                expected: record.bytes.to_string(),
                got: found.to_string(),
                remedy: format!(
                    "delete `{}` and fetch or import it again",
                    self.set_dir(name).display()
                ),
            });
        }
        Ok(Some(record))
    }

    /// Whether the store has a set of this name, even a damaged one.
    pub fn has(&self, name: &str) -> bool {
        let fine = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']);
        fine && self.set_dir(name).join("set.toml").is_file()
    }

    /// The records of all sets of the store, by name. Damaged ones are left out.
    ///
    /// # Errors
    /// A folder that exists and cannot be listed.
    pub fn records(&self) -> Result<Vec<SetRecord>> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(DataError::io("list", &self.root)(e)),
        };
        let mut records: Vec<_> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.'))
            .filter_map(|name| self.record(&name).ok().flatten())
            .collect();
        records.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(records)
    }

    /// Locks the set against writing by other processes until the lock is dropped.
    pub(crate) fn lock(&self, name: &str) -> Result<File> {
        let dir = self.partial_dir();
        fs::create_dir_all(&dir).map_err(DataError::io("create", &dir))?;
        let path = dir.join(format!("{name}.lock"));
        let file = File::create(&path).map_err(DataError::io("create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(DataError::Busy { path }),
            Err(TryLockError::Error(e)) => Err(DataError::io("lock", &path)(e)),
        }
    }

    /// Folder of unfinished downloads.
    pub(crate) fn partial_dir(&self) -> PathBuf {
        self.root.join(".partial")
    }

    /// Writes a set: `fill` writes the bytes, `describe` turns its result, the length
    /// and the hashes into the record, and may fail. The caller holds the lock.
    pub(crate) fn install<T>(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> Result<T>,
        describe: impl FnOnce(T, Digests) -> Result<SetRecord>,
    ) -> Result<SetRecord> {
        let partial = self.partial_dir();
        fs::create_dir_all(&partial).map_err(DataError::io("create", &partial))?;
        // Names have no tilde: these folders are leftovers of killed processes.
        let prefix = format!("{name}~");
        remove_leftovers(&partial, &prefix)?;
        // Removed with its content if anything below fails.
        let staging = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(&partial)
            .map_err(DataError::io("write into", &partial))?;
        let data = staging.path().join("data");
        let file = File::create(&data).map_err(DataError::io("create", &data))?;
        let mut out = HashingWriter::new(BufWriter::with_capacity(1 << 20, file));
        let filled = fill(&mut out)?;
        let (digests, out) = out.finish();
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(DataError::io("write", &data))?;
        let record = describe(filled, digests)?;
        let text = toml::to_string(&record).expect("a record is plain data");
        let path = staging.path().join("set.toml");
        write_synced(&path, text.as_bytes()).map_err(DataError::io("write", &path))?;

        let target = self.set_dir(name);
        let old = staging.path().with_extension("old");
        if target.exists() {
            fs::rename(&target, &old).map_err(DataError::io("replace", &target))?;
        }
        fs::rename(staging.path(), &target).map_err(DataError::io("rename", &target))?;
        let _ = staging.keep(); // It is the set's folder now.
        if old.exists() {
            fs::remove_dir_all(&old).map_err(DataError::io("remove", &old))?;
        }
        Ok(record)
    }
}

fn remove_leftovers(partial: &Path, prefix: &str) -> Result<()> {
    for entry in fs::read_dir(partial).map_err(DataError::io("list", partial))? {
        let path = entry.map_err(DataError::io("list", partial))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(prefix) {
            fs::remove_dir_all(&path).map_err(DataError::io("remove", &path))?;
        }
    }
    Ok(())
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Length and hashes of the bytes written to a [`HashingWriter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digests {
    pub bytes: u64,
    pub blake3: String,
    pub sha256: String,
}

/// A writer that hashes the bytes written through it.
pub(crate) struct HashingWriter<W> {
    inner: W,
    bytes: u64,
    blake3: blake3::Hasher,
    sha256: Sha256,
}

impl<W: Write> HashingWriter<W> {
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            bytes: 0,
            blake3: blake3::Hasher::new(),
            sha256: Sha256::new(),
        }
    }

    pub fn finish(self) -> (Digests, W) {
        let digests = Digests {
            bytes: self.bytes,
            blake3: self.blake3.finalize().to_hex().to_string(),
            sha256: hex(&self.sha256.finalize()),
        };
        (digests, self.inner)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buf)?;
        self.bytes += written as u64;
        self.blake3.update(&buf[..written]);
        self.sha256.update(&buf[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// SHA-256 of a file, in hex.
pub(crate) fn sha256_of(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(DataError::io("read", path))?;
    let mut out = HashingWriter::new(io::sink());
    io::copy(&mut file, &mut out).map_err(DataError::io("read", path))?;
    Ok(out.finish().0.sha256)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
