//! The `[contamination]` table: trials that show how a leak changes each measure.

use serde::{Deserialize, Serialize};
use toml::Table;

/// The `[contamination]` table. Its trials, for each seed and both models:
///
/// - *dose*: trained on the bytes of `[data]` with a number of copies of the test of
///   `[data.leak]`; the length of training is that of `[train]` for every number of
///   copies;
/// - *disguise*: the same with copies in which some words are missing;
/// - *text* and *random*: trained on the first bytes of `[data]` alone, and on random
///   bytes;
///
/// together with the prequential codes of the same tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContaminationConfig {
    /// Numbers of copies of the test. Default 0, 1, 2, 4, 7, 10, 50, 100.
    #[serde(default = "doses")]
    pub doses: Vec<u64>,
    /// Numbers of disguised copies. Default 10, 100.
    #[serde(default = "disguised")]
    pub disguised: Vec<u64>,
    /// In a disguised copy, every `skip_words`-th word is missing. Default 6.
    #[serde(default = "skip_words")]
    pub skip_words: u64,
    /// Length of *text* in bytes, taken from the start of `[data]`. Default 100,000.
    #[serde(default = "alone")]
    pub text_bytes: u64,
    /// Length of *random* in bytes. Default 65,536.
    #[serde(default = "noise")]
    pub random_bytes: u64,
    /// Config keys of the honest model. A training budget given here (`train.epochs`,
    /// `steps`, `bytes`) applies to *text* and *random*.
    #[serde(default)]
    pub honest: Table,
    /// Config keys of the memoriser, likewise.
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
    /// Checks everything that does not need the rest of the config.
    ///
    /// # Errors
    /// The invalid key below `contamination`, and the reason.
    pub(super) fn validate(&self) -> Result<(), (&'static str, String)> {
        for (key, doses) in [("doses", &self.doses), ("disguised", &self.disguised)] {
            let twice = |i: &usize| doses[..*i].contains(&doses[*i]);
            if let Some(i) = (0..doses.len()).find(twice) {
                return Err((key, format!("{} is listed twice", doses[i])));
            }
        }
        if !self.doses.contains(&0) {
            let message = "0 is missing: models without a leak are needed for comparison";
            return Err(("doses", message.into()));
        }
        if self.disguised.contains(&0) {
            return Err(("disguised", "0 copies cannot be disguised".into()));
        }
        if self.skip_words < 2 {
            let message = format!("{} leaves no words: give 2 or more", self.skip_words);
            return Err(("skip_words", message));
        }
        if self.memoriser.is_empty() {
            let message = "it equals the honest model: set a larger `model.width`, for example";
            return Err(("memoriser", message.into()));
        }
        Ok(())
    }
}
