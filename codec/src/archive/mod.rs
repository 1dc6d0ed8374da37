//! Archives: compression to a self-describing file, and decompression.
//!
//! Contents:
//! - [`compress`], streaming, with a [`Source`] of predictions and [`Options`];
//!   [`compress_verified`], which also decodes what it writes;
//! - [`decompress`], streaming; [`decompress_range`] for a part of a file;
//!   [`salvage`] for the intact parts of a damaged one;
//! - [`inspect`], which reads all fields without decoding; [`entropy`], the
//!   code length of each block;
//! - [`Header`], [`Index`] and the block header: the fields, which
//!   `docs/format.md` specifies byte by byte.
//!
//! An archive is a header with the model, its hash, a recipe or nothing, then blocks
//! that are coded independently, an index if there are several, and the hash of the
//! original. Each block has a checksum of its stored bytes, so that damage is found
//! before decoding, and a hash of the frequencies that the encoder used, so that a
//! decoder that computes other frequencies is detected.
//! A brief archive, of at most [`BRIEF`] bytes without a model, has one check in place of
//! these and of the hash of the original.
//!
//! Input is never trusted: lengths are bounded, memory grows only with the bytes
//! really read, and every error names the byte offset.
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

mod batch;
mod demand;
mod displaced;
mod entropy;
mod error;
mod extent;
mod index;
mod input;
mod inspect;
mod layout;
mod limits;
mod models;
mod read;
mod repair;
mod salvage;
mod seek;
mod sought;
mod verified;
mod walked;
mod write;

pub use entropy::entropy;
pub use error::Error;
pub use index::Index;
pub use inspect::{BlockInfo, Inspection, inspect};
pub use layout::{
    BRIEF, DIGEST, ENGINE, Effort, Header, MAGIC, MAX_BLOCK, MAX_LANES, ModelId, VERSION,
};
pub use limits::{Demand, Limits};
pub use models::Models;
pub use read::decompress;
pub use salvage::{Salvaged, salvage};
pub use seek::decompress_range;
pub use verified::compress_verified;
pub use write::{Options, Source, Written, compress, compress_decoding};

/// File name extension of archives.
pub const EXTENSION: &str = "bvy";

/// Sizes and hash of a compression or decompression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Bytes of the original.
    pub raw: u64,
    /// Bytes of the archive.
    pub stored: u64,
    /// The first bytes of the original's BLAKE3 hash.
    pub digest: [u8; DIGEST],
}

/// The first bytes of a BLAKE3 hash, as archives store them.
fn digest(hasher: &blake3::Hasher) -> [u8; DIGEST] {
    let mut out = [0; DIGEST];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..DIGEST]);
    out
}
