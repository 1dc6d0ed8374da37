//! Predictors turned into lossless archives.
//!
//! What lives here, from the bottom up:
//! - [`Frequencies`]: integer distributions of the next byte, and exact code
//!   lengths ([`code_length`], [`score`]);
//! - [`range`]: the range coder over them;
//! - [`predict`]: the [`Predictor`](predict::Predictor) trait, over lanes in
//!   lock-step, and predictors: trained transformers, counts, the uniform code;
//! - `cm`: context models that learn online and store nothing, alone or mixed
//!   with a trained model;
//! - [`weights`]: the weight coder, trained models in few bytes;
//! - [`archive`]: the container, streaming, with random access and salvage.
//!
//! What does not: training (`train`), files and the command line (`src`). All
//! arithmetic that a decoder repeats is integer or goes through
//! `brevity-kernels`, so archives decode to the same bytes on any CPU and with
//! any number of threads.
//!
//! ```
//! use brevity_codec::archive::{compress, inspect, Options, Source};
//! use brevity_codec::weights::{Plan, Precision};
//! use brevity_model::{Spec, Weights};
//!
//! // An untrained model, stored in 4 bits a parameter at most.
//! let weights = Weights::from_fn(Spec::aspect(16, 64), |info| vec![0.0; info.len()])?;
//! let plan = Plan::new(&weights, Precision::Bits(4));
//! let source = Source::embedded(&weights, &plan);
//! let mut out = Vec::new();
//! compress(&b"to be or not to be"[..], &mut out, &source, &Options::default(), &|_| {})?;
//! assert_eq!(inspect(&out[..])?.raw(), 18);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod archive;
mod block;
pub mod cdf;
mod cm;
mod coder;
mod layout;
mod log2;
pub mod predict;
pub mod range;
mod score;
pub mod weights;

pub use block::{Method, Progress};
pub use cdf::{Frequencies, NonFinite, PRECISION, SYMBOLS, TOTAL, code_length};
pub use cm::Level;
pub use layout::Layout;
pub use log2::log2;
pub use score::{STREAM_LANES, ScoreError, ScoreResult, code_lengths, price_each, score};
