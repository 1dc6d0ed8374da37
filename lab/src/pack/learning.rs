//! Models that learn a file while it is coded, and models for decoding any archive.

use super::PackError;
use brevity_codec::archive::{Models, Source};
use brevity_model::Weights;
use brevity_train::online::{LearningModel, OnlineError, Recipe};

/// A model that learns a source of about `bytes` bytes while it is coded; `None` if
/// their number is unknown. The archive holds its recipe.
///
/// # Errors
/// If the learner's device is missing.
pub fn learning_source(bytes: Option<u64>) -> Result<Source<'static>, PackError> {
    let recipe = Recipe::for_bytes(bytes);
    let stored = recipe.to_bytes();
    let model = LearningModel::new(recipe).map_err(OnlineError::from)?;
    Ok(Source::recipe(stored, Box::new(model)))
}

/// The models for decoding an archive: the given one, if any, and the one that an
/// archive's recipe describes.
pub fn models(external: Option<&Weights>) -> Models<'_> {
    Models {
        external,
        recipe: Some(&LearningModel::follow),
        ..Models::default()
    }
}
