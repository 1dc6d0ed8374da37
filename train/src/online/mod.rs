//! Online learning: the prequential code of a model that learns while it codes.
//!
//! Each byte is priced (its code length is fixed) by a model that has learned only
//! from earlier bytes, and is learned afterwards. No weights are sent: a decoder that
//! has the [`Recipe`] repeats the learning. Contents:
//!
//! - [`OnlineConfig`] and [`Recipe`]: everything that determines the code, in some
//!   sixty bytes;
//! - [`LearningModel`], which codes archives (it implements
//!   `brevity_codec::predict::Model`);
//! - [`prequential()`], the length of that code without an archive, with its
//!   learning curve; [`fixed()`], the code length of the same bytes under a model that
//!   does not learn; [`blockwise`], the code that retrains for each block.
//!
//! # Method
//!
//! The bytes are divided into lanes that advance in lock-step. A window consists of a
//! number of steps of all lanes. One frozen model prices it; the model sees up to
//! `context - window` bytes before the window. The first window is priced uniformly. Then
//! the optimizer takes one step on the last `context` bytes of each lane, and some steps
//! on sequences drawn from all bytes so far (replay, after Bornschein et al. 2022, arXiv
//! 2210.07931). The new weights, or their moving average, price the next window. One
//! temperature is fitted to the priced bytes, and a share of the uniform distribution
//! bounds the cost of any byte. The first windows are short and double in length, so that
//! an untrained model prices few bytes.
//!
//! # Why it is a code
//!
//! A prequential run is a valid code if it is causal, normalised, scores before it
//! updates, and makes a single pass. Here
//!
//! - prices are [`Frequencies`](brevity_codec::Frequencies), whose sum is an
//!   invariant of the type;
//! - pricing and learning are two types without access to each other:
//!   a `Pricer` has a frozen transformer and no parameters; a
//!   `Student` has the parameters and learns only from `Scored`, bytes
//!   that only a `Pricer` returns, after it priced them, and that `learn`
//!   consumes: no byte is learned before it is priced, none is scored twice;
//! - initial weights and all random numbers depend only on the recipe;
//! - decoding proves causality: a decoder has only the past and must compute the
//!   same frequencies (tests compare both directions bit by bit, and archives are
//!   decoded after they are written).
//!
//! Training uses the CPU kernels, so it gives the same bits on every machine
//! and with any number of threads.

mod blocks;
mod default_recipe;
mod fixed;
mod learner;
mod learning_model;
mod prequential;
mod pricer;
mod recipe;
mod student;
mod tally;
mod temperature;

use crate::error::TrainError;
use crate::ops::DeviceError;
use brevity_codec::predict::PredictError;
use brevity_model::FileError;

pub use blocks::blockwise;
pub use fixed::fixed;
pub use learning_model::{LearningModel, MOST_STORED};
pub use prequential::prequential;
pub use recipe::{OnlineConfig, Recipe, RecipeError};
pub use tally::PrequentialLength;

/// Why a prequential code length cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum OnlineError {
    /// The device is not available.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The model's values are not finite.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// A block's model could not be trained.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A block's trained model could not be loaded.
    #[error(transparent)]
    Model(#[from] FileError),
}
