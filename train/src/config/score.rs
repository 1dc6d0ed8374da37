//! The `[score]` table: what is measured of a trained model.

use brevity_data::Regime;
use serde::{Deserialize, Serialize};

/// The `[score]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreConfig {
    /// Which bytes to score; each gives a row of results: `in-sample` (those
    /// trained on; with the model's bytes a two-part code), `held-out` (those
    /// that `[data.holdout]` keeps away from training).
    pub regimes: Vec<Regime>,
    /// Write archives, decode them and compare, so that lengths are those of
    /// real files; costs about as much as two passes of training. Without it,
    /// lengths are code lengths, marked as estimates.
    pub verify: bool,
}

impl Default for ScoreConfig {
    fn default() -> ScoreConfig {
        ScoreConfig {
            regimes: vec![Regime::InSample],
            verify: true,
        }
    }
}

impl ScoreConfig {
    /// Checks the regimes: at least one, each one that a sweep can score, none
    /// twice.
    ///
    /// # Errors
    /// What is wrong with `score.regimes`.
    pub fn validate(&self) -> Result<(), String> {
        if self.regimes.is_empty() {
            return Err("nothing to score: give `in-sample`, `held-out` or both".into());
        }
        for (i, regime) in self.regimes.iter().enumerate() {
            if !matches!(regime, Regime::InSample | Regime::HeldOut) {
                return Err(format!(
                    "`{regime}` is what a score may turn out to be, not what can be asked for; \
                     give `in-sample`, `held-out` or both"
                ));
            }
            if self.regimes[..i].contains(regime) {
                return Err(format!("`{regime}` is there twice"));
            }
        }
        Ok(())
    }
}
