//! The `[score]` table: what is measured of a trained model.

use serde::{Deserialize, Serialize};

/// Which bytes a trained model is scored on (contract 5 of the design).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regime {
    /// The bytes it was trained on: with the model's bytes, a two-part code.
    InSample,
    /// The held-out bytes of the same source; needs a `data` hold-out.
    HeldOut,
}

impl Regime {
    /// The name in configs and results.
    pub fn name(self) -> &'static str {
        match self {
            Regime::InSample => "in-sample",
            Regime::HeldOut => "held-out",
        }
    }
}

/// The `[score]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreConfig {
    /// The byte sets to score; each gives a row of results.
    pub regimes: Vec<Regime>,
    /// Write the coded stream, decode it again and compare, so that the length
    /// is that of a real file. Without it, lengths are marked `estimate`.
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
