//! A model for the codec that learns from a recipe.

use super::learner::Learner;
use super::recipe::{Recipe, RecipeError};
use crate::ops::{DeviceError, DeviceKind};
use brevity_codec::Layout;
use brevity_codec::predict::{Model, Predictor};
use brevity_codec::weights;
use brevity_model::{Spec, Weights};
use brevity_task::chain;

/// Most parameters of a model that was trained before and goes on learning: its weights
/// are unpacked before anything of a recipe is allowed.
pub const MOST_STORED: u64 = 1 << 24;

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
    /// The weights it starts with; none if it starts untrained.
    start: Option<Weights>,
}

impl LearningModel {
    /// A model that follows `recipe`.
    ///
    /// # Errors
    /// A build without the CPU device, which is the only device with the same bits on every
    /// machine.
    pub fn new(recipe: Recipe) -> Result<LearningModel, DeviceError> {
        DeviceKind::Flex.device()?;
        Ok(LearningModel {
            recipe,
            start: None,
        })
    }

    /// The same, with a model that was trained before.
    ///
    /// # Errors
    /// Weights of another spec than the recipe's, or more than [`MOST_STORED`].
    pub fn starting_with(self, weights: Weights) -> Result<LearningModel, RecipeError> {
        self.check_start(weights.spec())?;
        Ok(LearningModel {
            start: Some(weights),
            ..self
        })
    }

    fn check_start(&self, spec: &Spec) -> Result<(), RecipeError> {
        match spec == self.recipe.spec() {
            true => LearningModel::check_size(spec),
            false => Err(bad_start(
                "the model is another one than the recipe's".into(),
            )),
        }
    }

    /// Checks that a trained model of this spec can go on learning.
    ///
    /// # Errors
    /// More parameters than [`MOST_STORED`].
    pub fn check_size(spec: &Spec) -> Result<(), RecipeError> {
        match spec.parameters() {
            more if more > MOST_STORED => Err(bad_start(format!(
                "{more} are more than {MOST_STORED}, the most that go on learning"
            ))),
            _ => Ok(()),
        }
    }

    /// Builds the model from the recipe of an archive, which stored weights may follow: for
    /// the field `recipe` of [`Models`](brevity_codec::archive::Models).
    ///
    /// # Errors
    /// Bytes that are not a recipe, or no weights of its model; errors of
    /// [`LearningModel::new`].
    pub fn follow(recipe: &[u8]) -> Result<Box<dyn Model>, String> {
        let told = |error: &(dyn std::error::Error + 'static)| chain(error).to_string();
        let (found, end) = Recipe::at_start_of(recipe).map_err(|error| told(&error))?;
        let model = LearningModel::new(found).map_err(|error| told(&error))?;
        if end == recipe.len() {
            return Ok(Box::new(model));
        }
        let (spec, _) = Spec::from_bytes(&recipe[end..]).map_err(|error| told(&error))?;
        model.check_start(&spec).map_err(|error| told(&error))?;
        let weights = weights::decode(&recipe[end..]).map_err(|error| told(&error))?;
        let model = model.starting_with(weights).map_err(|error| told(&error))?;
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

    fn learns_beside(&self) -> bool {
        self.recipe.is_beside_contexts()
    }

    fn memory(&self, layout: &Layout) -> u64 {
        self.recipe.memory(layout)
    }

    fn operations(&self, layout: &Layout) -> f64 {
        self.recipe.operations(layout)
    }

    fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a> {
        let learner = Learner::new(&self.recipe, self.start.as_ref(), *layout);
        let learner = learner.expect("the device was there when the model was made");
        Box::new(learner)
    }
}

fn bad_start(reason: String) -> RecipeError {
    RecipeError::Online {
        field: "parameters",
        reason,
    }
}
