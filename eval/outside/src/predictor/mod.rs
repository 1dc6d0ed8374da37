//! Predictors from outside: they give log-probabilities of the next byte, then take it.
//!
//! - [`Outside`], the trait: a few streams in lock-step;
//! - [`pipe`], a program that speaks a protocol over its standard streams;
//! - [`code_lengths`], what bytes cost, by the coder's integer frequencies;
//! - [`PredictorModel`], a predictor as a model of archives, and [`description`], by
//!   which an archive names it;
//! - [`check_causal`], which finds a predictor that reads ahead.
//!
//! Log-probabilities are in nats. Each set of 256 is checked: finite, with probabilities
//! that sum to one. The coder's frequencies then cost at most 5e-5 bits a byte over them
//! where no byte is rarer than 2^-17, and no byte costs more than 24 bits.
//!
//! The lengths of [`code_lengths`] are estimates: they become lengths of a code when an
//! archive was made with the predictor, byte by byte, and decoded with it.
//!
//! ```
//! use brevity_outside::predictor::{About, Outside, OutsideError, code_lengths};
//! use brevity_task::Stop;
//!
//! /// Every byte is as likely as any other.
//! struct Uniform(About);
//!
//! impl Outside for Uniform {
//!     fn about(&self) -> &About {
//!         &self.0
//!     }
//!     fn start(&mut self, _: usize, next: &mut [f32]) -> Result<(), OutsideError> {
//!         next.fill(-(256f32.ln()));
//!         Ok(())
//!     }
//!     fn take(&mut self, _: &[u8], _: usize, next: &mut [f32]) -> Result<(), OutsideError> {
//!         next.fill(-(256f32.ln()));
//!         Ok(())
//!     }
//! }
//!
//! let mut uniform = Uniform(About { name: "uniform".into(), context: 0, streams: 1 });
//! let bits = code_lengths(&mut uniform, b"to be or not to be", &Stop::new())?;
//! assert_eq!(bits, [8.0; 18]);
//! # Ok::<(), OutsideError>(())
//! ```

mod causal;
mod error;
mod lengths;
mod model;
pub mod pipe;
mod rows;

pub use causal::check_causal;
pub use error::OutsideError;
pub use lengths::{code_lengths, price_each};
pub use model::{Find, Make, PredictorModel, description};

/// What a predictor says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Its name; an archive made with it holds the name.
    pub name: String,
    /// Bytes after which a stream starts anew, without a past; 0 if it never does. Data
    /// are cut into chunks of this length, so a model with a fixed context says it here.
    pub context: usize,
    /// Most streams that it predicts side by side, at least 1. With a context, chunks are
    /// independent and the number changes no length; without, data are cut into so many
    /// streams, each of which starts without a past.
    pub streams: usize,
}

/// The longest name of a predictor, bytes.
pub const LONGEST_NAME: usize = 1000;

/// The most streams of a predictor.
pub const MOST_STREAMS: usize = 1 << 12;

impl About {
    /// Refuses what no predictor can be.
    ///
    /// # Errors
    /// [`OutsideError::About`].
    pub fn check(&self) -> Result<(), OutsideError> {
        let problem = if self.name.len() > LONGEST_NAME {
            format!("a name of {} bytes", self.name.len())
        } else if !(1..=MOST_STREAMS).contains(&self.streams) {
            format!("{} streams: there are 1 to {MOST_STREAMS}", self.streams)
        } else if self.context > 1 << 30 {
            format!("a context of {} bytes", self.context)
        } else {
            return Ok(());
        };
        Err(OutsideError::About(problem))
    }

    /// The largest power of two of streams.
    fn lanes(&self) -> usize {
        1 << self.streams.max(1).ilog2()
    }
}

/// A predictor of the next byte of several independent streams in lock-step.
///
/// The distributions may depend only on the bytes that were taken since the last start.
/// Archives are coded byte by byte (`take` with one step), by encoder and decoder alike,
/// so a predictor may round differently in longer blocks; such blocks are for
/// [`code_lengths`], whose numbers are estimates.
pub trait Outside: Send {
    /// What it is. Does not change.
    fn about(&self) -> &About;

    /// Starts `streams` streams without a past, and writes the log-probabilities (nats)
    /// of their first bytes: `next` is `[streams, 256]`. What was learned since an
    /// earlier start is forgotten.
    ///
    /// # Errors
    /// A predictor that fails.
    fn start(&mut self, streams: usize, next: &mut [f32]) -> Result<(), OutsideError>;

    /// Takes `steps` bytes of each stream, `bytes` is `[streams, steps]`, and writes the
    /// log-probabilities of the byte after each of them: `next` is
    /// `[streams, steps, 256]`.
    ///
    /// # Errors
    /// A predictor that fails.
    fn take(&mut self, bytes: &[u8], steps: usize, next: &mut [f32]) -> Result<(), OutsideError>;
}
