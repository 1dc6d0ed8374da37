//! Bytes in memory or mapped from a file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use crate::error::{DataError, Result, changes};

/// Most bytes of a source that are read into memory as a whole. What is longer is
/// mapped, and its hash is remembered.
pub const IN_MEMORY: u64 = 64 << 20;

/// Bytes read at once where a long file is read from start to end.
pub(crate) const PIECE: usize = 1 << 20;

/// Bytes in memory, or mapped from a file. Clones and parts share them.
///
/// Of a mapped file only what is looked at is read, when it is looked at. What has
/// been looked at counts as memory of this process for a while; while it is more than
/// some hundred megabytes, it is given back and read again when it is looked at again,
/// mostly from the system's cache. A file that gets shorter while it is mapped ends the
/// process; only long files are mapped.
///
/// ```
/// use brevity_data::Bytes;
/// let bytes = Bytes::from(b"to be or not".to_vec());
/// let part = bytes.part(3..5).unwrap();
/// assert_eq!(part, b"be");
/// assert_eq!(part.len(), 2);
/// ```
#[derive(Clone)]
pub struct Bytes {
    whole: Whole,
    range: Range<usize>,
}

#[derive(Clone)]
enum Whole {
    Memory(Arc<Vec<u8>>),
    Mapped(Arc<Mmap>),
}

impl Whole {
    fn all(&self) -> &[u8] {
        match self {
            Self::Memory(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }
}

impl Bytes {
    /// Maps a regular file that holds something.
    pub(crate) fn map(file: &File) -> io::Result<Self> {
        // SAFETY: the map is read only. That the file keeps its length while it is
        // mapped is asked of the user, see above.
        let map = Arc::new(unsafe { Mmap::map(file)? });
        let range = 0..map.len();
        #[cfg(target_os = "linux")]
        trim::watch(&map);
        Ok(Self {
            whole: Whole::Mapped(map),
            range,
        })
    }

    /// The bytes of a regular file: in memory up to 64 MiB, mapped beyond.
    ///
    /// # Errors
    /// A file that cannot be read, or changes while it is read.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(DataError::io("read", path))?;
        let meta = file.metadata().map_err(DataError::io("read", path))?;
        Self::of_file(&mut file, path, meta.len())
    }

    /// A file that had this length.
    pub(crate) fn of_file(file: &mut File, path: &Path, length: u64) -> Result<Self> {
        if length > IN_MEMORY {
            let bytes = Self::map(file).map_err(DataError::io("map", path))?;
            return match bytes.len() as u64 == length {
                true => Ok(bytes),
                false => Err(changes(path)),
            };
        }
        let mut bytes = Vec::with_capacity(length as usize);
        let read = file.take(length + 1).read_to_end(&mut bytes);
        match read.map_err(DataError::io("read", path))? as u64 == length {
            true => Ok(bytes.into()),
            false => Err(changes(path)),
        }
    }

    /// The bytes of a range, counted from the first of these; `None` where it ends
    /// beyond the last. Nothing is copied.
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        self.get(range.clone())?;
        let start = self.range.start;
        Some(Self {
            whole: self.whole.clone(),
            range: start + range.start..start + range.end,
        })
    }

    /// Consecutive pieces of `length` bytes, the last one possibly shorter. Each is given
    /// back when the next is taken: a pass takes the memory of a piece.
    ///
    /// # Panics
    /// If `length` is 0.
    pub(crate) fn pieces(&self, length: usize) -> impl Iterator<Item = &[u8]> {
        let mut before = 0..0;
        self.chunks(length).inspect(move |piece| {
            self.release(before.clone());
            before = before.end..before.end + piece.len();
        })
    }

    /// Gives pages of a mapped file back.
    fn release(&self, part: Range<usize>) {
        #[cfg(unix)]
        if let Whole::Mapped(map) = &self.whole
            && !part.is_empty()
        {
            // SAFETY: a read-only map of a file is filled from the file again.
            let _ = unsafe {
                map.unchecked_advise_range(
                    memmap2::UncheckedAdvice::DontNeed,
                    self.range.start + part.start,
                    part.len(),
                )
            };
        }
        #[cfg(not(unix))]
        let _ = part;
    }

    /// BLAKE3 of the bytes, in hex.
    pub(crate) fn blake3(&self) -> String {
        let mut hash = blake3::Hasher::new();
        for piece in self.pieces(PIECE) {
            hash.update(piece);
        }
        self.release(0..self.len());
        hash.finalize().to_hex().to_string()
    }
}

/// Gives the pages of mapped files back while they are many.
#[cfg(target_os = "linux")]
mod trim {
    use std::sync::{Arc, Mutex, PoisonError, Weak};
    use std::thread;
    use std::time::Duration;

    use memmap2::{Mmap, UncheckedAdvice};

    /// Pages of files beyond which all are given back.
    const MOST: u64 = 192 << 20;

    /// Between two looks a fast disk or cache fills some ten megabytes.
    const PAUSE: Duration = Duration::from_millis(20);

    static MAPS: Mutex<Vec<Weak<Mmap>>> = Mutex::new(Vec::new());

    /// Takes a map in. The first one starts the thread that looks after all of them,
    /// which ends when there is none left.
    pub fn watch(map: &Arc<Mmap>) {
        let mut maps = MAPS.lock().unwrap_or_else(PoisonError::into_inner);
        if maps.is_empty() {
            // Without the thread more memory is used, and nothing else is different.
            let _ = thread::Builder::new().name("trim".into()).spawn(run);
        }
        maps.push(Arc::downgrade(map));
    }

    fn run() {
        loop {
            thread::sleep(PAUSE);
            let mut maps = MAPS.lock().unwrap_or_else(PoisonError::into_inner);
            maps.retain(|map| map.strong_count() > 0);
            if maps.is_empty() {
                return;
            }
            if resident() > MOST {
                for map in maps.iter().filter_map(Weak::upgrade) {
                    // SAFETY: a read-only map of a file is filled from the file again.
                    let _ = unsafe { map.unchecked_advise(UncheckedAdvice::DontNeed) };
                }
            }
        }
    }

    /// Bytes of the pages of files that are in memory, those of the program included.
    fn resident() -> u64 {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = statm
            .split(' ')
            .nth(2)
            .and_then(|shared| shared.parse().ok());
        pages.unwrap_or(0) * 4096
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self {
            whole: Whole::Memory(Arc::new(bytes)),
            range,
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.whole.all()[self.range.clone()]
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Bytes {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Bytes {
    /// The length, and the first bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = String::from_utf8_lossy(&self[..self.len().min(40)]);
        write!(f, "Bytes({}: {first:?})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn mapped(content: &[u8]) -> Bytes {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Bytes::map(&file).unwrap()
    }

    #[test]
    fn mapped_bytes_are_those_of_memory() {
        let content: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
        let (map, memory) = (mapped(&content), Bytes::from(content.clone()));
        assert_eq!(map, memory);
        assert_eq!(map.blake3(), memory.blake3());
        let part = map.part(5000..90_001).unwrap();
        assert_eq!(part, content[5000..90_001]);
        assert_eq!(part.part(1..3).unwrap(), content[5001..5003]);
        assert!(part.part(0..85_002).is_none());
        let again: Vec<u8> = part.pieces(4096).flatten().copied().collect();
        assert_eq!(part, again);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pass_over_a_mapped_file_takes_the_memory_of_a_piece() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(96 << 20).unwrap();
        let bytes = Bytes::map(&file).unwrap();
        // The pages of mapped files of this process, in KiB.
        let resident = || -> u64 {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|l| l.starts_with("RssFile:")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let before = resident();
        let mut most = 0;
        for piece in bytes.pieces(PIECE) {
            assert!(piece.iter().all(|byte| *byte == 0));
            most = most.max(resident().saturating_sub(before));
        }
        assert!(most < 16 << 10, "{most} KiB");
    }
}
