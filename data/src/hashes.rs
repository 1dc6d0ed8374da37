//! Hashes of files, remembered by path, length and time of the last change.
//!
//! A file of ten gigabytes takes seconds to hash and no time to map. What was hashed
//! once is kept in the user's cache folder, one small text file for each path:
//!
//! ```text
//! <check: BLAKE3 of the rest, 16 digits>
//! <length> <time of the last change, nanoseconds>
//! <start> <end> <BLAKE3 of these bytes>
//! ```
//!
//! The folder can be deleted at any time. A file that cannot be read or written there
//! costs time and nothing else.

use std::fmt;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::bytes::PIECE;
use crate::error::{DataError, Result, changes};

/// Most ranges that are remembered of a file; the oldest are forgotten first.
const MOST: usize = 256;

/// A file that changed less than this before it was hashed may change again without
/// another time: file systems count in steps of up to two seconds.
const SETTLED: Duration = Duration::from_secs(3);

/// What tells that a file is the one that was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    length: u64,
    /// Time of the last change, nanoseconds since 1970.
    changed: u128,
}

impl Stamp {
    pub fn of(path: &Path) -> Result<Self> {
        let read = || -> std::io::Result<Self> {
            let meta = fs::metadata(path)?;
            let changed = meta.modified()?.duration_since(UNIX_EPOCH);
            Ok(Self {
                length: meta.len(),
                changed: changed.map_or(0, |since| since.as_nanos()),
            })
        };
        read().map_err(DataError::io("read", path))
    }

    fn settled(self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_nanos());
        self.changed + SETTLED.as_nanos() < now
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.length, self.changed)
    }
}

/// Hashes of the ranges of one file.
#[derive(Debug, Default)]
struct Known(Vec<(Range<u64>, String)>);

impl Known {
    fn get(&self, range: &Range<u64>) -> Option<&String> {
        self.0
            .iter()
            .find(|(r, _)| r == range)
            .map(|(_, hash)| hash)
    }

    fn parse(text: &str, stamp: Stamp) -> Option<Self> {
        let (check, rest) = text.split_once('\n')?;
        if check != self::check(rest) {
            return None;
        }
        let mut lines = rest.lines();
        let (length, changed) = lines.next()?.split_once(' ')?;
        let then = Stamp {
            length: length.parse().ok()?,
            changed: changed.parse().ok()?,
        };
        let mut known = Vec::new();
        for line in lines {
            let mut fields = line.split(' ');
            let start = fields.next()?.parse().ok()?;
            let end = fields.next()?.parse().ok()?;
            known.push((start..end, fields.next()?.to_owned()));
        }
        (then == stamp).then_some(Self(known))
    }

    fn text(&self, stamp: Stamp) -> String {
        let mut rest = format!("{stamp}\n");
        for (range, hash) in &self.0 {
            rest += &format!("{} {} {hash}\n", range.start, range.end);
        }
        format!("{}\n{rest}", check(&rest))
    }
}

fn check(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

/// The folder of remembered hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hashes {
    folder: PathBuf,
}

impl Hashes {
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The file that remembers the hashes of `path`.
    fn record(&self, path: &Path) -> PathBuf {
        let absolute = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = blake3::hash(absolute.as_os_str().as_encoded_bytes()).to_hex();
        self.folder.join(&name[..32])
    }

    fn read(&self, path: &Path, stamp: Stamp) -> Known {
        let text = fs::read_to_string(self.record(path));
        let known = text.ok().and_then(|text| Known::parse(&text, stamp));
        known.unwrap_or_default()
    }

    /// Bytes to be read before the hashes of these ranges are known.
    pub fn unread(&self, path: &Path, ranges: &[Range<u64>]) -> u64 {
        let known = Stamp::of(path).map(|stamp| self.read(path, stamp));
        let known = known.unwrap_or_default();
        let missing = ranges.iter().filter(|range| known.get(range).is_none());
        let missing: Vec<_> = missing.cloned().collect();
        let parts = parts(&missing);
        parts.iter().map(|part| part.end - part.start).sum()
    }

    /// Whether the hashes of these ranges are remembered.
    #[cfg(test)]
    fn has(&self, path: &Path, ranges: &[Range<u64>]) -> bool {
        self.unread(path, ranges) == 0
    }

    /// Remembers hashes.
    pub fn put(&self, path: &Path, stamp: Stamp, hashes: &[(Range<u64>, String)]) {
        if !stamp.settled() {
            return;
        }
        let mut known = self.read(path, stamp);
        known
            .0
            .retain(|(range, _)| hashes.iter().all(|(r, _)| r != range));
        known.0.extend(hashes.iter().cloned());
        let forgotten = known.0.len().saturating_sub(MOST);
        known.0.drain(..forgotten);
        // What cannot be remembered is hashed again.
        let _ = fs::create_dir_all(&self.folder)
            .and_then(|()| brevity_files::write(&self.record(path), known.text(stamp).as_bytes()));
    }

    /// BLAKE3 of each range of a regular file, in hex: remembered, or read in one pass.
    ///
    /// # Errors
    /// A file that cannot be read, or changes while it is read.
    pub fn of(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<String>> {
        let stamp = Stamp::of(path)?;
        let known = self.read(path, stamp);
        let mut missing: Vec<Range<u64>> = Vec::new();
        for range in ranges {
            if known.get(range).is_none() && !missing.contains(range) {
                missing.push(range.clone());
            }
        }
        let new: Vec<_> = match missing.is_empty() {
            true => Vec::new(),
            false => missing.iter().cloned().zip(hash(path, &missing)?).collect(),
        };
        if !new.is_empty() {
            if Stamp::of(path)? != stamp {
                return Err(changes(path));
            }
            self.put(path, stamp, &new);
        }
        let all = Known(known.0.into_iter().chain(new).collect());
        let hash = |range| all.get(range).expect("known or just hashed").clone();
        Ok(ranges.iter().map(hash).collect())
    }
}

/// The parts of a file that these ranges cover, in order.
fn parts(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| range.start);
    let mut parts: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match parts.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => parts.push(range),
        }
    }
    parts
}

/// Reads the parts of a file that are asked for, each once.
fn hash(path: &Path, ranges: &[Range<u64>]) -> Result<Vec<String>> {
    let io = || DataError::io("read", path);
    let mut file = File::open(path).map_err(io())?;
    let mut hashers = vec![blake3::Hasher::new(); ranges.len()];
    let mut piece = vec![0; PIECE];
    for part in parts(ranges) {
        file.seek(SeekFrom::Start(part.start)).map_err(io())?;
        let mut at = part.start;
        while at < part.end {
            let wanted = (part.end - at).min(PIECE as u64) as usize;
            let read = file.read(&mut piece[..wanted]).map_err(io())?;
            if read == 0 {
                return Err(changes(path));
            }
            let next = at + read as u64;
            for (range, hasher) in ranges.iter().zip(&mut hashers) {
                let from = range.start.clamp(at, next) - at;
                let to = range.end.clamp(at, next) - at;
                hasher.update(&piece[from as usize..to as usize]);
            }
            at = next;
        }
    }
    let hex = |hasher: &blake3::Hasher| hasher.finalize().to_hex().to_string();
    Ok(hashers.iter().map(hex).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_old(path: &Path) {
        let file = File::options().write(true).open(path).unwrap();
        let then = SystemTime::now() - Duration::from_secs(60);
        file.set_modified(then).unwrap();
    }

    #[test]
    fn a_hash_is_remembered_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        fs::write(&path, "to be or not to be").unwrap();
        set_old(&path);
        let hashes = Hashes::at(folder.path().join("cache"));
        let ranges = [0..18, 3..5];
        assert!(!hashes.has(&path, &ranges));
        let first = hashes.of(&path, &ranges).unwrap();
        assert_eq!(first[1], blake3::hash(b"be").to_hex().as_str());
        assert!(hashes.has(&path, &ranges));
        assert_eq!(hashes.of(&path, &ranges).unwrap(), first);

        fs::write(&path, "to be or NOT to be").unwrap();
        assert!(!hashes.has(&path, &ranges));
        let second = hashes.of(&path, &ranges).unwrap();
        assert_ne!(second[0], first[0]);
        // It changed a moment ago and may change again.
        assert!(!hashes.has(&path, &ranges));
    }

    #[test]
    fn only_what_is_asked_for_is_read() {
        assert_eq!(parts(&[5..9, 0..3, 2..4, 9..10]), [0..4, 5..10]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        fs::write(&path, "0123456789").unwrap();
        set_old(&path);
        let hashes = Hashes::at(folder.path().join("cache"));
        assert_eq!(hashes.unread(&path, &[0..10, 0..2]), 10);
        hashes.of(&path, std::slice::from_ref(&(0..10))).unwrap();
        assert_eq!(hashes.unread(&path, &[0..10, 0..2, 7..10]), 5);
        let found = hashes.of(&path, &[0..2, 7..10]).unwrap();
        let hash = |text: &[u8]| blake3::hash(text).to_hex().to_string();
        assert_eq!(found, [hash(b"01"), hash(b"789")]);
    }

    #[test]
    fn a_damaged_record_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        fs::write(&path, "0123456789").unwrap();
        set_old(&path);
        let hashes = Hashes::at(folder.path().join("cache"));
        let right = hashes.of(&path, std::slice::from_ref(&(0..10))).unwrap();
        let record = hashes.record(&path);
        let text = fs::read_to_string(&record).unwrap();
        fs::write(&record, text.replace(&right[0][..4], "0000")).unwrap();
        assert!(!hashes.has(&path, std::slice::from_ref(&(0..10))));
        assert_eq!(
            hashes.of(&path, std::slice::from_ref(&(0..10))).unwrap(),
            right
        );
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_time_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        fs::write(&path, "0123456789").unwrap();
        set_old(&path);
        let hashes = Hashes::at(path.join("no folder"));
        let right = blake3::hash(b"0123456789").to_hex().to_string();
        assert_eq!(
            hashes.of(&path, std::slice::from_ref(&(0..10))).unwrap(),
            [right]
        );
    }
}
