//! Models that learn while they code, and the models available to a reader.

use anyhow::Result;
use brevity_codec::archive::{Models, Source};
use brevity_model::Weights;
use brevity_train::online::{LearningModel, Recipe};

/// A model that learns a source of about so many bytes.
pub fn learning(bytes: Option<u64>) -> Result<Source<'static>> {
    let recipe = Recipe::for_bytes(bytes);
    let stored = recipe.to_bytes();
    let model = LearningModel::new(recipe)?;
    Ok(Source::recipe(stored, Box::new(model)))
}

/// The model given, if any, and whatever a recipe asks for.
pub fn models(external: Option<&Weights>) -> Models<'_> {
    Models {
        external,
        recipe: Some(&LearningModel::follow),
    }
}
