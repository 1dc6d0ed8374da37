//! The data of trials, read once while consecutive trials use the same, and what context
//! models say of them.

use super::job::WorkError;
use super::manifest::{DataIdentity, Trial};
use crate::config::ScoreCode;
use brevity_codec::Contexts;
use brevity_codec::archive::Options;
use brevity_data::{ByteSet, DataConfig, Split};
use brevity_measure::MeasureError;
use brevity_task::Stop;
use std::sync::{Arc, Mutex, PoisonError};

/// Loads the data of trials and caches the last; the trials of a sweep mostly share it.
#[derive(Debug, Default)]
pub struct DataCache {
    last: Mutex<Option<(DataConfig, Arc<Split>)>>,
    /// By the hash of the bytes.
    contexts: Mutex<Option<(String, Arc<Contexts>)>>,
}

impl DataCache {
    /// The bytes of a `[data]` table.
    ///
    /// # Errors
    /// As [`DataConfig::load`].
    pub fn load(&self, config: &DataConfig) -> Result<Arc<Split>, brevity_data::DataError> {
        // The cache is replaced in one assignment, so a poisoned lock still guards a
        // valid one.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, split)) = &*last
            && known == config
        {
            return Ok(Arc::clone(split));
        }
        *last = None;
        let split = Arc::new(config.load()?);
        *last = Some((config.clone(), Arc::clone(&split)));
        Ok(split)
    }

    /// The bytes of a trial; their hashes must be those of its manifest.
    ///
    /// # Errors
    /// Data that cannot be read or have changed.
    pub fn of(&self, trial: &Trial) -> Result<Arc<Split>, WorkError> {
        let split = self.load(&trial.config.data)?;
        let now = DataIdentity::from(&*split);
        if !now.same_bytes(&trial.data) {
            let message = format!(
                "the data `{}` are not those the sweep began with: {} bytes with hash {} then, \
                 {} bytes with hash {} now",
                trial.data.source,
                trial.data.bytes,
                trial.data.hash.as_deref().unwrap_or("unknown"),
                now.bytes,
                now.hash.as_deref().unwrap_or("unknown"),
            );
            return Err(message.into());
        }
        Ok(split)
    }

    /// What context models say of bytes that a mixture codes; none if the model codes
    /// them alone. Those of the last bytes asked for are kept.
    ///
    /// # Errors
    /// [`MeasureError::Stopped`] when `stop` is set.
    pub fn beside(
        &self,
        code: ScoreCode,
        set: &ByteSet,
        stop: &Stop,
    ) -> Result<Option<Arc<Contexts>>, MeasureError> {
        if code == ScoreCode::Model {
            return Ok(None);
        }
        let mut last = self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, contexts)) = &*last
            && *known == set.provenance.blake3
        {
            return Ok(Some(Arc::clone(contexts)));
        }
        let Options { level, block, .. } = Options::default();
        let contexts = Contexts::of(&set.bytes, level, block, &|_| !stop.is_set());
        let contexts = Arc::new(contexts.ok_or(MeasureError::Stopped)?);
        *last = Some((set.provenance.blake3.clone(), Arc::clone(&contexts)));
        Ok(Some(contexts))
    }
}
