//! Compresses bytes to archives, and decompresses them.
//!
//! | the archive holds | made by | decoding takes |
//! |---|---|---|
//! | no model: context models learn the bytes | [`compress`] | as long as coding |
//! | a model that was trained before | [`compress_with`] | as long as coding, or somewhat more |
//! | a model that was trained on these bytes, where that is shorter | [`compress_with_own_model`] | the same; coding trains first |
//! | a recipe: an LSTM network learns the bytes while they are coded | [`compress_online`] | as long as coding, which trains |
//!
//! Each function gives the archive as bytes. For streams, and for parts of large files,
//! see [`archive`].
//!
//! ```
//! use brevity::pack::{OwnModel, compress_with_own_model, decompress};
//! use brevity::Control;
//!
//! let folder = tempfile::tempdir()?;
//! let data = b"too few bytes to pay for any model";
//! let packed = compress_with_own_model(
//!     data,
//!     &folder.path().join("training"),
//!     &OwnModel::default(),
//!     &Control::none(),
//!     &|event| println!("{event:?}"),
//! )?;
//! let packed = packed.expect("nobody stopped it");
//! assert_eq!(decompress(&packed.archive)?, data);
//! packed.forget_training()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use brevity_lab::pack::{
    Budget, Event, OwnModel, PackError, Packed, Verdict, Workspace, compress_with_own_model,
    learning_on_source, learning_source, models, shortest_plan,
};

use brevity_codec::archive::{self, Options, Source};
use brevity_model::Weights;
use brevity_task::Control;
use std::io::Cursor;

/// Compresses with context models that learn the bytes, and no other model.
///
/// # Errors
/// None are known: compression needs only memory.
pub fn compress(data: &[u8]) -> Result<Vec<u8>, PackError> {
    write(data, &Source::none())
}

/// Compresses with a trained model, mixed with context models. The archive holds the model, stored
/// at the precision that makes the archive shortest.
///
/// # Errors
/// A model that gives no probabilities.
///
/// ```
/// use brevity::{Spec, Weights, pack};
///
/// let weights = Weights::from_fn(Spec::aspect(16, 64), |info| vec![0.0; info.len()])?;
/// let archive = pack::compress_with(b"nothing learned", &weights)?;
/// assert_eq!(pack::decompress(&archive)?, b"nothing learned");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compress_with(data: &[u8], weights: &Weights) -> Result<Vec<u8>, PackError> {
    let length = data.len() as u64;
    let (mut file, options) = (Cursor::new(data), Options::default());
    let plan = shortest_plan(weights, &mut file, length, &options, &Control::none())?;
    let plan = plan.expect("nobody stops it");
    write(data, &Source::embedded(weights, &plan))
}

/// Compresses with an LSTM network that learns the bytes while they are coded, mixed with
/// context models. The archive holds a recipe and no weights; decoding learns them once more.
///
/// # Errors
/// Learning whose values are not finite.
pub fn compress_online(data: &[u8]) -> Result<Vec<u8>, PackError> {
    write(data, &learning_source(Some(data.len() as u64)))
}

/// Decompresses an archive that holds everything needed to decode it.
///
/// # Errors
/// A damaged archive; an archive that needs a model which it does not hold.
pub fn decompress(archive: &[u8]) -> Result<Vec<u8>, PackError> {
    let mut data = Vec::new();
    archive::decompress(archive, &mut data, &models(None), &|_| {})?;
    Ok(data)
}

fn write(data: &[u8], source: &Source<'_>) -> Result<Vec<u8>, PackError> {
    let mut archive = Vec::new();
    archive::compress(data, &mut archive, source, &Options::default(), &|_| {})?;
    Ok(archive)
}
