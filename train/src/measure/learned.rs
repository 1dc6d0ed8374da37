//! Archives that hold a recipe and no weights.

use super::{Archives, Length, MeasureError};
use crate::online::{LearningModel, Recipe};
use brevity_codec::archive::Source;
use std::sync::atomic::AtomicBool;

/// The length of an archive of `bytes` whose model learns them as `recipe` says;
/// it was decoded again, which learns them once more, and is left in the folder.
/// `rest` is the recipe with header and hashes.
///
/// # Errors
/// As [`measure`](super::measure), and a machine without the learner's device.
pub fn learned_length(
    recipe: Recipe,
    bytes: &[u8],
    archives: &Archives<'_>,
    stop: &AtomicBool,
) -> Result<Length, MeasureError> {
    let stored = recipe.to_bytes();
    let source = Source::recipe(stored, Box::new(LearningModel::new(recipe)?));
    let (file, length) = archives.verified(&source, bytes, blake3::hash(bytes), stop)?;
    archives.keep(file)?;
    Ok(length)
}
