//! Files in memory as they lie on disk.

use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// A file mapped into memory. It must not be changed while it is in use: then the
/// numbers change under the reader, or the process is ended by the system.
#[derive(Clone, Debug)]
pub struct Mapped(Arc<Mmap>);

impl Mapped {
    /// Maps a regular file.
    ///
    /// # Errors
    /// What the file system says, or that it is no regular file.
    pub fn open(path: &Path) -> io::Result<Mapped> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        // SAFETY: read only; see above for what the user must not do.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Mapped(Arc::new(map)))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Bytes of a tensor: of a file, or made from it.
#[derive(Clone, Debug)]
pub enum Bytes {
    /// A part of a file.
    Mapped(Mapped, Range<usize>),
    /// What was made.
    Owned(Arc<Vec<u8>>),
}

impl Bytes {
    /// The bytes.
    pub fn get(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map, range) => &map.bytes()[range.clone()],
            Bytes::Owned(bytes) => bytes,
        }
    }
}
