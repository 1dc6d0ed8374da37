//! Regimes: how described bytes relate to the model's training bytes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How the bytes described relate to those the model was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regime {
    /// Exactly the training bytes: with the model's bytes a valid two-part code.
    InSample,
    /// Disjoint bytes of the same source: the held-out loss.
    HeldOut,
    /// Bytes of another source, with no long string in common with the training bytes.
    Shifted,
    /// Anything else, such as a leaked test. Such a length does not measure
    /// generalisation.
    Overlap,
    /// Each byte priced before it was learned, in a single pass: a prequential code.
    Prequential,
    /// The training bytes are unknown.
    Unknown,
}

impl Regime {
    /// All regimes.
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

    /// The number of bytes that the model is charged to, given the bytes described and
    /// the training bytes. The adjusted rate divides the model's bytes by it.
    ///
    /// Held-out bytes are a sample of the source, so the model is shared by all bytes
    /// that it was trained on. In every other regime the model is part of the
    /// description of just these bytes: in-sample they are the training bytes; a leaked
    /// test is charged with the model that contains it, and so are bytes of another
    /// source or of unknown relation.
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
