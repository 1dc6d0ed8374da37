//! Sums of code lengths.

use brevity_codec::predict::Priced;
use brevity_codec::{Layout, code_length};
use brevity_length::CurvePoint;
use brevity_model::Weights;

/// The prequential code length of a byte sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct PrequentialLength {
    /// The exact sum of all code lengths in bits. The stream of an archive has this
    /// length plus a final byte.
    pub bits: f64,
    /// The code length of each byte in bits, in the order of the file.
    pub lengths: Vec<f32>,
    /// Cumulative bits at the end of each window, in the order of coding:
    /// lanes, which are parts of the file, advance together.
    pub curve: Vec<CurvePoint>,
    /// Bytes of the recipe, which a decoder also needs.
    pub recipe_bytes: u64,
    /// The model trained on all bytes.
    pub weights: Weights,
}

impl PrequentialLength {
    /// Bits per byte, without the recipe; 0 for no bytes.
    pub fn bits_per_byte(&self) -> f64 {
        self.bits / self.lengths.len().max(1) as f64
    }

    /// The prequential rate: (coded bytes + recipe) / bytes; 0 for no bytes.
    pub fn rate(&self) -> f64 {
        (self.bits / 8.0 + self.recipe_bytes as f64) / self.lengths.len().max(1) as f64
    }
}

/// The code lengths so far.
pub(super) struct Tally {
    lengths: Vec<f32>,
    curve: Vec<CurvePoint>,
}

impl Tally {
    /// An empty tally for `bytes` bytes.
    pub fn new(bytes: usize) -> Tally {
        Tally {
            lengths: vec![0.0; bytes],
            curve: Vec::new(),
        }
    }

    /// The sums so far.
    pub fn end(&self) -> CurvePoint {
        self.curve.last().copied().unwrap_or(CurvePoint {
            bytes: 0,
            bits: 0.0,
        })
    }

    /// Adds consecutive steps, starting with `first`, of all lanes of a block that
    /// starts at byte `start`; `priced` is `[lanes, steps]`.
    pub fn add(&mut self, start: usize, layout: &Layout, first: usize, priced: &[Priced]) {
        let steps = priced.len() / layout.lanes();
        let mut end = self.end();
        for step in 0..steps {
            for lane in 0..layout.active(first + step) {
                let bits = code_length(priced[lane * steps + step].frequency());
                self.lengths[start + layout.range(lane).start + first + step] = bits as f32;
                end.bits += bits;
                end.bytes += 1;
            }
        }
        self.curve.push(end);
    }

    /// The final result.
    pub fn total(self, recipe_bytes: usize, weights: Weights) -> PrequentialLength {
        PrequentialLength {
            bits: self.end().bits,
            lengths: self.lengths,
            curve: self.curve,
            recipe_bytes: recipe_bytes as u64,
            weights,
        }
    }
}

/// `steps` bytes of each lane from step `first`, `[lanes, steps]`, padded with zeros
/// past a lane's end.
pub(super) fn column(bytes: &[u8], layout: &Layout, first: usize, steps: usize) -> Vec<u8> {
    let mut out = vec![0; layout.lanes() * steps];
    for (lane, column) in out.chunks_mut(steps.max(1)).enumerate() {
        let range = layout.range(lane);
        let start = (range.start + first).min(range.end);
        let known = &bytes[start..range.end.min(start + steps)];
        column[..known.len()].copy_from_slice(known);
    }
    out
}
