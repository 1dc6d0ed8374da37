//! Lengths of archives that hold a recipe in place of weights.

use brevity_codec::archive::Source;
use brevity_measure::{Archives, MeasureError, Parts};
use brevity_task::Stop;
use brevity_train::online::{LearningModel, Recipe};

/// The length of an archive of `bytes` whose model learns them online as described by
/// `recipe`. The archive is decoded, which repeats the learning, and kept in the folder.
/// `rest` is the size of the recipe, the header and the hashes.
///
/// # Errors
/// Those of [`brevity_measure::measure`], and if the learner's device is missing.
pub fn learned_length(
    recipe: Recipe,
    bytes: &[u8],
    archives: &Archives<'_>,
    stop: &Stop,
) -> Result<Parts, MeasureError> {
    let stored = recipe.to_bytes();
    let model = LearningModel::new(recipe).map_err(|error| MeasureError::Learner(error.into()))?;
    let source = Source::recipe(stored, Box::new(model));
    archives.length(&source, bytes, stop)
}
