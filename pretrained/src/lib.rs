//! Open language models as predictors.

pub mod archive;
mod contexts;
mod decoder;
mod error;
mod frequencies;
pub mod gguf;
mod load;
mod mapped;
mod model;
pub mod price;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod tokenizer;
mod vocabulary;
mod weights;

pub use contexts::Contexts;
pub use decoder::Piece;
pub use error::{LoadError, Problem};
pub use frequencies::{ESCAPE, ESCAPE_START, Frequencies, Interval, NonFinite};
pub use model::{Model, Origin};
pub use spec::{MAX_CONTEXT, Norm, Placement, Positions, Spec, SpecError};
pub use state::State;
pub use tokenizer::{Item, Tokenizer};
pub use vocabulary::Vocabulary;
pub use weights::{Gains, Layer, Linear, Matrix, Weights};
