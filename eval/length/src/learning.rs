//! The learning curve of a prequential code.

use serde::{Deserialize, Serialize};

/// Cumulative code length after some number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// Bytes coded.
    pub bytes: u64,
    /// Their code length in bits.
    pub bits: f64,
}

/// Results of a prequential code besides its length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learning {
    /// `online` or `blocks`.
    pub mode: String,
    /// Code length of the same bytes under the final model, trained on all of them, in
    /// bits; not a code by itself.
    pub final_bits: f64,
    /// Regret: the prequential length minus the final one, in bits.
    pub regret_bits: f64,
    /// Cumulative length, at eight points for each doubling of the bytes.
    pub curve: Vec<CurvePoint>,
    /// Cumulative length where the bytes coded are a power of two, and at the end.
    pub doublings: Vec<CurvePoint>,
}
