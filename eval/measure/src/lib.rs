//! How many bytes a trained model and some data take together.
//!
//! [`measure`] scores bytes under a [`StoredModel`]: with the weights as they
//! are and with the weights as an archive stores them. Given [`Archives`], the
//! lengths are those of files that were written, decoded by a [`Decoder`] and
//! compared by hash; without, they are code lengths under the same integer
//! frequencies. [`FreshProcess`] decodes with another process, which knows of
//! the data only what lies in the file; [`InProcess`] is for those who have no
//! command at hand.
//!
//! ```
//! use brevity_model::{Spec, Weights};
//! use brevity_measure::{Archives, InProcess, StoredModel, measure};
//! use brevity_task::Stop;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("model.safetensors");
//! let weights = Weights::from_fn(Spec::aspect(16, 64), |info| vec![0.0; info.len()])?;
//! weights.save(&path)?;
//!
//! let (data, stop) = (b"nothing learned ".repeat(100), Stop::new());
//! let model = StoredModel::for_data(weights, &data, &stop)?;
//! let archives = Archives {
//!     folder: folder.path(),
//!     name: "in-sample",
//!     model: &path,
//!     decoder: &InProcess::default(),
//! };
//! let measured = measure(&model, &data, Some(&archives), &stop)?;
//! assert_eq!(measured.bits_per_byte(), 8.0);
//! assert!(measured.verified && folder.path().join("in-sample.bvy").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archives;
mod decode;
mod error;
mod stored;

pub use archives::Archives;
pub use decode::{Decoder, Decoding, FreshProcess, InProcess, MakeModel};
pub use error::MeasureError;
pub use stored::StoredModel;

use brevity_codec::archive::Source;
use brevity_codec::{ScoreResult, code_lengths, score, weights};
use brevity_model::Transformer;
use brevity_task::Stop;

/// Most blocks that [`Measured::block_bits`] tells of.
const BLOCKS: usize = 100;

/// Bytes that such a block has at least: more than a context, as neighbours are
/// not independent.
const BLOCK: usize = 1024;

/// Lengths of some bytes under one form of a model's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Bytes of the coded stream.
    pub coded: u64,
    /// Bytes of everything else in the archive: the weights if it holds them,
    /// header, hashes.
    pub rest: u64,
}

/// What some bytes cost under a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Bytes that were scored.
    pub bytes: u64,
    /// Their BLAKE3.
    pub hash: blake3::Hash,
    /// Their exact code length under the weights as they are, bits.
    pub bits: f64,
    /// The same for contiguous blocks of (all but) equal length: as many as
    /// give each 1024 bytes, at most 100.
    pub block_bits: Vec<f64>,
    /// With the weights as they are, which the decoder must have.
    pub exact: Length,
    /// With the weights as they are stored, which the archive holds.
    pub stored: Length,
    /// Whether the lengths are those of archives that were decoded to the same
    /// bytes; otherwise they are estimates.
    pub verified: bool,
}

impl Measured {
    /// Bits a byte under the weights as they are; 0 for no bytes.
    pub fn bits_per_byte(&self) -> f64 {
        self.bits / self.bytes.max(1) as f64
    }
}

/// Measures `bytes` under a model. With `archives`, that of the model with its
/// stored weights is left in the folder; the other, which would add only the
/// coded stream to a model that is there anyway, is decoded and removed.
///
/// # Errors
/// A model that yields something that is no number; archives that cannot be
/// written, or do not decode to `bytes`; [`MeasureError::Stopped`] when `stop`
/// is set.
pub fn measure(
    model: &StoredModel,
    bytes: &[u8],
    archives: Option<&Archives<'_>>,
    stop: &Stop,
) -> Result<Measured, MeasureError> {
    let lengths = code_lengths(&Transformer::new(&model.exact), bytes)?;
    let block_bits = sums_of_blocks(&lengths);
    drop(lengths);
    let bits = block_bits.iter().sum();
    let hash = blake3::hash(bytes);
    check(stop)?;
    let exact = match archives {
        None => Length {
            coded: ScoreResult {
                bytes: bytes.len() as u64,
                bits,
            }
            .stream_bytes(),
            rest: 0,
        },
        Some(archives) => {
            let source = Source::external(&model.exact);
            archives.verified(&source, bytes, hash, stop)?.1
        }
    };
    check(stop)?;
    let stored = match archives {
        None => estimate(model, bytes)?,
        Some(archives) => {
            let source = Source::embedded(&model.exact, &model.plan);
            let (file, stored) = archives.verified(&source, bytes, hash, stop)?;
            archives.keep(file)?;
            stored
        }
    };
    Ok(Measured {
        bytes: bytes.len() as u64,
        hash,
        bits,
        block_bits,
        exact,
        stored,
        verified: archives.is_some(),
    })
}

/// The length of `bytes` and the model as it is stored; as [`measure`] does it,
/// but nothing is left in the folder.
///
/// # Errors
/// As [`measure`].
pub fn stored_length(
    model: &StoredModel,
    bytes: &[u8],
    archives: Option<&Archives<'_>>,
    stop: &Stop,
) -> Result<Length, MeasureError> {
    check(stop)?;
    let Some(archives) = archives else {
        return estimate(model, bytes);
    };
    let source = Source::embedded(&model.exact, &model.plan);
    let (_, length) = archives.verified(&source, bytes, blake3::hash(bytes), stop)?;
    Ok(length)
}

/// What the archive comes to by its code length.
fn estimate(model: &StoredModel, bytes: &[u8]) -> Result<Length, MeasureError> {
    Ok(Length {
        coded: score(&model.rounded(), bytes)?.stream_bytes(),
        rest: weights::encode(&model.exact, &model.plan).len() as u64,
    })
}

fn check(stop: &Stop) -> Result<(), MeasureError> {
    match stop.is_set() {
        true => Err(MeasureError::Stopped),
        false => Ok(()),
    }
}

/// Code lengths of single bytes, summed over blocks.
pub fn sums_of_blocks(bits: &[f32]) -> Vec<f64> {
    let count = (bits.len() / BLOCK).clamp(1, BLOCKS);
    let end = |i: usize| bits.len() * i / count;
    (0..count)
        .map(|i| &bits[end(i)..end(i + 1)])
        .map(|block| block.iter().map(|&b| f64::from(b)).sum())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_long_few_and_cover_all() {
        for (length, blocks) in [(0, 1), (2047, 1), (2048, 2), (5000, 4), (1 << 20, 100)] {
            let sums = sums_of_blocks(&vec![1.0; length]);
            assert_eq!(sums.len(), blocks);
            assert_eq!(sums.iter().sum::<f64>(), length as f64);
            let longest = sums.iter().fold(0.0_f64, |m, &x| m.max(x));
            assert!(sums.iter().all(|x| longest - x <= 1.0));
        }
    }
}
