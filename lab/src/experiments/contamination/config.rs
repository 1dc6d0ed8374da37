//! The `[contamination]` table: what a leak does to each measure.

use serde::{Deserialize, Serialize};
use toml::Table;

/// The `[contamination]` table. Its trials, for each seed and both models:
///
/// - *dose*: trained on the bytes of `[data]` with so many copies of the test that
///   `[data.leak]` describes, for as long as `[train]` says, whatever the dose;
/// - *disguise*: the same with copies that lack some words;
/// - *text* and *random*: trained on the first bytes of `[data]` alone, and on as
///   many random ones;
///
/// and the prequential codes of the same tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContaminationConfig {
    /// Copies of the test. Default 0, 1, 2, 4, 7, 10, 50, 100.
    #[serde(default = "doses")]
    pub doses: Vec<u64>,
    /// Copies of the test in disguise. Default 10, 100.
    #[serde(default = "disguised")]
    pub disguised: Vec<u64>,
    /// A copy in disguise lacks every so-many-th word. Default 6.
    #[serde(default = "skip_words")]
    pub skip_words: u64,
    /// Bytes of *text*, the first of `[data]`. Default 100,000.
    #[serde(default = "alone")]
    pub text_bytes: u64,
    /// Bytes of *random*. Default 65,536.
    #[serde(default = "noise")]
    pub random_bytes: u64,
    /// Keys by which the honest model differs from the config. A budget of
    /// training (`train.epochs`, `steps`, `bytes`) is for *text* and *random*.
    #[serde(default)]
    pub honest: Table,
    /// Keys by which the memoriser does.
    pub memoriser: Table,
}

fn doses() -> Vec<u64> {
    vec![0, 1, 2, 4, 7, 10, 50, 100]
}

fn disguised() -> Vec<u64> {
    vec![10, 100]
}

fn skip_words() -> u64 {
    6
}

fn alone() -> u64 {
    100_000
}

fn noise() -> u64 {
    65_536
}

impl ContaminationConfig {
    /// Checks what can be checked without the rest of the config.
    ///
    /// # Errors
    /// The key below `contamination` that makes no sense, and why.
    pub(super) fn validate(&self) -> Result<(), (&'static str, String)> {
        for (key, doses) in [("doses", &self.doses), ("disguised", &self.disguised)] {
            let twice = |i: &usize| doses[..*i].contains(&doses[*i]);
            if let Some(i) = (0..doses.len()).find(twice) {
                return Err((key, format!("{} is there twice", doses[i])));
            }
        }
        if !self.doses.contains(&0) {
            let message = "0 is missing: without a leak there is nothing to compare with";
            return Err(("doses", message.into()));
        }
        if self.disguised.contains(&0) {
            return Err(("disguised", "0 copies have no disguise".into()));
        }
        if self.skip_words < 2 {
            let message = format!("{} leaves no words: give 2 or more", self.skip_words);
            return Err(("skip_words", message));
        }
        if self.memoriser.is_empty() {
            let message = "it is the honest model: give it a larger `model.width`, say";
            return Err(("memoriser", message.into()));
        }
        Ok(())
    }
}
