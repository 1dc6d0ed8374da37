//! Models to be scored, with their training records.

use std::path::{Path, PathBuf};

use crate::sweep::{TrialRecord, checksums};
use brevity_data::{ByteSet, regime};
use brevity_length::Regime;
use brevity_model::Weights;
use brevity_task::chain;
use brevity_train::MODEL;
use brevity_train::online::{Recipe, RecipeError};

use super::ScoreError;
use brevity_data::overlap::overlap;
use brevity_length::Overlap;

/// Limit on the bytes of both texts together for a suffix array, which takes some
/// twenty times as much memory.
const MOST_OVERLAP: usize = 1 << 28;

/// The safetensors file for a path: the file itself, or the model of a trial's folder.
pub fn model_file(given: &Path) -> PathBuf {
    match given.is_dir() {
        true => given.join(MODEL),
        false => given.to_owned(),
    }
}

/// A model to be scored.
pub struct Subject {
    /// The path as given.
    pub name: String,
    /// Its safetensors file.
    pub path: PathBuf,
    /// Its weights.
    pub weights: Weights,
    /// Its training record, if its folder has one.
    pub record: Option<TrialRecord>,
    /// Its training bytes, or why they are not available.
    pub trained_on: Result<ByteSet, String>,
}

impl Subject {
    /// Reads a safetensors file, or that of a trial's folder, with the training record
    /// beside it. The training bytes are read again, and used if their hash is the
    /// recorded one.
    ///
    /// # Errors
    /// A model or a record that cannot be read. Unreadable training bytes are not an
    /// error.
    pub fn load(given: &Path) -> Result<Subject, ScoreError> {
        let path = model_file(given);
        let folder = path.parent().unwrap_or(Path::new(""));
        if given.join("manifest.json").exists() {
            return Err(ScoreError::Sweep(given.to_owned()));
        }
        if path.file_name().is_some_and(|name| name == MODEL) {
            checksums::refuse_damage(folder, MODEL)?;
        }
        let weights = Weights::load(&path)?;
        let record = TrialRecord::read(folder)?;
        // The record holds only for the trial's own model, which has this file name.
        let record = record.filter(|record| {
            path.file_name().is_some_and(|name| name == MODEL)
                && record.config.model == *weights.spec()
        });
        let trained_on = match &record {
            Some(record) => trained_on(record),
            None => Err("there is no training record beside it".into()),
        };
        Ok(Subject {
            name: given.display().to_string(),
            path,
            weights,
            record,
            trained_on,
        })
    }

    /// How `set` relates to the training bytes; `None` if unknown.
    pub fn regime(&self, set: &ByteSet) -> Option<Regime> {
        match &self.trained_on {
            Ok(seen) => Some(regime(seen, set)),
            Err(_) => {
                let hash = self.record.as_ref()?.data_hash.as_deref();
                (hash == Some(set.blake3())).then_some(Regime::InSample)
            }
        }
    }

    /// The overlap of `set` with the training bytes, or why it is unknown.
    pub fn overlap(&self, set: &ByteSet) -> Result<Overlap, String> {
        let seen = self.trained_on.as_ref().map_err(Clone::clone)?;
        if seen.len() + set.len() > MOST_OVERLAP {
            return Err(format!(
                "{} bytes together are more than {MOST_OVERLAP}",
                seen.len() + set.len()
            ));
        }
        Ok(overlap(&seen.bytes, &set.bytes))
    }

    /// The recipe of a learner with this model's spec: as in the trial's config,
    /// otherwise the default.
    pub fn recipe(&self) -> Result<Recipe, RecipeError> {
        let spec = self.weights.spec().clone();
        match &self.record {
            Some(TrialRecord { config, .. }) if config.prequential.is_some() => {
                let table = config.prequential.clone().unwrap_or_default();
                Recipe::new(spec, config.seed, &config.train, table.online)
            }
            _ => Recipe::for_spec(spec),
        }
    }
}

fn trained_on(record: &TrialRecord) -> Result<ByteSet, String> {
    let Some(recorded) = &record.data_hash else {
        return Err("its trial has no scores, which record the training data".into());
    };
    let data = &record.config.data;
    let set = match data.load() {
        Ok(split) => split.train,
        Err(error) => {
            return Err(format!(
                "its training data are not available: {}",
                chain(&error)
            ));
        }
    };
    if set.blake3() != recorded {
        return Err(format!(
            "`{}` no longer holds its training data",
            data.source
        ));
    }
    Ok(set)
}
