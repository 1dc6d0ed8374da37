//! The description length of bytes under a model.

use crate::archive::{self, ArchiveError, Limits, Settings};
use crate::describe::ModelBytes;
use crate::model::Model;
use serde::Serialize;

/// What bytes cost under a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Bytes priced.
    pub data_bytes: u64,
    /// Tokens and escaped bytes that they are.
    pub items: usize,
    /// Bytes that have no token.
    pub escaped_bytes: usize,
    /// Sum of the code lengths, bits.
    pub data_bits: f64,
    /// Bytes of the archive.
    pub coded_bytes: u64,
    /// `data_bits / data_bytes`
    pub bits_per_byte: f64,
    /// Archive by data.
    pub raw_rate: f64,
    /// Bytes of a description of the model.
    pub model_bytes: ModelBytes,
    /// Archive and model by data.
    pub adjusted_rate: Rates,
    /// What the model was trained on is not known.
    pub regime: &'static str,
    /// Tokens of a context.
    pub context: usize,
    /// Bytes of chunks that are coded on their own.
    pub chunk: Option<usize>,
    /// Parts without a past.
    pub lanes: usize,
    /// Whether the archive was decoded to the same bytes; without that the lengths are
    /// estimates.
    pub verified: bool,
}

/// Rates by the convention of [`ModelBytes`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rates {
    /// With the files as they stand.
    pub stored: f64,
    /// With two bytes a parameter.
    pub fp16: f64,
}

/// Prices `bytes`, by an archive that is decoded again if `verify` says so.
///
/// # Errors
/// As [`archive::compress`] and [`archive::decompress`]; an archive that gives other
/// bytes back is [`ArchiveError::Checksum`].
pub fn score(
    model: &Model,
    settings: &Settings,
    bytes: &[u8],
    verify: bool,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Score, ArchiveError> {
    let out = archive::compress(model, settings, bytes, progress)?;
    if verify {
        let limits = Limits {
            bytes: bytes.len() as u64,
            memory: u64::MAX,
        };
        if archive::decompress(model, &out.archive, &limits, &|_| {})? != bytes {
            return Err(ArchiveError::Checksum);
        }
    }
    let n = bytes.len().max(1) as f64;
    let (coded, model_bytes) = (out.archive.len() as u64, model.model_bytes());
    let adjusted = |model: u64| (coded + model) as f64 / n;
    Ok(Score {
        data_bytes: bytes.len() as u64,
        items: out.items,
        escaped_bytes: out.escaped,
        data_bits: out.bits,
        coded_bytes: coded,
        bits_per_byte: out.bits / n,
        raw_rate: coded as f64 / n,
        model_bytes,
        adjusted_rate: Rates {
            stored: adjusted(model_bytes.stored),
            fp16: adjusted(model_bytes.fp16),
        },
        regime: "unknown",
        context: settings.contexts.tokens,
        chunk: settings.chunk,
        lanes: settings.lanes,
        verified: verify,
    })
}

/// Bytes of data from which on a model pays for itself beside a coder: its size by what
/// it saves a byte. `None` if it saves nothing.
///
/// ```
/// use brevity_pretrained::score::break_even;
///
/// // 98 MB that save 0.2 bytes of each byte.
/// assert_eq!(break_even(98_000_000, 0.2, 0.4), Some(490_000_000));
/// assert_eq!(break_even(98_000_000, 0.5, 0.4), None);
/// ```
pub fn break_even(model_bytes: u64, raw_rate: f64, coder_rate: f64) -> Option<u64> {
    let saved = coder_rate - raw_rate;
    (saved > 0.0).then(|| (model_bytes as f64 / saved).round() as u64)
}
