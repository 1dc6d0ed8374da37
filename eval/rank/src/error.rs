//! Why models cannot be ranked.

use brevity_baselines::BaselineError;
use brevity_codec::ScoreError;
use brevity_data::DataError;
use brevity_measure::MeasureError;
use brevity_outside::OutsideError;
use std::path::PathBuf;

/// Why models cannot be ranked.
#[derive(Debug, thiserror::Error)]
pub enum RankError {
    /// The config cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The config is no TOML, or has unknown or impossible values.
    #[error("{path}", path = path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What and where.
        source: Box<toml::de::Error>,
    },
    /// A value of the config is impossible.
    #[error("{path}: {key}: {message}", path = path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The dotted key.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// Bytes that cannot be had.
    #[error("cannot read the bytes of {what}")]
    Data {
        /// Of what.
        what: String,
        /// Why.
        source: Box<DataError>,
    },
    /// A model that cannot be read or used.
    #[error("cannot use the model {model}")]
    Model {
        /// Its name.
        model: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The work was stopped.
    #[error("stopped")]
    Stopped,
}

impl RankError {
    /// Whether the config is at fault, rather than the work.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            RankError::Read { .. } | RankError::Toml { .. } | RankError::Config { .. } => true,
            RankError::Data { source, .. } => source.is_usage(),
            _ => false,
        }
    }
}

/// Why one model cannot price bytes; [`RankError`] adds its name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelError {
    #[error(transparent)]
    Score(#[from] ScoreError),
    #[error(transparent)]
    Outside(#[from] OutsideError),
    #[error(transparent)]
    Coder(#[from] BaselineError),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error(transparent)]
    Pretrained(#[from] brevity_pretrained::archive::ArchiveError),
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl ModelError {
    /// With the model's name.
    pub(crate) fn of(self, model: &str) -> RankError {
        use brevity_pretrained::archive::ArchiveError;
        use brevity_pretrained::price::PriceError;
        match self {
            ModelError::Outside(OutsideError::Stopped)
            | ModelError::Measure(MeasureError::Stopped)
            | ModelError::Pretrained(ArchiveError::Price(PriceError::Stopped)) => {
                RankError::Stopped
            }
            other => RankError::Model {
                model: model.to_owned(),
                source: other.into(),
            },
        }
    }
}
