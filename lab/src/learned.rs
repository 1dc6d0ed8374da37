//! Archives that hold a recipe and no weights.

use brevity_codec::archive::Source;
use brevity_measure::{Archives, MeasureError, Parts};
use brevity_task::Stop;
use brevity_train::online::{LearningModel, Recipe};

/// The length of an archive of `bytes` whose model learns them as `recipe` says;
/// it was decoded again, which learns them once more, and is left in the folder.
/// `rest` is the recipe with header and hashes.
///
/// # Errors
/// As [`brevity_measure::measure`], and a machine without the learner's device.
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
