//! How the length of a prequential code grows.

use serde::{Deserialize, Serialize};

/// Cumulative code length at some number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// Bytes coded.
    pub bytes: u64,
    /// Their cost in bits.
    pub bits: f64,
}

/// What a prequential code tells beyond its length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learning {
    /// `online` or `blocks`.
    pub mode: String,
    /// Code length of the same bytes under the model that all of them made, bits; no
    /// code by itself.
    pub final_bits: f64,
    /// What learning cost: the prequential length less the final one, bits.
    pub regret_bits: f64,
    /// Cumulative length, at points that double in eight.
    pub curve: Vec<CurvePoint>,
    /// Cumulative length where the bytes coded are a power of two, and at the end.
    pub doublings: Vec<CurvePoint>,
}
