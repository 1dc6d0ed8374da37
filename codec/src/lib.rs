//! Predictors turned into lossless archives.

pub mod cdf;
mod layout;
mod log2;
pub mod predict;
pub mod range;
mod score;

pub use cdf::{Frequencies, NonFinite, PRECISION, SYMBOLS, TOTAL, code_length};
pub use layout::Layout;
pub use log2::log2;
pub use score::{STREAM_LANES, ScoreError, ScoreResult, code_lengths, score};
