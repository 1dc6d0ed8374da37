//! Archives: bytes in, a self-describing file out, and back.
//!
//! What lives here:
//! - [`compress`], streaming, with a [`Source`] of predictions and [`Options`];
//!   [`compress_verified`], which decodes what it writes;
//! - [`decompress`], streaming; [`decompress_range`] for a part of a file;
//!   [`salvage`] for what is left of a damaged one;
//! - [`inspect`], which reads all fields and decodes nothing; [`entropy`], which
//!   tells what the streams take at least;
//! - [`Header`], [`Index`] and the block header: the fields themselves, which
//!   `docs/format.md` specifies byte by byte.
//!
//! An archive is a header with the model, its hash or nothing, then blocks that
//! are coded independently, an index if there are several, and the hash of the
//! original. Each block has a check of its stored bytes, so that damage is found
//! before anything is decoded, and a hash of the frequencies the encoder used,
//! so that a decoder that computes others says so.
//!
//! Input is never trusted: lengths are bounded, memory grows with what is
//! really there, and every error names the byte offset.
//!
//! ```
//! use brevity_codec::archive::{compress, decompress, Models, Options, Source};
//!
//! let text = b"how much wood would a woodchuck chuck".repeat(20);
//! let mut archive = Vec::new();
//! compress(&text[..], &mut archive, &Source::none(), &Options::default(), &|_| {})?;
//! assert!(archive.len() < 120);
//!
//! let mut back = Vec::new();
//! decompress(&archive[..], &mut back, &Models::default(), &|_| {})?;
//! assert_eq!(back, text);
//! # Ok::<(), brevity_codec::archive::Error>(())
//! ```

mod entropy;
mod error;
mod input;
mod inspect;
mod layout;
mod read;
mod salvage;
mod seek;
mod verified;
mod write;

pub use entropy::entropy;
pub use error::Error;
pub use inspect::{BlockInfo, Inspection, inspect};
pub use layout::{
    DIGEST, ENGINE, Effort, Header, Index, MAGIC, MAX_BLOCK, MAX_LANES, ModelId, VERSION,
};
pub use read::{Models, decompress};
pub use salvage::{Salvaged, salvage};
pub use seek::decompress_range;
pub use verified::compress_verified;
pub use write::{Options, Source, compress};

/// What the names of archives end in.
pub const EXTENSION: &str = "bvy";

/// What went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Bytes of the original.
    pub raw: u64,
    /// Bytes of the archive.
    pub stored: u64,
    /// The front of the original's BLAKE3.
    pub digest: [u8; DIGEST],
}

/// The front of a BLAKE3, as archives hold it.
fn digest(hasher: &blake3::Hasher) -> [u8; DIGEST] {
    let mut out = [0; DIGEST];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..DIGEST]);
    out
}
