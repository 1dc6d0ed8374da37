//! A model that learns the bytes it prices: the online prequential code.
//!
//! Each byte is priced by a model that has learned from earlier bytes only,
//! and is learned afterwards. No weights are sent: whoever has the [`Recipe`]
//! repeats the learning and decodes. What lives here:
//!
//! - [`OnlineConfig`] and [`Recipe`]: everything that decides the code, in some
//!   sixty bytes;
//! - [`LearningModel`], which codes archives (it is a predictor of
//!   `brevity-codec`);
//! - [`prequential`], the length of that code without an archive, with its
//!   curve; [`fixed`], what the same bytes cost under a model that is done
//!   learning; [`blockwise`], the classical variant.
//!
//! # How it goes
//!
//! The bytes are laid out in lanes that advance in lock-step. A window of some
//! steps of all lanes is priced by one frozen model, which sees up to
//! `context - window` bytes before the window; the first window is priced
//! uniformly. Then the optimiser takes a step on the last `context` bytes of
//! each lane, and some on sequences drawn from all bytes so far (replay, after
//! Bornschein et al. 2022, arXiv 2210.07931), and the weights, or their
//! moving average, price the next window. One temperature is fitted to
//! what was priced, and a share of the uniform distribution bounds the cost
//! of any byte. First windows are short and double, so that little is priced
//! by a model that knows nothing.
//!
//! # Why it is a code
//!
//! A prequential run counts if it is causal, normalised, scored before it is
//! updated, and single-pass. Here
//!
//! - prices are [`Frequencies`](brevity_codec::Frequencies), whose sum is an
//!   invariant of the type;
//! - pricing and learning are two types that hold nothing of each other:
//!   a `Pricer` has a frozen transformer and no access to parameters; a
//!   `Student` has the parameters and learns from nothing but `Scored`, bytes
//!   that only a `Pricer` yields, after it priced them, and that `learn`
//!   consumes: none is learned before it is priced, none is scored twice;
//! - the start depends on the recipe alone, and so does every later draw;
//! - causality is what a decoder proves: it has the past only and must get the
//!   same frequencies (tests compare both ways to the bit, and archives are
//!   decoded after they are written).
//!
//! Training runs on the CPU kernels, so it has the same bits on every machine
//! and with any number of threads.

mod blocks;
mod choice;
mod fixed;
mod learner;
mod length;
mod model;
mod pricer;
mod recipe;
mod student;
mod tally;
mod temperature;

use crate::ops::DeviceError;
use crate::run::TrainError;
use brevity_codec::predict::PredictError;
use brevity_model::FileError;

pub use blocks::blockwise;
pub use fixed::fixed;
pub use length::prequential;
pub use model::LearningModel;
pub use recipe::{OnlineConfig, Recipe, RecipeError};
pub use tally::PrequentialLength;

/// Why there is no prequential length.
#[derive(Debug, thiserror::Error)]
pub enum OnlineError {
    /// The device is not there.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The model left the numbers.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// A block's model could not be trained.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A block's model could not be read again.
    #[error(transparent)]
    Model(#[from] FileError),
}
