//! Continuations sampled from a model or a classical coder.
//!
//! A predictor can code, and a coder can predict (Delétang et al., arXiv 2309.10668,
//! section 3.4): [`from_model`] samples from the distribution that a transformer codes
//! with, [`from_coder`] from the one implied by a compressor, in which the probability
//! of a byte that makes the compressed length grow by `k` bits is proportional to
//! `2^-k`. [`from_pretrained`] samples tokens of a pretrained language model.
//!
//! Sampling uses the integer frequencies of the coder and a counter-based generator:
//! the same seed gives the same bytes on any CPU and with any number of threads.

mod coder;
mod model;
mod pretrained;
mod sampler;

use std::str::FromStr;

use brevity_codec::NonFinite;
use brevity_model::ForwardError;
use brevity_task::Control;

use brevity_baselines::BaselineError;

pub use coder::{CONTEXT, from_coder};
pub use model::from_model;
pub use pretrained::from_pretrained;

/// Options of sampling.
pub struct Options<'a> {
    /// Number of bytes to sample.
    pub bytes: usize,
    /// Seed of the generator.
    pub seed: u64,
    /// Sampling temperature.
    pub temperature: Temperature,
    /// Receives progress after each byte; a stop request is checked before each byte.
    pub control: Control<'a>,
}

/// Sampling temperature, by which logits are divided: 1 samples from the distribution
/// itself, lower values favour the likeliest bytes, 0 always takes the likeliest byte,
/// the first one on a tie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature(f32);

/// An invalid temperature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a temperature: give 0, or 0.01 to 100")]
pub struct TemperatureError(String);

impl FromStr for Temperature {
    type Err = TemperatureError;

    /// 0, or 0.01 to 100.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<f32>() {
            Ok(t) if t == 0.0 || (0.01..=100.0).contains(&t) => Ok(Self(t)),
            _ => Err(TemperatureError(text.to_owned())),
        }
    }
}

impl Default for Temperature {
    /// 1.
    fn default() -> Self {
        Self(1.0)
    }
}

/// Why sampling failed.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// An activation of the model is not finite.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// A logit is not finite.
    #[error(transparent)]
    Logits(#[from] NonFinite),
    /// A logit of a pretrained model is not finite.
    #[error(transparent)]
    Pretrained(#[from] brevity_pretrained::NonFinite),
    /// The coder failed.
    #[error(transparent)]
    Coder(#[from] BaselineError),
    /// Stopped on request.
    #[error("stopped")]
    Stopped,
}
