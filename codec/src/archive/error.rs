//! What can be wrong with an archive.

use super::ModelId;
use crate::predict::PredictError;
use crate::weights::WeightError;
use std::io;

/// Why an archive cannot be written or read. Offsets are bytes from its start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading the input failed.
    #[error("cannot read")]
    Read(#[source] io::Error),
    /// Writing the output failed.
    #[error("cannot write")]
    Write(#[source] io::Error),
    /// What was written does not decode to its source.
    #[error("the archive that was written does not decode")]
    Unverified(#[source] Box<Error>),
    /// The model gave up while it coded a block.
    #[error("block {block}")]
    Predict {
        /// Which block, from 0.
        block: u64,
        /// What the model says.
        source: PredictError,
    },
    /// Not an archive at all.
    #[error("not a brevity archive: it does not start with its magic number")]
    Foreign,
    /// Of a version that this program does not know.
    #[error("archive version {0} is newer than this program: update it")]
    Version(u8),
    /// Coded with arithmetic that this program does not have.
    #[error("archive needs numeric engine {0}, which this program does not have: update it")]
    Engine(u8),
    /// It ends too early.
    #[error("archive ends at byte {offset}, in the middle of {what}")]
    Truncated {
        /// Where the next byte was expected.
        offset: u64,
        /// What was being read.
        what: &'static str,
    },
    /// A field has a value that no archive has.
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
    /// The archive was made with a model that it does not hold.
    #[error("archive needs the model {0}, which it does not hold: give it with -m")]
    ModelMissing(ModelId),
    /// A model was given, but another one is needed.
    #[error("archive needs the model {wanted}, but the one given is {given}")]
    ModelMismatch {
        /// The archive's.
        wanted: ModelId,
        /// The caller's.
        given: ModelId,
    },
    /// A learning predictor's recipe that nobody can follow.
    #[error("the recipe at byte {offset}: {reason}")]
    Recipe {
        /// Where it starts.
        offset: u64,
        /// Why not.
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
    /// A block is intact, but the frequencies computed here are not those of
    /// the encoder.
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
    /// All blocks are intact, but together not the original.
    #[error("the decoded bytes do not match the hash of the original at byte {offset}")]
    Digest {
        /// Where the hash stands.
        offset: u64,
    },
    /// A range outside of the original.
    #[error("the range {start}..{end} is not within the {length} bytes of the original")]
    Range {
        /// First byte asked for.
        start: u64,
        /// One past the last.
        end: u64,
        /// Length of the original.
        length: u64,
    },
}
