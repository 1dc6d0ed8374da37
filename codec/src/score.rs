//! Code lengths without an archive.

use crate::cdf::{Frequencies, NonFinite, TOTAL, code_length};
use crate::cm::{Advice, Gate, Gates, Place};
use crate::coder::Known;
use crate::contexts::Contexts;
use crate::layout::Layout;
use crate::predict::Priced;
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
    let sums = block_lengths(&Transformer::new(weights), bytes, &[bytes.len()])?;
    Ok(ScoreResult {
        bytes: bytes.len() as u64,
        bits: sums[0],
    })
}

/// Bytes that are scored together in chunk mode: enough for all threads, and little
/// memory.
const SEGMENT: usize = 1 << 22;

/// The code lengths of consecutive blocks of `bytes` in bits, as in [`score`]; `ends` are
/// the ends of the blocks, ascending, the last one the length of `bytes`. Takes memory
/// for some megabytes, however long `bytes` are; every sum is exact, rounded once.
///
/// # Errors
/// As [`score`].
///
/// # Panics
/// If `ends` does not ascend to the length of `bytes`.
pub fn block_lengths(
    model: &Transformer,
    bytes: &[u8],
    ends: &[usize],
) -> Result<Vec<f64>, ScoreError> {
    assert!(
        ends.is_sorted() && ends.last() == Some(&bytes.len()),
        "ends of blocks"
    );
    let spec = model.spec();
    let (part, segment) = match spec.window {
        None => (spec.context, SEGMENT.next_multiple_of(spec.context)),
        Some(_) => {
            let part = Layout::new(bytes.len(), 1, STREAM_LANES).steps().max(1);
            (part, bytes.len().max(1))
        }
    };
    let mut sums = vec![0_u128; ends.len()];
    for (number, some) in bytes.chunks(segment).enumerate() {
        let first = number * segment;
        let parts: Vec<&[u8]> = some.chunks(part).collect();
        let mut sinks: Vec<Sums<'_>> = (0..parts.len())
            .map(|i| Sums::new(ends, first + i * part))
            .collect();
        model.score(
            &parts,
            &mut sinks,
            |sums, index, byte, logits| match Frequencies::from_logits(logits) {
                Ok(next) => sums.add(index, next.bits(byte) as f32),
                Err(source) => {
                    sums.failure.get_or_insert((index, source));
                }
            },
        )?;
        for sink in sinks {
            if let Some((index, source)) = sink.failure {
                let offset = sink.start + index;
                return Err(ScoreError::Logits { offset, source });
            }
            for (block, bits) in sink.sums {
                sums[block] += bits;
            }
        }
    }
    Ok(sums.iter().map(|&sum| sum as f64 / UNIT).collect())
}

/// A bit in the fixed point of sums: code lengths as 32-bit floats, which are no smaller
/// than 2^-16, are multiples of its inverse.
const UNIT: f64 = 18_446_744_073_709_551_616.0;

/// Code lengths of a part, summed over the blocks that it touches.
struct Sums<'a> {
    ends: &'a [usize],
    /// Offset of the part.
    start: usize,
    /// The block under way, and its sum so far.
    sums: Vec<(usize, u128)>,
    failure: Option<(usize, NonFinite)>,
}

impl<'a> Sums<'a> {
    fn new(ends: &'a [usize], start: usize) -> Sums<'a> {
        let block = ends.partition_point(|end| *end <= start);
        Sums {
            ends,
            start,
            sums: vec![(block, 0)],
            failure: None,
        }
    }

    /// Adds the byte at this index of the part; indices ascend.
    fn add(&mut self, index: usize, bits: f32) {
        let at = self.start + index;
        let last = self.sums.last_mut().expect("a block at least");
        if at < self.ends[last.0] {
            last.1 += (f64::from(bits) * UNIT) as u128;
            return;
        }
        let block = self.ends.partition_point(|end| *end <= at);
        self.sums.push((block, (f64::from(bits) * UNIT) as u128));
    }
}

/// The code length of each byte in bits, as in [`score`].
///
/// # Errors
/// As [`score`].
pub fn code_lengths(model: &Transformer, bytes: &[u8]) -> Result<Vec<f32>, ScoreError> {
    price_each(model, bytes, |next, byte| next.bits(byte) as f32)
}

/// The code length of `bytes` under a model mixed with context models, whose logits are
/// `beside`, through the gates that the model was trained with, or usual ones: that of a
/// gated archive in one lane, to the precision of the logits.
///
/// # Errors
/// As [`score`].
///
/// # Panics
/// If `beside` is of other bytes.
pub fn score_beside(
    weights: &Weights,
    bytes: &[u8],
    beside: &Contexts,
) -> Result<ScoreResult, ScoreError> {
    let lengths = code_lengths_beside(weights, bytes, beside)?;
    Ok(ScoreResult {
        bytes: bytes.len() as u64,
        bits: lengths.iter().map(|&b| f64::from(b)).sum(),
    })
}

/// The code length of each byte in bits, as in [`score_beside`].
///
/// # Errors
/// As [`score`].
///
/// # Panics
/// As [`score_beside`].
pub fn code_lengths_beside(
    weights: &Weights,
    bytes: &[u8],
    beside: &Contexts,
) -> Result<Vec<f32>, ScoreError> {
    assert_eq!(bytes.len(), beside.len(), "logits beside each byte");
    let gates = weights.gates().map_or(Gates::ALONE, Gates::nearest);
    let mut gate = Gate::new(&gates);
    let priced = price_each(&Transformer::new(weights), bytes, Priced::new)?;
    let known = bytes.iter().zip(&priced).enumerate();
    let mut last = 0;
    let lengths = known.map(|(index, (&byte, priced))| {
        let own = Known(priced, byte);
        let mut bits = 0.0;
        for (depth, of_bit) in beside.at(index).into_iter().enumerate() {
            let node = (usize::from(byte) | 256) >> (8 - depth);
            let one = byte >> (7 - depth) & 1 == 1;
            let contexts = if one { of_bit } else { -of_bit };
            let model = own.logit(depth, node).unwrap_or(0.0);
            let p = gate.mix(contexts, model, Place { node, last });
            gate.learn(one);
            bits += code_length(if one { p } else { TOTAL - p });
        }
        last = byte;
        bits as f32
    });
    Ok(lengths.collect())
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
