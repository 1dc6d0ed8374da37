//! The description length of bytes under a model.

use crate::archive::{self, ArchiveError, Compressed, Limits, Settings};
use crate::byte_bits::compress_with_bits;
use crate::describe::ModelBytes;
use crate::form::Form;
use crate::model::Model;
use crate::price::Progress;
use serde::{Deserialize, Serialize};

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
    /// How bytes become text.
    pub form: Form,
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
    progress: Progress,
) -> Result<Score, ArchiveError> {
    let made = archive::compress(model, settings, bytes, progress)?;
    of(model, settings, bytes, made, verify, progress)
}

/// As [`score`], with the code length of each byte ([`byte_bits`](crate::byte_bits)).
///
/// # Errors
/// As [`score`].
pub fn score_with_bits(
    model: &Model,
    settings: &Settings,
    bytes: &[u8],
    verify: bool,
    progress: Progress,
) -> Result<(Score, Vec<f32>), ArchiveError> {
    let (made, bits) = compress_with_bits(model, settings, bytes, progress)?;
    let score = of(model, settings, bytes, made, verify, progress)?;
    Ok((score, bits))
}

/// The score by an archive.
fn of(
    model: &Model,
    settings: &Settings,
    bytes: &[u8],
    out: Compressed,
    verify: bool,
    progress: Progress,
) -> Result<Score, ArchiveError> {
    if verify {
        let limits = Limits {
            bytes: bytes.len() as u64,
            memory: u64::MAX,
        };
        let stoppable = |_| progress(0);
        if archive::decompress(model, &out.archive, &limits, &stoppable)? != bytes {
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
        form: settings.form,
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

/// Bytes of data that pay for a description of a model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Length {
    /// `None` if the model saves nothing.
    pub bytes: Option<u64>,
    /// The same at the ends of a 95% interval of what it saves; `None` where that is
    /// nothing. No interval where that of what it saves is not known.
    pub ci95: Option<[Option<u64>; 2]>,
}

/// How much data pays for a model beside a coder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakEven {
    /// The coder.
    pub coder: String,
    /// Its rate on the same bytes.
    pub coder_rate: f64,
    /// Bytes that the model saves of each byte, itself not counted.
    pub saved: f64,
    /// Ends of the 95% interval of that.
    pub saved_ci95: Option<[f64; 2]>,
    /// With the model as stored.
    #[serde(flatten)]
    pub stored: Length,
    /// With two bytes a parameter.
    pub fp16: Length,
}

impl BreakEven {
    /// From what the model saves of each byte, with a 95% interval of that.
    ///
    /// ```
    /// use brevity_pretrained::ModelBytes;
    /// use brevity_pretrained::score::BreakEven;
    ///
    /// let model = ModelBytes { stored: 98_000_000, fp16: 269_000_000 };
    /// let found = BreakEven::new("gzip -9", 0.5, model, 0.3, Some([0.29, 0.31]));
    /// assert_eq!(found.stored.bytes, Some(326_666_667));
    /// let [low, high] = found.stored.ci95.unwrap();
    /// assert!(low < found.stored.bytes && found.stored.bytes < high);
    /// assert!(found.fp16.bytes > high);
    /// ```
    pub fn new(
        coder: &str,
        coder_rate: f64,
        model: ModelBytes,
        saved: f64,
        saved_ci95: Option<[f64; 2]>,
    ) -> BreakEven {
        let length = |model: u64| {
            let pays = |saved: f64| break_even(model, 0.0, saved);
            Length {
                bytes: pays(saved),
                ci95: saved_ci95.map(|[low, high]| [pays(high), pays(low)]),
            }
        };
        BreakEven {
            coder: coder.into(),
            coder_rate,
            saved,
            saved_ci95,
            stored: length(model.stored),
            fp16: length(model.fp16),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_may_save_nothing_may_never_pay() {
        let model = ModelBytes {
            stored: 1000,
            fp16: 3000,
        };
        let found = BreakEven::new("xz -6", 0.5, model, 0.05, Some([-0.15, 0.25]));
        assert_eq!(found.stored.bytes, Some(20_000));
        assert_eq!(found.fp16.bytes, Some(60_000));
        let [low, high] = found.stored.ci95.unwrap();
        assert!(low.is_some() && high.is_none());
        let found = BreakEven::new("xz -6", 0.5, model, -0.1, None);
        assert_eq!((found.stored.bytes, found.stored.ci95), (None, None));
    }
}
