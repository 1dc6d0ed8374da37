//! Models to be scored, with what is known of their training.

use std::path::{Path, PathBuf};

use crate::sweep::TrialRecord;
use brevity_data::{ByteSet, regime};
use brevity_length::Regime;
use brevity_model::Weights;
use brevity_task::chain;
use brevity_train::MODEL;
use brevity_train::online::{Recipe, RecipeError};

use super::ScoreError;
use brevity_data::overlap::overlap;
use brevity_length::Overlap;

/// Bytes of both texts together that a suffix array is made of at most; it takes
/// some twenty times as much memory.
const MOST_OVERLAP: usize = 1 << 28;

/// The safetensors file that a path means: the file itself, or that of the trial
/// whose folder it is.
pub fn model_file(given: &Path) -> PathBuf {
    match given.is_dir() {
        true => given.join(MODEL),
        false => given.to_owned(),
    }
}

/// A model to be scored.
pub struct Subject {
    /// The path it was given by.
    pub name: String,
    /// Its safetensors file.
    pub path: PathBuf,
    /// Its weights.
    pub weights: Weights,
    /// What its folder tells of its training.
    pub record: Option<TrialRecord>,
    /// The bytes it was trained on, or why they are not at hand.
    pub trained_on: Result<ByteSet, String>,
}

impl Subject {
    /// Reads a safetensors file, or that in the folder of a trial. What lies
    /// beside it tells of its training; the bytes it was trained on are read
    /// again, and believed if their hash is the recorded one.
    ///
    /// # Errors
    /// A model or a record that cannot be read. Bytes that cannot are no error.
    pub fn load(given: &Path) -> Result<Subject, ScoreError> {
        let path = model_file(given);
        let folder = path.parent().unwrap_or(Path::new(""));
        if given.join("manifest.json").exists() {
            return Err(ScoreError::Sweep(given.to_owned()));
        }
        let weights = Weights::load(&path)?;
        let record = TrialRecord::read(folder)?;
        // Another model may lie in a trial's folder; the trial's has its name.
        let record = record.filter(|record| {
            path.file_name().is_some_and(|name| name == MODEL)
                && record.config.model == *weights.spec()
        });
        let trained_on = match &record {
            Some(record) => trained_on(record),
            None => Err("no record of its training lies beside it".into()),
        };
        Ok(Subject {
            name: given.display().to_string(),
            path,
            weights,
            record,
            trained_on,
        })
    }

    /// How `set` relates to what the model was trained on; `None` where that is
    /// not known.
    pub fn regime(&self, set: &ByteSet) -> Option<Regime> {
        match &self.trained_on {
            Ok(seen) => Some(regime(seen, set)),
            Err(_) => {
                let hash = self.record.as_ref()?.data_hash.as_deref();
                (hash == Some(set.blake3())).then_some(Regime::InSample)
            }
        }
    }

    /// What `set` has in common with the bytes trained on, or why it is not
    /// known.
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

    /// How a learner of this model's spec goes through bytes: as the trial's
    /// config says, otherwise as `compress --online` would.
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
        return Err("its trial has no scores, which record what it was trained on".into());
    };
    let data = &record.config.data;
    let set = match data.load() {
        Ok(split) => split.train,
        Err(error) => {
            return Err(format!(
                "what it was trained on is not at hand: {}",
                chain(&error)
            ));
        }
    };
    if set.blake3() != recorded {
        return Err(format!(
            "`{}` does not hold the bytes it was trained on any more",
            data.source
        ));
    }
    Ok(set)
}
