//! A model for the codec that learns from a recipe.

use super::learner::Learner;
use super::recipe::Recipe;
use crate::ops::{DeviceError, DeviceKind};
use brevity_codec::Layout;
use brevity_codec::predict::{Model, Predictor};
use brevity_task::chain;

/// Codes blocks with a model that learns while it codes. Each block starts again from the recipe.
///
/// ```
/// use brevity_codec::archive::{compress, decompress, Models, Options, Source};
/// use brevity_model::Spec;
/// use brevity_train::TrainConfig;
/// use brevity_train::online::{LearningModel, OnlineConfig, Recipe};
///
/// let online = OnlineConfig { lanes: 2, window: 8, ..OnlineConfig::default() };
/// let recipe = Recipe::new(Spec::brevity(8, 1, 1, 16), 0, &TrainConfig::default(), online)?;
/// let text = b"how much wood would a woodchuck chuck".repeat(5);
/// let mut archive = Vec::new();
/// let source = Source::recipe(recipe.to_bytes(), Box::new(LearningModel::new(recipe)?));
/// compress(&text[..], &mut archive, &source, &Options::default(), &|_| {})?;
///
/// // The recipe is in the archive.
/// let models = Models { recipe: Some(&LearningModel::follow), ..Models::default() };
/// let mut back = Vec::new();
/// decompress(&archive[..], &mut back, &models, &|_| {})?;
/// assert_eq!(back, text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct LearningModel {
    recipe: Recipe,
}

impl LearningModel {
    /// A model that follows `recipe`.
    ///
    /// # Errors
    /// A build without the CPU device, which is the only device with the same bits on every
    /// machine.
    pub fn new(recipe: Recipe) -> Result<LearningModel, DeviceError> {
        DeviceKind::Flex.device()?;
        Ok(LearningModel { recipe })
    }

    /// Builds the model from the recipe of an archive: for the field `recipe` of
    /// [`Models`](brevity_codec::archive::Models).
    ///
    /// # Errors
    /// Bytes that are not a recipe; errors of [`LearningModel::new`].
    pub fn follow(recipe: &[u8]) -> Result<Box<dyn Model>, String> {
        let recipe = Recipe::from_bytes(recipe).map_err(|error| chain(&error).to_string())?;
        let model = LearningModel::new(recipe).map_err(|error| chain(&error).to_string())?;
        Ok(Box::new(model))
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }
}

impl Model for LearningModel {
    /// A window sees the bytes before it in its lane, so lanes can be cut anywhere.
    fn unit(&self) -> usize {
        1
    }

    fn lanes(&self) -> usize {
        self.recipe.online().lanes as usize
    }

    fn memory(&self, layout: &Layout) -> u64 {
        self.recipe.memory(layout)
    }

    fn operations(&self, layout: &Layout) -> f64 {
        self.recipe.operations(layout)
    }

    fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a> {
        let learner = Learner::new(&self.recipe, *layout);
        let learner = learner.expect("the device was there when the model was made");
        Box::new(learner)
    }
}
