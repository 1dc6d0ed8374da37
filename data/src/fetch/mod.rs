//! Fetching the sets of the registry: download, verify, unpack, convert, store.
//!
//! Downloads are kept in `.partial/<name>/` of the store, so that they survive
//! interruption; a set's folder appears complete or not at all.

mod address;
mod download;
mod unpack;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::ProgressBar;

use crate::error::{DataError, Result};
use crate::registry::{Entry, RemoteFile};
use crate::store::{FileRecord, SetRecord, Store, sha256_of};

/// Downloads data sets, with options for retries.
///
/// ```no_run
/// use brevity_data::{Client, Registry, Store};
/// let enwik8 = Registry::builtin().get("enwik8").unwrap();
/// let bar = indicatif::ProgressBar::new(0);
/// let record = Client::default().fetch(enwik8, false, &Store::default(), &bar)?;
/// assert_eq!(record.bytes, 100_000_000);
/// # Ok::<(), brevity_data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    /// Limit on consecutive attempts without a new byte.
    pub attempts: u32,
    /// Wait after the first failure; it doubles after each further one.
    pub pause: Duration,
    /// A connection that brings less than [`SLOWEST`] over such a time is given up.
    pub patience: Duration,
    /// Address of a folder with the files of all sets, by their last names, instead of
    /// the addresses of the registry. Lengths and hashes stay those of the registry.
    pub mirror: Option<String>,
}

/// The least speed of a download, bytes a second.
pub const SLOWEST: u64 = 1000;

impl Default for Client {
    /// Five attempts over about eight seconds, half a minute of patience, no mirror.
    fn default() -> Self {
        Self {
            attempts: 5,
            pause: Duration::from_millis(500),
            patience: Duration::from_secs(30),
            mirror: None,
        }
    }
}

impl Client {
    /// Fetches a set into the store and returns its record. An existing set is kept
    /// unless `force`.
    ///
    /// Interrupted downloads are resumed, in this call and in later ones, as long as
    /// the server says that the file is the same. `progress` counts the bytes of the
    /// current file.
    ///
    /// # Errors
    /// - [`DataError::Http`]: the server is unreachable, refuses, or keeps cutting the
    ///   connection; the bytes received are kept for the next call.
    /// - [`DataError::Mismatch`]: length or SHA-256 differs from that of the registry or,
    ///   if the registry has none, of the first download; the bytes received are deleted.
    /// - [`DataError::Decode`]: the archive or a file in it is damaged.
    /// - [`DataError::Io`]: a full disk, a store that is not writable.
    /// - [`DataError::Busy`]: another process fetches the same set.
    pub fn fetch(
        &self,
        entry: &Entry,
        force: bool,
        store: &Store,
        progress: &ProgressBar,
    ) -> Result<SetRecord> {
        let _lock = store.lock(&entry.name)?;
        // A damaged set counts as missing.
        let before = store.record(&entry.name).ok().flatten();
        if let Some(record) = before.as_ref().filter(|_| !force) {
            return Ok(record.clone());
        }
        let partial = store.partial_dir().join(&entry.name);
        fs::create_dir_all(&partial).map_err(DataError::io("create", &partial))?;

        let mut paths = Vec::new();
        let mut records = Vec::new();
        for (i, file) in entry.files.iter().enumerate() {
            progress.set_message(match entry.files.len() {
                1 => entry.name.clone(),
                all => format!("{} {}/{all}", entry.name, i + 1),
            });
            let path = partial.join(format!("{i}.part"));
            let trusted = before
                .iter()
                .flat_map(|r| &r.file)
                .find(|r| r.origin == file.url);
            records.push(self.verified(file, trusted, &path, progress)?);
            paths.push(path);
        }
        progress.set_message(format!("{}: unpacking", entry.name));
        let record = store.install(
            &entry.name,
            |out| {
                let files: Vec<(&str, &PathBuf)> = entry
                    .files
                    .iter()
                    .map(|f| f.url.as_str())
                    .zip(&paths)
                    .collect();
                let mut out = AtMost {
                    inner: out,
                    left: entry.bytes,
                    exceeded: false,
                };
                let items = unpack::unpack(entry.unpack, entry.convert, &files, &mut out);
                match (out.exceeded, entry.bytes) {
                    (true, Some(bytes)) => Err(longer(&entry.name, bytes)),
                    _ => items,
                }
            },
            |item, digests| {
                check(&entry.name, "bytes", entry.bytes, digests.bytes)?;
                check(
                    &entry.name,
                    "SHA-256",
                    entry.sha256.as_ref(),
                    &digests.sha256,
                )?;
                Ok(SetRecord {
                    name: entry.name.clone(),
                    bytes: digests.bytes,
                    blake3: digests.blake3,
                    sha256: digests.sha256,
                    licence: Some(entry.licence.clone()),
                    convert: entry.convert,
                    layout: entry.convert.layout().into(),
                    file: records,
                    item,
                })
            },
        );
        // A download that unpacks to wrong bytes would do so again, so it is deleted.
        if !record.as_ref().is_err_and(DataError::is_io) {
            fs::remove_dir_all(&partial).map_err(DataError::io("remove", &partial))?;
        }
        record
    }

    /// Downloads a file to `path` and verifies it. If a resumed file fails, it may be a
    /// mixture of two versions, so it is downloaded once more.
    fn verified(
        &self,
        file: &RemoteFile,
        trusted: Option<&FileRecord>,
        path: &Path,
        progress: &ProgressBar,
    ) -> Result<FileRecord> {
        let expected = file.sha256.as_ref().or(trusted.map(|r| &r.sha256));
        loop {
            let resumed = self.download(file, path, progress)?;
            let sha256 = sha256_of(path)?;
            let bytes = fs::metadata(path)
                .map_err(DataError::io("read", path))?
                .len();
            let Err(error) = check(&file.url, "SHA-256", expected, &sha256) else {
                return Ok(FileRecord {
                    origin: file.url.clone(),
                    bytes,
                    sha256,
                });
            };
            download::discard(path)?;
            if !resumed {
                return Err(error);
            }
        }
    }
}

/// Passes on as many bytes as a set has.
struct AtMost<'a> {
    inner: &'a mut dyn Write,
    /// None if it is not known how many that are.
    left: Option<u64>,
    exceeded: bool,
}

impl Write for AtMost<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(left) = &mut self.left {
            match left.checked_sub(bytes.len() as u64) {
                Some(rest) => *left = rest,
                None => {
                    self.exceeded = true;
                    return Err(io::Error::other("there is more than the registry says"));
                }
            }
        }
        self.inner.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The error for a set that unpacks to more than it should.
fn longer(name: &str, bytes: u64) -> DataError {
    DataError::Mismatch {
        what: format!("{name}: bytes"),
        expected: bytes.to_string(),
        got: "more".into(),
        remedy: "unpacking was stopped and what was received has been deleted; the origin serves \
                 something else than it did when the registry was written"
            .into(),
    }
}

fn check<T: PartialEq + ToString>(
    what: &str,
    measure: &str,
    expected: Option<T>,
    got: T,
) -> Result<()> {
    match expected {
        Some(expected) if expected != got => Err(DataError::Mismatch {
            what: format!("{what}: {measure}"),
            expected: expected.to_string(),
            got: got.to_string(),
            remedy: "the received bytes have been deleted; the server's file has changed since \
                     the registry was written"
                .into(),
        }),
        _ => Ok(()),
    }
}
