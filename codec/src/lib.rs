//! Lossless compression with predictors of the next byte.
//!
//! Contents, from the bottom up:
//! - [`Frequencies`]: integer distributions of the next byte, and exact code
//!   lengths ([`code_length`], [`score`]);
//! - [`range`]: the range coder for these distributions;
//! - [`predict`]: the [`Predictor`](predict::Predictor) trait, over lanes in
//!   lock-step, and predictors: trained transformers, counts, the uniform code;
//! - `cm`: context mixing, which learns while it codes and stores no model, alone or
//!   with a trained model mixed in; [`Contexts`], what its models say of known bytes;
//!   [`Words`], single bytes for frequent words;
//! - [`Blend`]: context models beside a predictor, for streams that hold more than bytes;
//! - [`weights`]: the weight coder, which stores trained models in few bytes;
//! - [`archive`]: the container, streaming, with random access and salvage.
//!
//! Training is in `train`, files and the command line in `src`. All arithmetic
//! that a decoder repeats uses integers or `brevity-kernels`, so archives decode to
//! the same bytes on any CPU and with any number of threads.
//!
//! ```
//! use brevity_codec::archive::{compress, inspect, Options, Source};
//! use brevity_codec::weights::{Plan, Precision};
//! use brevity_model::{Spec, Weights};
//!
//! // An untrained model, stored in at most 4 bits per parameter.
//! let weights = Weights::from_fn(Spec::aspect(16, 64), |info| vec![0.0; info.len()])?;
//! let plan = Plan::new(&weights, Precision::Bits(4));
//! let source = Source::embedded(&weights, &plan);
//! let mut out = Vec::new();
//! compress(&b"to be or not to be"[..], &mut out, &source, &Options::default(), &|_| {})?;
//! assert_eq!(inspect(&out[..])?.raw(), 18);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod archive;
mod blend;
mod block;
pub mod cdf;
mod cm;
mod coder;
mod contexts;
mod layout;
mod log2;
mod mixing;
pub mod predict;
pub mod range;
mod said;
mod score;
pub mod weights;

pub use blend::{Blend, BlendSetup, Flags};
pub use block::{Method, Progress};
pub use cdf::{Frequencies, NonFinite, PRECISION, SYMBOLS, TOTAL, code_length};
pub use cm::{Gates, Level, Words};
pub use contexts::Contexts;
pub use layout::Layout;
pub use log2::log2;
pub use score::{
    STREAM_LANES, ScoreError, ScoreResult, block_lengths, code_lengths, code_lengths_beside,
    price_each, score, score_beside,
};
