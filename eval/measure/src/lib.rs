//! Measurement of description lengths by writing, decoding, comparing archives.
//!
//! [`measure`] scores bytes under a [`StoredModel`]: with the weights as trained and
//! with the weights as an archive stores them. With [`Archives`], the lengths are those
//! of files that were written, decoded by a [`Decoder`] and compared by hash; otherwise
//! they are code lengths under the same integer frequencies. [`FreshProcess`] decodes
//! in another process, which knows nothing of the data except the file; [`InProcess`]
//! is for callers without a command to start.
//!
//! ```
//! use brevity_length::Regime;
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
//! let bytes = data.len() as u64;
//! let found = measure(&model, &data, Regime::InSample, bytes, Some(&archives), &stop)?;
//! assert_eq!(found.bits_per_byte(), 8.0);
//! assert!(found.is_decoded() && folder.path().join("in-sample.bvy").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archives;
mod decode;
mod error;
mod stored_model;

pub use archives::Archives;
pub use decode::{Decoder, Decoding, FreshProcess, InProcess, MakeModel};
pub use error::MeasureError;
pub use stored_model::StoredModel;

use brevity_codec::archive::Source;
use brevity_codec::{
    Contexts, Method, ScoreError, ScoreResult, block_lengths, code_lengths_beside, score,
    score_beside, weights,
};
use brevity_files::Temporary;
use brevity_length::{Code, Convention, Description, Evidence, Regime, Scored};
use brevity_model::{Transformer, Weights};
use brevity_task::Stop;

/// Limit on the number of [`Description::block_bits`].
const BLOCKS: usize = 100;

/// Minimum number of bytes of such a block. It is more than a context, because
/// neighbouring bytes are not independent.
const BLOCK: usize = 1024;

/// The parts of an archive in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The coded stream.
    pub coded: u64,
    /// Everything else: the weights or the recipe if it holds them, header, hashes.
    pub rest: u64,
}

/// Measures the description length of `bytes` under a model: with the weights as
/// trained, by the convention `fp16`, and with the weights as stored. `trained_on` is
/// the number of training bytes; `regime` is how `bytes` relate to them.
///
/// With `archives`, the archive that holds the stored weights is kept in the folder;
/// the other, which only adds the coded stream to a model file, is decoded and removed.
///
/// # Errors
/// A model whose output is not finite; archives that cannot be written, or do not
/// decode to `bytes`; [`MeasureError::Stopped`] when `stop` is set.
pub fn measure(
    model: &StoredModel,
    bytes: &[u8],
    regime: Regime,
    trained_on: u64,
    archives: Option<&Archives<'_>>,
    stop: &Stop,
) -> Result<Description, MeasureError> {
    described(
        model,
        Coder::Model,
        bytes,
        regime,
        trained_on,
        archives,
        stop,
    )
}

/// As [`measure`], where the bytes are coded by the model mixed with context models, which
/// say `beside` of them; the conventions are [`mixed`](Convention::mixed).
///
/// # Errors
/// As [`measure`].
///
/// # Panics
/// If `beside` is of other bytes.
pub fn measure_mixture(
    model: &StoredModel,
    beside: &Contexts,
    bytes: &[u8],
    regime: Regime,
    trained_on: u64,
    archives: Option<&Archives<'_>>,
    stop: &Stop,
) -> Result<Description, MeasureError> {
    let coder = Coder::Mixture(beside);
    let found = described(model, coder, bytes, regime, trained_on, archives, stop)?;
    Ok(found.by_mixture())
}

/// Measures `bytes` with the model stored in at most, and nearly, this many bits per
/// parameter ([`StoredModel::at_bits`]); with what context models say `beside`, by the
/// mixture. No file is kept.
///
/// # Errors
/// As [`measure`].
///
/// # Panics
/// If `beside` is of other bytes.
pub fn measure_at_bits(
    model: &StoredModel,
    bits: f64,
    bytes: &[u8],
    beside: Option<&Contexts>,
    archives: Option<&Archives<'_>>,
    stop: &Stop,
) -> Result<Code, MeasureError> {
    check(stop)?;
    let model = model.at_bits(bits);
    let coder = beside.map_or(Coder::Model, Coder::Mixture);
    let (_, stored) = coder.stored(&model, bytes, blake3::hash(bytes), archives, stop)?;
    let convention = Convention::bits(bits);
    Ok(match coder {
        Coder::Model => code(convention, stored),
        Coder::Mixture(_) => code(convention.mixed(), stored),
    })
}

fn described(
    model: &StoredModel,
    coder: Coder<'_>,
    bytes: &[u8],
    regime: Regime,
    trained_on: u64,
    archives: Option<&Archives<'_>>,
    stop: &Stop,
) -> Result<Description, MeasureError> {
    let block_bits = coder.block_lengths(&model.exact, bytes)?;
    let bits = block_bits.iter().sum();
    let hash = blake3::hash(bytes);
    check(stop)?;
    let coded = match archives {
        None => ScoreResult {
            bytes: bytes.len() as u64,
            bits,
        }
        .stream_bytes(),
        Some(archives) => {
            let source = Source::external(&model.exact);
            let written = archives.verified(&source, coder.method(), bytes, hash, stop)?;
            written.1.coded
        }
    };
    check(stop)?;
    let (file, stored) = coder.stored(model, bytes, hash, archives, stop)?;
    if let (Some(archives), Some(file)) = (archives, file) {
        archives.keep(file)?;
    }
    let scored = Scored {
        bytes: bytes.len() as u64,
        hash: hash.to_string(),
    };
    let parameters = model.exact.spec().parameters();
    Ok(
        Description::two_part(regime, scored, bits, coded, parameters, trained_on)
            .with(code(Convention::stored(), stored))
            .evidence(match archives {
                Some(_) => Evidence::Decoded,
                None => Evidence::Estimate,
            })
            // Whole bits are precise enough for the bootstrap.
            .with_blocks(block_bits.iter().map(|bits| bits.round() as u64).collect()),
    )
}

/// What codes the bytes.
#[derive(Clone, Copy)]
enum Coder<'a> {
    /// The model alone.
    Model,
    /// The model mixed with context models, which say this of the bytes.
    Mixture(&'a Contexts),
}

impl Coder<'_> {
    fn method(self) -> Method {
        match self {
            Coder::Model => Method::Model,
            Coder::Mixture(_) => Method::Mixed,
        }
    }

    /// The code lengths of the [blocks](ends_of_blocks) of the bytes, in bits.
    fn block_lengths(self, weights: &Weights, bytes: &[u8]) -> Result<Vec<f64>, ScoreError> {
        match self {
            Coder::Model => {
                let ends = ends_of_blocks(bytes.len());
                block_lengths(&Transformer::new(weights), bytes, &ends)
            }
            Coder::Mixture(beside) => {
                let lengths = code_lengths_beside(weights, bytes, beside)?;
                Ok(sums_of_blocks(&lengths))
            }
        }
    }

    /// The size of the archive that holds the stored weights, and its file; without
    /// archives, from its code length.
    fn stored(
        self,
        model: &StoredModel,
        bytes: &[u8],
        hash: blake3::Hash,
        archives: Option<&Archives<'_>>,
        stop: &Stop,
    ) -> Result<(Option<Temporary>, Parts), MeasureError> {
        if let Some(archives) = archives {
            let source = Source::embedded(&model.exact, &model.plan);
            let (file, parts) = archives.verified(&source, self.method(), bytes, hash, stop)?;
            return Ok((Some(file), parts));
        }
        let rounded = model.rounded();
        let coded = match self {
            Coder::Model => score(&rounded, bytes)?,
            Coder::Mixture(beside) => score_beside(&rounded, bytes, beside)?,
        };
        let parts = Parts {
            coded: coded.stream_bytes(),
            rest: weights::encode(&model.exact, &model.plan).len() as u64,
        };
        Ok((None, parts))
    }
}

fn code(convention: Convention, parts: Parts) -> Code {
    Code {
        convention,
        coded_bytes: parts.coded,
        model_bytes: parts.rest,
    }
}

fn check(stop: &Stop) -> Result<(), MeasureError> {
    match stop.is_set() {
        true => Err(MeasureError::Stopped),
        false => Ok(()),
    }
}

/// Code lengths of single bytes, summed over blocks.
pub fn sums_of_blocks(bits: &[f32]) -> Vec<f64> {
    let mut start = 0;
    let mut block = |end: usize| {
        let block = &bits[start..end];
        start = end;
        block.iter().map(|&b| f64::from(b)).sum()
    };
    ends_of_blocks(bits.len())
        .into_iter()
        .map(&mut block)
        .collect()
}

/// Where the blocks of so many bytes end.
fn ends_of_blocks(bytes: usize) -> Vec<usize> {
    let count = (bytes / BLOCK).clamp(1, BLOCKS);
    // In 128 bits: lengths times blocks may exceed 64.
    let end = |i: usize| (bytes as u128 * i as u128 / count as u128) as usize;
    (1..=count).map(end).collect()
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
