//! Models of one's own on byte sets of one's own: every length beside every
//! other, with what the model has seen of the bytes.
//!
//! [`score`] prices each byte set under each model and says, for each pair,
//!
//! - the **raw** rate, coded bytes over bytes, which is no code by itself;
//! - the same as **held-out** rate where the bytes are disjoint from those
//!   trained on and of the same source, so that it measures generalisation;
//! - the **adjusted** rates, model counted as `fp16` and as `stored`;
//! - the **prequential** rate of a learner of the model's spec, if asked for;
//! - the [`Regime`](brevity_length::Regime) and the [`Overlap`] with the recorded training bytes, where
//!   these are known and at hand.
//!
//! Lengths are those of archives that were decoded again, or marked as
//! estimates. The formulas are in `docs/mdl.md`.

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
    /// Who decodes the archives; without, lengths are estimates.
    pub decoder: Option<&'a dyn Decoder>,
    /// Whether to price the bytes prequentially too, which trains a model from
    /// scratch for each pair.
    pub prequential: bool,
    /// Set to stop.
    pub stop: &'a Stop,
    /// Told before each pair: how many are done of how many, and the next one.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

/// Why there is no score.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The bytes cannot be had.
    #[error("cannot score `{source_name}`")]
    Data {
        /// What was asked for.
        source_name: String,
        /// Why.
        source: Box<DataError>,
    },
    /// The model cannot be read.
    #[error(transparent)]
    Model(#[from] FileError),
    /// A folder with many models.
    #[error("{} is a sweep: give folders of its trials, such as {}/trials/*", .0.display(), .0.display())]
    Sweep(PathBuf),
    /// What lies beside the model cannot be read.
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
    /// There is no place for archives.
    #[error("cannot make a folder for archives")]
    Folder(#[from] std::io::Error),
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
}

/// One model on one byte set.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The model, as it was given.
    pub model: String,
    /// The trial it is of, where that is recorded.
    pub trial: Option<String>,
    /// Its parameters.
    pub parameters: u64,
    /// Where the bytes come from.
    pub source: String,
    /// Position of the first of them in the source.
    pub offset: u64,
    /// What they take under the model.
    pub description: Description,
    /// What they take by the prequential code of a learner of the model's spec, if that
    /// was asked for.
    pub prequential: Option<Description>,
    /// What the bytes have in common with those trained on.
    pub overlap: Option<Overlap>,
    /// What could not be told, and why.
    pub notes: Vec<String>,
}

/// Scores every model on every byte set: all sets under the first model, then
/// all under the second.
///
/// # Errors
/// The first model, byte set or pair that cannot be scored; bytes are looked at
/// before anything is computed.
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
