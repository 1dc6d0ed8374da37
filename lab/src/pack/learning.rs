//! Models that learn what is coded, and what a reader of any archive has.

use super::PackError;
use brevity_codec::archive::{Models, Source};
use brevity_model::Weights;
use brevity_train::online::{LearningModel, OnlineError, Recipe};

/// A model that learns a source of about so many bytes while it is coded; by default,
/// where their number is not known. The archive holds its recipe.
///
/// # Errors
/// A machine without the learner's device.
pub fn learning_source(bytes: Option<u64>) -> Result<Source<'static>, PackError> {
    let recipe = Recipe::for_bytes(bytes);
    let stored = recipe.to_bytes();
    let model = LearningModel::new(recipe).map_err(OnlineError::from)?;
    Ok(Source::recipe(stored, Box::new(model)))
}

/// The model given, if any, and whatever the recipe of an archive asks for.
pub fn models(external: Option<&Weights>) -> Models<'_> {
    Models {
        external,
        recipe: Some(&LearningModel::follow),
    }
}
