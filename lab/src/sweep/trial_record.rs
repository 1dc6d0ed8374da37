//! What a trial's folder records about its model.

use super::error::SweepError;
use super::files;
use super::folder::TrialScore;
use crate::config::TrialConfig;
use std::fs;
use std::io;
use std::path::Path;

/// How the model of a trial was made.
#[derive(Clone, Debug)]
pub struct TrialRecord {
    /// The complete config.
    pub config: TrialConfig,
    /// The trial's id, once it is scored.
    pub id: Option<String>,
    /// BLAKE3 of the training bytes in hexadecimal, once the trial is scored.
    pub data_hash: Option<String>,
}

impl TrialRecord {
    /// Reads the record in a trial's folder; `None` if there is none.
    ///
    /// # Errors
    /// Files that cannot be read or have invalid content.
    pub fn read(folder: &Path) -> Result<Option<TrialRecord>, SweepError> {
        let path = folder.join("config.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(SweepError::io("read", &path, error)),
        };
        let config = toml::from_str(&text).map_err(|error| SweepError::Corrupt {
            path,
            message: error.message().to_owned(),
        })?;
        let score: Option<TrialScore> = files::read_json(&folder.join("score.json"))?;
        let hash = |score: &TrialScore| score.provenance.data_hash.clone();
        Ok(Some(TrialRecord {
            config,
            data_hash: score.as_ref().and_then(hash),
            id: score.map(|score| score.id),
        }))
    }
}
