//! The `[score]` table: what is measured of a trained model.

use brevity_length::Regime;
use serde::{Deserialize, Serialize};

/// The `[score]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreConfig {
    /// Which bytes to score; each regime gives one row of results: `in-sample` (the
    /// training bytes; with the model's bytes a two-part code), `held-out` (the bytes
    /// that `[data.holdout]` keeps out of training), `overlap` (the test set that
    /// `[data.leak]` puts into training).
    pub regimes: Vec<Regime>,
    /// Write archives, decode them and compare, so that lengths are those of real
    /// files; costs about as much as two training epochs. Otherwise lengths are code
    /// lengths, marked as estimates.
    pub verify: bool,
    /// Further numbers of stored bits per parameter, besides two bytes and the number
    /// that gives the shortest archive. Each is one more convention, with its own
    /// adjusted rate and critical size. Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bits: Vec<f64>,
    /// What codes the data. Default `model`.
    #[serde(skip_serializing_if = "ScoreCode::is_model")]
    pub code: ScoreCode,
}

/// What codes the data of a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreCode {
    /// The model alone.
    #[default]
    Model,
    /// The model mixed with context models of the default level, which store nothing.
    /// The model is trained for this: its loss is the code length of the mixture.
    Mixed,
}

impl ScoreCode {
    fn is_model(&self) -> bool {
        *self == ScoreCode::Model
    }
}

impl Default for ScoreConfig {
    fn default() -> ScoreConfig {
        ScoreConfig {
            regimes: vec![Regime::InSample],
            verify: true,
            bits: Vec::new(),
            code: ScoreCode::Model,
        }
    }
}

/// An invalid field of a [`ScoreConfig`], and the reason.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("score.{field}: {reason}")]
pub struct ScoreConfigError {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl ScoreConfig {
    /// Checks every field: at least one regime, each one that a sweep can score; bits
    /// that weights can be stored in; no duplicates.
    ///
    /// # Errors
    /// The first invalid field.
    pub fn validate(&self) -> Result<(), ScoreConfigError> {
        let err = |field, reason: String| Err(ScoreConfigError { field, reason });
        if self.regimes.is_empty() {
            let reason = "nothing to score: give `in-sample`, `held-out` or both";
            return err("regimes", reason.into());
        }
        for (i, regime) in self.regimes.iter().enumerate() {
            if !matches!(regime, Regime::InSample | Regime::HeldOut | Regime::Overlap) {
                let reason = format!(
                    "`{regime}` cannot be requested, because it follows from the data; give \
                     `in-sample`, `held-out` or both"
                );
                return err("regimes", reason);
            }
            if self.regimes[..i].contains(regime) {
                return err("regimes", format!("`{regime}` is listed twice"));
            }
        }
        for (i, bits) in self.bits.iter().enumerate() {
            if !(1.0..=16.0).contains(bits) {
                return err("bits", format!("{bits} is not between 1 and 16"));
            }
            if self.bits[..i].contains(bits) {
                return err("bits", format!("{bits} is listed twice"));
            }
        }
        Ok(())
    }
}
