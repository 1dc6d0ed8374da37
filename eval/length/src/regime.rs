//! How the bytes of a length relate to those the model has seen.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How the bytes that were described relate to those the model was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regime {
    /// Trained on exactly these bytes: with the model's bytes a legal two-part code.
    InSample,
    /// Disjoint bytes of the same source: the held-out loss.
    HeldOut,
    /// Bytes of another source that share nothing long with those seen.
    Shifted,
    /// Anything else; no length under it says what its name suggests.
    Overlap,
    /// Each byte priced before it was learned, in a single pass: a prequential code.
    Prequential,
    /// What the model has seen is not known.
    Unknown,
}

impl Regime {
    /// All of them.
    pub const ALL: [Regime; 6] = [
        Regime::InSample,
        Regime::HeldOut,
        Regime::Shifted,
        Regime::Overlap,
        Regime::Prequential,
        Regime::Unknown,
    ];

    /// The name in configs, results and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InSample => "in-sample",
            Self::HeldOut => "held-out",
            Self::Shifted => "shifted",
            Self::Overlap => "overlap",
            Self::Prequential => "prequential",
            Self::Unknown => "unknown",
        }
    }

    /// The bytes that pay for the model, given how many were described and how many it
    /// was trained on. The adjusted rate divides the model's bytes by them.
    ///
    /// Held-out bytes stand for the source, so the model is shared by all bytes that it
    /// was trained on. In every other regime the model is a part of the description of
    /// just these bytes: in-sample they are the ones it was trained on, a test that
    /// leaked pays for the model that holds it, and so do bytes of another source or of
    /// unknown relation.
    #[must_use]
    pub fn charged_to(self, described: u64, trained_on: u64) -> u64 {
        match self {
            Self::HeldOut => trained_on,
            Self::InSample | Self::Shifted | Self::Overlap | Self::Prequential | Self::Unknown => {
                described
            }
        }
    }
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
