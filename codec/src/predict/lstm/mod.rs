//! An LSTM network that learns while it codes: nothing of it is stored but its recipe.
//!
//! A recurrent network takes a step for each byte, and learns after every few bytes. A
//! transformer, which reads many bytes at once, wants many at once to learn from; so where
//! each byte is seen once, this network learns faster and costs less (docs/recipe.md, "An
//! LSTM network that learns while it codes"). It is best as one input of context models.
//!
//! Contents:
//! - [`LstmRecipe`], everything that determines the network, in about ten bytes;
//! - [`LstmModel`], which codes archives with it;
//! - `embedding`, what bytes and hashed contexts add to the inputs of gates;
//! - `layer`, a layer of cells and its backward pass through time; `network`, the layers,
//!   the output and the training.
//!
//! # Method
//!
//! Layers of LSTM cells with coupled gates and normalised inputs
//! ([`brevity_kernels::lstm`]). Each layer sees the last byte, its own last output and the
//! output of the layer below; the lowest one also sees hashes of the last bytes and of the
//! letters of the word so far, each with a row of an embedding (as in Bojanowski et al.
//! 2017), which costs a step next to nothing, however many rows there are. 256 logits are a
//! linear map of the outputs of all layers.
//! After every `horizon` bytes, the gradient of their code length is taken back through
//! these steps (truncated backpropagation through time, Williams & Peng 1990) and RMSProp
//! takes a step. That this works well beside context models was shown by `lstm-compress`
//! and `cmix` (Knoll 2014).

mod embedding;
mod layer;
mod network;
mod recipe;

pub(crate) use network::Lane;
pub(crate) use recipe::TEXT;
pub use recipe::{LstmRecipe, LstmRecipeError};

use super::{Model, Predictor};
use crate::layout::Layout;
use network::Network;

/// Codes blocks with an LSTM network that learns while it codes. Each block starts again
/// from the recipe.
///
/// ```
/// use brevity_codec::archive::{compress, decompress, Models, Options, Source};
/// use brevity_codec::predict::{LstmModel, LstmRecipe};
///
/// let recipe = LstmRecipe { cells: 16, ..LstmRecipe::default() };
/// let text = b"how much wood would a woodchuck chuck ".repeat(20);
/// let mut archive = Vec::new();
/// let source = Source::lstm(LstmModel::new(recipe)?);
/// compress(&text[..], &mut archive, &source, &Options::default(), &|_| {})?;
///
/// // The recipe is in the archive.
/// let mut back = Vec::new();
/// decompress(&archive[..], &mut back, &Models::default(), &|_| {})?;
/// assert_eq!(back, text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LstmModel {
    recipe: LstmRecipe,
}

impl LstmModel {
    /// A model that follows `recipe`.
    ///
    /// # Errors
    /// A field that is out of its bounds.
    pub fn new(recipe: LstmRecipe) -> Result<LstmModel, LstmRecipeError> {
        recipe.validate()?;
        Ok(LstmModel { recipe })
    }

    /// The recipe.
    pub fn recipe(&self) -> &LstmRecipe {
        &self.recipe
    }
}

impl Model for LstmModel {
    fn unit(&self) -> usize {
        1
    }

    /// One: context models know nothing at the start of a lane.
    fn lanes(&self) -> usize {
        1
    }

    fn knows_nothing(&self) -> bool {
        true
    }

    fn memory(&self, layout: &Layout) -> u64 {
        self.recipe.memory().saturating_mul(layout.lanes() as u64)
    }

    fn operations(&self, layout: &Layout) -> f64 {
        self.recipe.operations() * layout.steps() as f64 * layout.lanes() as f64
    }

    fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a> {
        Box::new(Network::new(&self.recipe, layout.lanes(), layout.steps()))
    }
}
