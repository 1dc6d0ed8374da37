//! Scores any model on any byte set: all lengths side by side, and the relation of the
//! bytes to the model's training data.
//!
//! [`score`] prices each byte set under each model and gives, for each pair,
//!
//! - the **raw** rate, coded bytes over raw bytes, which is not a code by itself;
//! - the **held-out** rate: the raw rate if the bytes are disjoint from the training
//!   bytes and of the same source, so that it measures generalisation;
//! - the **adjusted** rates, with the model counted as `fp16` and as `stored`;
//! - the **prequential** rate of a learner with the model's spec, on request;
//! - the [`Regime`](brevity_length::Regime) and the [`Overlap`] with the training
//!   bytes, if these are recorded and available.
//!
//! Lengths are those of decoded archives, or marked as estimates. `docs/mdl.md` has the
//! formulas.

mod json;
mod pair;
mod subject;
mod text;

use std::path::PathBuf;

use crate::sweep::SweepError;
use brevity_data::{DataConfig, DataError};
use brevity_measure::{Decoder, MeasureError};
use brevity_model::FileError;
use brevity_task::{Progress, Stop};
use brevity_train::online::{OnlineError, RecipeError};
pub use subject::{Subject, model_file};
pub use text::text;

use brevity_length::{Description, Overlap};

/// How to score.
pub struct Options<'a> {
    /// Decodes the archives; without it, lengths are estimates.
    pub decoder: Option<&'a dyn Decoder>,
    /// Whether to compute prequential rates too, which trains a model from scratch for
    /// each pair.
    pub prequential: bool,
    /// Set to request a stop.
    pub stop: &'a Stop,
    /// Called before each pair with the number done, the total, and the next pair.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

/// Why scoring failed.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The bytes cannot be read.
    #[error("cannot score `{source_name}`")]
    Data {
        /// The source that was given.
        source_name: String,
        /// Why.
        source: Box<DataError>,
    },
    /// The model cannot be read.
    #[error(transparent)]
    Model(#[from] FileError),
    /// The path is a sweep's folder, with many models.
    #[error("{} is a sweep: give folders of its trials, such as {}/trials/*", .0.display(), .0.display())]
    Sweep(PathBuf),
    /// The training record beside the model cannot be read.
    #[error(transparent)]
    Record(#[from] SweepError),
    /// The lengths cannot be measured.
    #[error("{model} on {data}")]
    Measure {
        /// The model's path.
        model: String,
        /// The name of the byte set.
        data: String,
        /// Why.
        source: Box<MeasureError>,
    },
    /// The model's spec cannot learn online.
    #[error("{model} cannot learn online")]
    Recipe {
        /// The model's path.
        model: String,
        /// Why.
        source: Box<RecipeError>,
    },
    /// The learner failed.
    #[error("{model} cannot learn {data}")]
    Online {
        /// The model's path.
        model: String,
        /// The name of the byte set.
        data: String,
        /// Why.
        source: Box<OnlineError>,
    },
    /// No temporary folder for archives can be made.
    #[error("cannot make a folder for archives")]
    Folder(#[from] std::io::Error),
    /// Stopped on request.
    #[error("stopped")]
    Stopped,
}

/// One model on one byte set.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The model's path as given.
    pub model: String,
    /// The trial it comes from, if recorded.
    pub trial: Option<String>,
    /// Number of parameters.
    pub parameters: u64,
    /// Where the bytes come from.
    pub source: String,
    /// Offset of the first byte in the source.
    pub offset: u64,
    /// The description of the bytes by the model.
    pub description: Description,
    /// The prequential description by a learner with the model's spec, if requested.
    pub prequential: Option<Description>,
    /// Overlap of the bytes with the training bytes.
    pub overlap: Option<Overlap>,
    /// Notes on what could not be determined.
    pub notes: Vec<String>,
}

/// Scores every model on every byte set: all sets under the first model, then all sets
/// under the second, and so on.
///
/// # Errors
/// The first model, byte set or pair that cannot be scored; byte sets are read before
/// anything is computed.
pub fn score(
    models: &[PathBuf],
    data: &[DataConfig],
    options: &Options<'_>,
) -> Result<Vec<Score>, ScoreError> {
    let load = |config: &DataConfig| match config.load() {
        Ok(split) => Ok(split.train),
        Err(source) => Err(ScoreError::Data {
            source_name: config.source.to_string(),
            source: source.into(),
        }),
    };
    let sets = data.iter().map(load).collect::<Result<Vec<_>, _>>()?;
    let subjects = models.iter().map(|path| Subject::load(path));
    let subjects = subjects.collect::<Result<Vec<_>, _>>()?;
    let pairs = subjects.len() * sets.len();
    let mut scores = Vec::with_capacity(pairs);
    for subject in &subjects {
        for set in &sets {
            let what = format!("{} on {}", subject.name, set.name());
            (options.progress)(Progress {
                done: scores.len() as u64,
                of: pairs as u64,
                what: &what,
                ..Progress::default()
            });
            scores.push(pair::score(subject, set, options)?);
        }
    }
    Ok(scores)
}
