//! Predictors: whatever yields an integer distribution of the next byte and
//! then takes that byte.
//!
//! What lives here:
//! - [`Predictor`], the trait, over several lanes in lock-step;
//! - [`Priced`], what a coder needs to know of a byte whose value is known;
//! - [`Model`], which starts a predictor for a block;
//! - [`Uniform`] and [`Counts`], the simplest predictors;
//! - [`TransformerModel`], a trained transformer.
//!
//! The coder knows only these traits; a model that learns while it codes
//! implements them elsewhere.

mod counts;
mod transformer;

pub use counts::{Counts, Uniform};
pub use transformer::TransformerModel;

use crate::cdf::Frequencies;
use crate::layout::Layout;

/// A predictor could not go on; encoder and decoder meet it at the same byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PredictError(pub String);

/// Yields the distribution of the next byte of each lane, then takes the bytes.
///
/// The frequencies may depend on what [`Predictor::update`] took before and on
/// nothing else, and must be the same on any machine: decoding repeats them.
///
/// ```
/// use brevity_codec::predict::{Counts, Predictor};
/// use brevity_codec::Frequencies;
///
/// let mut counts = Counts::new(1, 1);
/// let mut next = [Frequencies::default()];
/// for byte in *b"abababab" {
///     counts.predict(&mut next)?;
///     counts.update(&[byte])?;
/// }
/// counts.predict(&mut next)?;
/// assert!(next[0].bits(b'a') < 7.0, "after b came a");
/// # Ok::<(), brevity_codec::predict::PredictError>(())
/// ```
pub trait Predictor: Send {
    /// Number of lanes.
    fn lanes(&self) -> usize;

    /// Writes the frequencies of each lane's next byte.
    ///
    /// # Errors
    /// A model that yields something that is no number.
    fn predict(&mut self, next: &mut [Frequencies]) -> Result<(), PredictError>;

    /// Takes the next byte of each lane.
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    fn update(&mut self, bytes: &[u8]) -> Result<(), PredictError>;

    /// Prices `steps` bytes of each lane that are known, and takes them: the
    /// fast way for an encoder, with the same frequencies to the last bit.
    ///
    /// - `bytes`: `[lanes, steps]`
    /// - `priced`: `[lanes, steps]`, overwritten.
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    fn price(
        &mut self,
        bytes: &[u8],
        steps: usize,
        priced: &mut [Priced],
    ) -> Result<(), PredictError> {
        let lanes = self.lanes();
        let mut next = vec![Frequencies::default(); lanes];
        let mut column = vec![0; lanes];
        for step in 0..steps {
            self.predict(&mut next)?;
            for lane in 0..lanes {
                let at = lane * steps + step;
                column[lane] = bytes[at];
                priced[at] = Priced::new(&next[lane], bytes[at]);
            }
            self.update(&column)?;
        }
        Ok(())
    }
}

/// Starts predictors, one for each block of an archive.
pub trait Model: Sync {
    /// Bytes that lanes should be multiples of: the chunk length of a model
    /// whose chunks are independent, else 1.
    fn unit(&self) -> usize;

    /// The most lanes worth having, a power of two.
    fn lanes(&self) -> usize;

    /// Bytes of memory that a predictor for such a block takes, if that grows
    /// with the block; archives that claim too much are refused.
    fn memory(&self, _layout: &Layout) -> u64 {
        0
    }

    /// A predictor at the start of a block.
    fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a>;

    /// Predictors at the start of a block that have its lanes between them, in
    /// order: up to `most` if no lane has to do with another, so that each can
    /// be advanced by a thread of its own; otherwise one.
    fn start_apart<'a>(&'a self, layout: &Layout, _most: usize) -> Vec<Box<dyn Predictor + 'a>> {
        vec![self.start(layout)]
    }
}

/// The place of a known byte in a distribution: its interval, and how the
/// probability divides at each of its eight bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Priced {
    /// Where the byte's interval starts.
    pub start: u32,
    /// `masses[k]`: sum of the frequencies of the bytes that share the first
    /// `k + 1` bits; `masses[7]` is the byte's own frequency.
    pub masses: [u32; 8],
}

impl Priced {
    /// The place of `byte` in `next`.
    pub fn new(next: &Frequencies, byte: u8) -> Priced {
        let counts = next.as_array();
        let mut masses = [0; 8];
        for (k, mass) in masses.iter_mut().enumerate() {
            let length = 128 >> k;
            let first = usize::from(byte) & !(length - 1);
            *mass = counts[first..first + length].iter().sum();
        }
        Priced {
            start: next.interval(byte).0,
            masses,
        }
    }

    /// The byte's frequency.
    pub fn frequency(&self) -> u32 {
        self.masses[7]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdf::TOTAL;

    #[test]
    fn a_price_divides_at_every_bit() {
        let logits: Vec<f32> = (0..256).map(|i| (i % 7) as f32).collect();
        let next = Frequencies::from_logits(&logits).unwrap();
        for byte in [0, 1, 127, 128, 200, 255] {
            let priced = Priced::new(&next, byte);
            assert_eq!((priced.start, priced.frequency()), next.interval(byte));
            let upper: u32 = next.as_array()[128..].iter().sum();
            let first = if byte >= 128 { upper } else { TOTAL - upper };
            assert_eq!(priced.masses[0], first);
        }
    }
}
