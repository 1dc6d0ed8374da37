//! Errors of reading and writing archives.

use super::ModelId;
use crate::predict::PredictError;
use crate::weights::WeightError;
use std::ops::Range;
use std::{fmt, io};

/// Why an archive cannot be written or read. Offsets are bytes from its start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading the input failed.
    #[error("cannot read")]
    Read(#[source] io::Error),
    /// Writing the output failed.
    #[error("cannot write")]
    Write(#[source] io::Error),
    /// The written archive does not decode to its source.
    #[error("the archive that was written does not decode")]
    Unverified(#[source] Box<Error>),
    /// The model failed while coding a block.
    #[error("block {block}")]
    Predict {
        /// Which block, from 0.
        block: u64,
        /// The model's error.
        source: PredictError,
    },
    /// Not an archive.
    #[error("not a brevity archive: it does not start with its magic number")]
    Foreign,
    /// The format version is unknown to this program.
    #[error(
        "archive version {0} is newer than this program: update it; if the archive is damaged, \
         --salvage may restore its header"
    )]
    Version(u8),
    /// There never was such a version.
    #[error(
        "the archive says it has version 0, and there never was one: it is damaged, or older \
         than the first release"
    )]
    VersionZero,
    /// The archive was coded with arithmetic that this program does not have.
    #[error(
        "archive needs numeric engine {0}, which this program does not have: update it; if the \
         archive is damaged, --salvage may restore its header"
    )]
    Engine(u8),
    /// The archive ends too early.
    #[error("archive ends at byte {offset}, in the middle of {what}")]
    Truncated {
        /// Where the next byte was expected.
        offset: u64,
        /// What was being read.
        what: &'static str,
    },
    /// A field has an invalid value.
    #[error("archive is damaged at byte {offset}: {what}")]
    Malformed {
        /// Where the field starts.
        offset: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The stored model does not match its checksum.
    #[error("archive is damaged: the model at byte {offset} does not match its checksum")]
    ModelCheck {
        /// Where the model starts.
        offset: u64,
    },
    /// The stored model cannot be decoded.
    #[error("the model at byte {offset}")]
    Model {
        /// Where the model starts.
        offset: u64,
        /// What is wrong with it.
        source: WeightError,
    },
    /// The archive needs a model that it does not contain.
    #[error("archive needs the model {0}, which it does not hold: give it with -m")]
    ModelMissing(ModelId),
    /// A model was given, but another one is needed.
    #[error("archive needs the model {wanted}, but the one given is {given}")]
    ModelMismatch {
        /// The model that the archive needs.
        wanted: ModelId,
        /// The model that the caller gave.
        given: ModelId,
    },
    /// The recipe of a learning model is invalid.
    #[error("the recipe at byte {offset}: {reason}")]
    Recipe {
        /// Where it starts.
        offset: u64,
        /// Why not.
        reason: String,
    },
    /// The archive was made with a predictor from outside, and there is none.
    #[error("archive was made with a predictor from outside: give it with --predictor")]
    PredictorMissing,
    /// The predictor that was given is not the one that the archive was made with.
    #[error("the predictor: {reason}")]
    Predictor {
        /// What differs, or why it does not start.
        reason: String,
    },
    /// A block does not match its checksum.
    #[error("block {block} at byte {offset} is damaged: it does not match its checksum")]
    BlockCheck {
        /// Which block, from 0.
        block: u64,
        /// Where it starts.
        offset: u64,
    },
    /// Blocks were not found.
    #[error("{}", missing(.blocks))]
    BlocksMissing {
        /// Which blocks, from 0.
        blocks: Range<u64>,
    },
    /// A block lies elsewhere than it should.
    #[error("block {block} lies at byte {offset}, not where it should")]
    BlockMoved {
        /// Which block, from 0.
        block: u64,
        /// Offset of its first byte in the archive.
        offset: u64,
    },
    /// A block is intact, but the frequencies computed here differ from the
    /// encoder's.
    #[error(
        "block {block} at byte {offset} is intact, but this machine computes other frequencies \
         than the encoder did: please report this, with the output of `brevity selftest`"
    )]
    Diverged {
        /// Which block, from 0.
        block: u64,
        /// Where it starts.
        offset: u64,
    },
    /// A block is intact, but a predictor from outside gives other probabilities than
    /// it gave the encoder.
    #[error(
        "block {block} at byte {offset} is intact, but the predictor gives other probabilities \
         than it gave when the archive was made: it needs the same program, weights, libraries \
         and kind of machine"
    )]
    Unrepeatable {
        /// Which block, from 0.
        block: u64,
        /// Where it starts.
        offset: u64,
    },
    /// All blocks are intact, but together they are not the original.
    #[error("the decoded bytes do not match the hash of the original at byte {offset}")]
    Digest {
        /// Where the hash is.
        offset: u64,
    },
    /// Decoding needs more memory than is allowed.
    #[error(
        "block {block} needs {} of memory to decode, more than the limit of {}: allow it with \
         --memory",
        Bytes(*needs),
        Bytes(*limit)
    )]
    Memory {
        /// Which block, from 0.
        block: u64,
        /// Bytes of memory, at most.
        needs: u64,
        /// What is allowed.
        limit: u64,
    },
    /// Decoding needs more work than is allowed.
    #[error(
        "decoding up to block {block} takes {needs:.1e} operations, more than the limit of \
         {limit:.1e}: allow it with --work"
    )]
    Work {
        /// Which block, from 0.
        block: u64,
        /// Operations up to its end.
        needs: f64,
        /// What is allowed.
        limit: f64,
    },
    /// The range is not within the original.
    #[error("the range {start}..{end} is not within the {length} bytes of the original")]
    Range {
        /// First byte requested.
        start: u64,
        /// One past the last.
        end: u64,
        /// Length of the original.
        length: u64,
    },
}

/// Bytes in a unit that suits.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            u64::MAX => f.write_str("more than 16 EiB"),
            bytes @ 0x4000_0000.. => write!(f, "{:.1} GiB", bytes as f64 / (1_u64 << 30) as f64),
            bytes => write!(f, "{:.1} MiB", bytes as f64 / (1_u64 << 20) as f64),
        }
    }
}

fn missing(blocks: &Range<u64>) -> String {
    match (blocks.start, blocks.end - 1) {
        (first, last) if first == last => format!("block {first} is missing"),
        (first, last) => format!("blocks {first} to {last} are missing"),
    }
}
