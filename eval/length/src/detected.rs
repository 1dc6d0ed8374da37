//! Results of contamination detectors for a test and a model.

use serde::{Deserialize, Serialize};

/// Overlap of a test with a training text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// Share of the test's word 8-grams found in the training text.
    pub ngram8: f64,
    /// Share of its word 13-grams.
    pub ngram13: f64,
    /// Share of its places that are found by eight words with one word between them that
    /// need not match; not measured by earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spaced: Option<f64>,
    /// Length in bytes of the longest common string.
    pub longest_match: usize,
    /// Share of the test's bytes in common strings of 50 bytes or more.
    pub in_long_matches: f64,
}

impl Overlap {
    /// The overlap of `bytes` bytes with themselves.
    #[must_use]
    pub fn whole(bytes: usize) -> Overlap {
        Overlap {
            ngram8: 1.0,
            ngram13: 1.0,
            spaced: Some(1.0),
            longest_match: bytes,
            in_long_matches: 1.0,
        }
    }
}

/// Min-K% of the leaked bytes against clean ones, in pieces of 512 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinK {
    /// K: the share of bytes averaged over, in percent.
    pub percent: f64,
    /// Mean over pieces of the leaked test, in bits per byte.
    pub leaked: f64,
    /// Mean over clean pieces.
    pub clean: f64,
    /// AUC: how often a piece of the test is distinguished from a clean one; 0.5 is
    /// chance.
    pub auc: f64,
}

/// Results of all detectors for a model and its training bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detected {
    /// Overlap of the test with the training bytes.
    #[serde(flatten)]
    pub overlap: Overlap,
    /// Membership signal of the model.
    pub min_k: MinK,
}
