//! Open language models as predictors: any GGUF file or Hugging Face folder of a known
//! family prices and compresses bytes, with the same bits on any CPU. No burn.
//!
//! What lives here, from the bottom up:
//! - [`gguf`]: the reader of GGUF files, which are hostile until checked;
//! - [`Spec`], [`Weights`]: what a decoder-only transformer is, for all families, and
//!   its parameters in the form in which the file stores them;
//! - [`Model`]: both with the tokens, loaded; [`Model::hidden`] and [`Model::logits`]
//!   are the one forward pass;
//! - [`Tokenizer`], [`Vocabulary`]: bytes to tokens for encoders, and back for all;
//! - [`Frequencies`]: integer distributions of the next token;
//! - [`Form`]: bytes that are no text; [`price`]: whole contexts at once; [`archive`]: the same as archives, decoded step
//!   by step;
//! - [`score`], [`byte_bits`], [`generate`]: description lengths, those of each byte,
//!   and text; [`Model::at_bits`]: those of a model whose parameters our weight coder
//!   stores at chosen bits;
//! - [`cover`]: bytes instead of tokens, by the sum over all ways to cut them.
//!
//! What does not: byte models of our own (`brevity-model`), the command line.
//! `docs/pretrained.md` has the table of families and what is not done.
//!
//! ```no_run
//! use brevity_pretrained::Model;
//! use brevity_pretrained::archive::{Limits, Settings, compress, decompress};
//!
//! let model = Model::load("SmolLM2-135M-Instruct.Q4_1.gguf".as_ref())?;
//! println!("{}", model.describe());
//! let text = b"It was the best of times, it was the worst of times";
//! let out = compress(&model, &Settings::new(&model), text, &|_| true)?;
//! println!("{:.2} bits a byte", out.bits / text.len() as f64);
//! assert_eq!(decompress(&model, &out.archive, &Limits::default(), &|_| true)?, text);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod archive;
mod byte_bits;
mod coded;
mod contexts;
pub mod cover;
mod decoder;
mod describe;
mod error;
mod form;
mod frequencies;
mod generate;
pub mod gguf;
mod load;
mod mapped;
mod model;
mod prefixes;
pub mod price;
pub mod score;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod tokenizer;
mod vocabulary;
mod walk;
mod weights;

pub use byte_bits::{byte_bits, compress_with_bits};
pub use coded::CodedError;
pub use contexts::Contexts;
pub use decoder::Piece;
pub use describe::{Description, ModelBytes};
pub use error::{LoadError, Problem};
pub use form::Form;
pub use frequencies::{ESCAPE, ESCAPE_START, Frequencies, Interval, NonFinite};
pub use generate::generate;
pub use model::{Model, Origin};
pub use spec::{MAX_CONTEXT, Norm, Placement, Positions, Spec, SpecError};
pub use state::State;
pub use tokenizer::{Item, Tokenizer};
pub use vocabulary::Vocabulary;
pub use weights::{Gains, Layer, Linear, Matrix, Weights};
