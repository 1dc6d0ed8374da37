//! Code lengths without an archive.

use crate::cdf::{Frequencies, NonFinite};
use crate::layout::Layout;
use brevity_model::{ForwardError, Transformer, Weights};

/// Most lanes into which scoring divides the data for a model in stream mode.
///
/// In chunk mode the number of lanes does not change any code length.
pub const STREAM_LANES: usize = 16;

/// The exact code length of bytes under a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreResult {
    /// Number of bytes scored.
    pub bytes: u64,
    /// Sum of their code lengths under integer frequencies, bits.
    pub bits: f64,
}

impl ScoreResult {
    /// Bits per byte; 0 for no bytes.
    pub fn bits_per_byte(&self) -> f64 {
        if self.bytes == 0 {
            0.0
        } else {
            self.bits / self.bytes as f64
        }
    }

    /// Length in bytes of their stream, without headers: the bits rounded up, and
    /// the one byte that ends the stream.
    pub fn stream_bytes(&self) -> u64 {
        (self.bits / 8.0).ceil() as u64 + 1
    }
}

/// Why a model cannot score bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// An activation of the forward pass is not finite.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// A logit is not finite.
    #[error("at byte {offset}")]
    Logits {
        /// Offset of the byte to score.
        offset: usize,
        /// Which logit.
        source: NonFinite,
    },
}

/// The exact code length of `bytes` under a model, with the integer frequencies
/// that an archive's coder uses.
///
/// Without an attention window (chunk mode), every chunk of `context` bytes is scored
/// independently, as it is coded. With one (stream mode), the bytes are divided into
/// at most [`STREAM_LANES`] lanes, each an independent stream.
///
/// # Errors
/// A model whose activations or logits are not finite.
///
/// ```
/// use brevity_model::{Spec, Weights};
///
/// let spec = Spec::aspect(16, 64);
/// let weights = Weights::from_fn(spec, |info| vec![0.0; info.len()]).unwrap();
/// let score = brevity_codec::score(&weights, b"nothing learned").unwrap();
/// assert_eq!(score.bits_per_byte(), 8.0);
/// ```
pub fn score(weights: &Weights, bytes: &[u8]) -> Result<ScoreResult, ScoreError> {
    let lengths = code_lengths(&Transformer::new(weights), bytes)?;
    Ok(ScoreResult {
        bytes: bytes.len() as u64,
        bits: lengths.iter().map(|&b| f64::from(b)).sum(),
    })
}

/// The code length of each byte in bits, as in [`score`]; for block bootstraps.
///
/// # Errors
/// As [`score`].
pub fn code_lengths(model: &Transformer, bytes: &[u8]) -> Result<Vec<f32>, ScoreError> {
    price_each(model, bytes, |next, byte| next.bits(byte) as f32)
}

/// Calls `price` with each byte and the frequencies that code it, and returns the
/// results in the order of the bytes; for maps of the cost of each byte. The
/// independent parts are those of [`score`].
///
/// # Errors
/// As [`score`].
pub fn price_each<T: Clone + Default + Send>(
    model: &Transformer,
    bytes: &[u8],
    price: impl Fn(&Frequencies, u8) -> T + Sync,
) -> Result<Vec<T>, ScoreError> {
    let spec = model.spec();
    let part = match spec.window {
        None => spec.context,
        Some(_) => Layout::new(bytes.len(), 1, STREAM_LANES).steps().max(1),
    };
    let parts: Vec<&[u8]> = bytes.chunks(part).collect();
    let mut out = vec![T::default(); bytes.len()];
    let mut sinks: Vec<Sink<'_, T>> = out
        .chunks_mut(part)
        .map(|prices| Sink {
            prices,
            failure: None,
        })
        .collect();
    model.score(
        &parts,
        &mut sinks,
        |sink, index, byte, logits| match Frequencies::from_logits(logits) {
            Ok(next) => sink.prices[index] = price(&next, byte),
            Err(source) => {
                sink.failure.get_or_insert((index, source));
            }
        },
    )?;
    for (i, sink) in sinks.iter().enumerate() {
        if let Some((index, source)) = sink.failure {
            return Err(ScoreError::Logits {
                offset: i * part + index,
                source,
            });
        }
    }
    Ok(out)
}

struct Sink<'a, T> {
    prices: &'a mut [T],
    failure: Option<(usize, NonFinite)>,
}
