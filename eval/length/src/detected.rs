//! What detectors of contamination say of a test and what a model was trained on.

use serde::{Deserialize, Serialize};

/// What a pair of texts has in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// Share of the test's word 8-grams found in the training text.
    pub ngram8: f64,
    /// Share of its 13-grams.
    pub ngram13: f64,
    /// Bytes of the longest string that both have.
    pub longest_match: usize,
    /// Share of the test's bytes that lie in common strings of 50 bytes or more.
    pub in_long_matches: f64,
}

impl Overlap {
    /// The overlap of `bytes` bytes with themselves.
    #[must_use]
    pub fn whole(bytes: usize) -> Overlap {
        Overlap {
            ngram8: 1.0,
            ngram13: 1.0,
            longest_match: bytes,
            in_long_matches: 1.0,
        }
    }
}

/// Min-K% of the leaked bytes against clean ones, in pieces of 512 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinK {
    /// The share of bytes it looks at, in percent.
    pub percent: f64,
    /// Mean over pieces of the leaked test, bits a byte.
    pub leaked: f64,
    /// Mean over clean pieces.
    pub clean: f64,
    /// How often a piece of the test is told from a clean one; 0.5 is a coin.
    pub auc: f64,
}

/// What the detectors say of a model and its training bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detected {
    /// What the test has in common with the bytes trained on.
    #[serde(flatten)]
    pub overlap: Overlap,
    /// What the model gives away.
    pub min_k: MinK,
}
