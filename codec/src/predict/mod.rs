//! Predictors: they return an integer distribution of the next byte, then take that
//! byte.
//!
//! Contents:
//! - [`Predictor`], the trait, over several lanes in lock-step;
//! - [`Priced`], the interval of a known byte, for encoders;
//! - [`Model`], which creates a predictor for a block;
//! - [`Uniform`] and [`Counts`], the simplest predictors;
//! - [`TransformerModel`], a trained transformer;
//! - [`LstmModel`], an LSTM network that learns while it codes.
//!
//! The coder knows only these traits. `brevity-train` implements them for a transformer
//! that learns while it codes.

mod counts;
mod lstm;
mod transformer;

pub use counts::{Counts, Uniform};
pub(crate) use lstm::{Lane as LstmLane, TEXT};
pub use lstm::{LstmModel, LstmRecipe, LstmRecipeError};
pub(crate) use transformer::Shape;
pub use transformer::TransformerModel;

use crate::cdf::Frequencies;
use crate::layout::Layout;
use brevity_kernels::mixture::BITS;

/// A predictor failed; encoder and decoder fail at the same byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PredictError(pub String);

/// Returns the distribution of the next byte of each lane, then takes the bytes.
///
/// The frequencies may depend only on the bytes that [`Predictor::update`] took
/// before, and must be the same on any machine, because the decoder recomputes them.
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
    /// A model that returns a value that is not finite.
    fn predict(&mut self, next: &mut [Frequencies]) -> Result<(), PredictError>;

    /// Takes the next byte of each lane.
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    fn update(&mut self, bytes: &[u8]) -> Result<(), PredictError>;

    /// As [`Predictor::update`], with what context models that code the same bytes said of
    /// them: the logits of the eight bits that came, the highest first. For predictors that
    /// learn beside context models ([`Model::learns_beside`]).
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    fn update_beside(&mut self, bytes: &[u8], said: &[[f32; BITS]]) -> Result<(), PredictError> {
        let _ = said;
        self.update(bytes)
    }

    /// As [`Predictor::price`], with what context models said of the bytes, `[lanes,
    /// steps]`, as in [`Predictor::update_beside`].
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    fn price_beside(
        &mut self,
        bytes: &[u8],
        said: &[[f32; BITS]],
        steps: usize,
        priced: &mut [Priced],
    ) -> Result<(), PredictError> {
        let _ = said;
        self.price(bytes, steps, priced)
    }

    /// Prices `steps` known bytes of each lane and takes them: the fast path of an
    /// encoder, with bit-identical frequencies.
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

/// Creates predictors, one for each block of an archive.
pub trait Model: Sync {
    /// Lane lengths should be multiples of this: the chunk length of a model
    /// with independent chunks, otherwise 1.
    fn unit(&self) -> usize;

    /// The largest useful number of lanes, a power of two.
    fn lanes(&self) -> usize;

    /// Whether its predictors learn from what context models say of the same bytes.
    fn learns_beside(&self) -> bool {
        false
    }

    /// Whether it has learned no bytes before, so that blocks of one lane may be changed for
    /// it as for context models alone: words of prose, calls in programs, the order of bytes.
    /// The words of a [source](crate::archive::Source::with_words) do not count then.
    fn knows_nothing(&self) -> bool {
        false
    }

    /// Bytes of memory that a predictor for this block needs, at most; archives that
    /// need too much are refused.
    fn memory(&self, _layout: &Layout) -> u64 {
        0
    }

    /// Floating-point operations of a predictor for this block, at most.
    fn operations(&self, _layout: &Layout) -> f64 {
        0.0
    }

    /// A predictor at the start of a block.
    fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a>;

    /// Predictors at the start of a block that share its lanes, in order: up to
    /// `most` if lanes are independent, so that each predictor can run on its own
    /// thread; otherwise one.
    fn start_apart<'a>(&'a self, layout: &Layout, _most: usize) -> Vec<Box<dyn Predictor + 'a>> {
        vec![self.start(layout)]
    }
}

/// The position of a known byte in a distribution: its interval, and the probability
/// at each of its eight bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Priced {
    /// Where the byte's interval starts.
    pub start: u32,
    /// `masses[k]`: sum of the frequencies of the bytes that share the first
    /// `k + 1` bits; `masses[7]` is the byte's own frequency.
    pub masses: [u32; 8],
}

impl Priced {
    /// The position of `byte` in `next`.
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
