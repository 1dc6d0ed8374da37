//! Code lengths without an archive.

use crate::cdf::{Frequencies, NonFinite};
use crate::layout::Layout;
use brevity_model::{ForwardError, Transformer, Weights};

/// Lanes that a model in stream mode codes a block with, at most.
///
/// In chunk mode lanes cost nothing, and how many there are does not change a
/// code length.
pub const STREAM_LANES: usize = 16;

/// The exact code length of bytes under a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreResult {
    /// Bytes priced, all of them.
    pub bytes: u64,
    /// Sum of their code lengths under integer frequencies, bits.
    pub bits: f64,
}

impl ScoreResult {
    /// Bits a byte; 0 for no bytes.
    pub fn bits_per_byte(&self) -> f64 {
        if self.bytes == 0 {
            0.0
        } else {
            self.bits / self.bytes as f64
        }
    }

    /// Bytes of a stream that codes them, without headers: the bits rounded up
    /// and the one byte that ends it.
    pub fn stream_bytes(&self) -> u64 {
        (self.bits / 8.0).ceil() as u64 + 1
    }
}

/// Why a model cannot price bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The forward pass left the finite numbers.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// A logit is not finite.
    #[error("at byte {offset}")]
    Logits {
        /// Offset of the byte that was to be priced.
        offset: usize,
        /// Which logit.
        source: NonFinite,
    },
}

/// The exact code length of `bytes` under a model, by the integer frequencies
/// that an archive's coder uses.
///
/// Without a window, every chunk of `context` bytes is priced on its own, as it
/// is coded. With one, the bytes are cut into at most [`STREAM_LANES`] lanes,
/// each a stream of its own.
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

/// The code length of each byte, bits: as [`score`], for block bootstraps.
///
/// # Errors
/// As [`score`].
pub fn code_lengths(model: &Transformer, bytes: &[u8]) -> Result<Vec<f32>, ScoreError> {
    price_each(model, bytes, |next, byte| next.bits(byte) as f32)
}

/// What `price` makes of each byte and the frequencies that it is coded with,
/// in the order of the bytes: for pictures of where the bits go. The parts that
/// are priced on their own are those of [`score`].
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
