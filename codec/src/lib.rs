//! Predictors turned into lossless archives.

pub mod cdf;
mod log2;
pub mod range;

pub use cdf::{Frequencies, NonFinite, PRECISION, SYMBOLS, TOTAL, code_length};
pub use log2::log2;
