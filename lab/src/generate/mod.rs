//! Continuations: what a model, or a classical coder, expects next.
//!
//! A predictor can code, and a coder can predict (Delétang et al., arXiv
//! 2309.10668, section 3.4): [`from_model`] samples from the distribution that a
//! transformer codes with, [`from_coder`] from the one that a compressor implies,
//! in which a byte that makes the compressed length grow by `k` bits has a
//! probability proportional to `2^-k`.
//!
//! Sampling goes through the integer frequencies that coding goes through, and a
//! counter-based generator: the same seed gives the same bytes on any CPU and
//! with any number of threads.

mod coder;
mod model;
mod sampler;

use std::str::FromStr;

use brevity_codec::NonFinite;
use brevity_model::ForwardError;
use brevity_task::Control;

use brevity_baselines::BaselineError;

pub use coder::{CONTEXT, from_coder};
pub use model::from_model;

/// What to sample.
pub struct Options<'a> {
    /// Bytes after the prompt.
    pub bytes: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// How bold they are.
    pub temperature: Temperature,
    /// Told after each byte; asked before each whether to stop.
    pub control: Control<'a>,
}

/// What logits are divided by before a byte is drawn: 1 samples from the
/// distribution itself, less keeps closer to the likeliest byte, 0 always takes
/// it, the first one if there are several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature(f32);

/// A temperature that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no temperature: 0, or 0.01 to 100")]
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

/// Why there is no continuation.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The model's activations left the finite numbers.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// A logit is not finite.
    #[error(transparent)]
    Logits(#[from] NonFinite),
    /// The coder failed.
    #[error(transparent)]
    Coder(#[from] BaselineError),
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
}
