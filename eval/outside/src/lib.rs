//! Models of other programs, measured as our own are.
//!
//! - [`predictor`]: anything that gives 256 log-probabilities and takes a byte is priced
//!   and codes archives: an object of the caller's ([`Outside`]) or a program on a pipe
//!   ([`pipe`]); [`score()`] measures one on a byte set.
//! - [`mod@price`]: what the weights of any model cost under our weight coder.
//! - [`log`]: prequential code lengths from loss logs.
//!
//! Nothing here trains or depends on burn.

pub mod log;
pub mod predictor;
pub mod price;
mod score;

pub use predictor::{About, Outside, OutsideError, pipe};
pub use score::{Score, score};
