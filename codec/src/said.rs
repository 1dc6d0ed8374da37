//! What context models said of a byte that is known.

use crate::cdf::TOTAL;
use crate::cm::{BitCoder, Logistic};
use brevity_kernels::mixture::BITS;

/// The probabilities of a one, times `TOTAL`, that context models gave to the bits of a
/// byte, the highest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said(pub [u32; BITS]);

impl Said {
    /// The logits of the bits of `byte`, which came; zeros if nothing was said.
    pub fn logits(&self, byte: u8) -> [f32; BITS] {
        std::array::from_fn(|depth| {
            let p = self.0[depth];
            if p == 0 {
                return 0.0;
            }
            let logit = Logistic::get().logit(TOTAL - p, p);
            if byte >> (7 - depth) & 1 == 1 {
                logit
            } else {
                -logit
            }
        })
    }
}

/// Notes what is said of a known byte.
pub struct Recorder {
    byte: u8,
    depth: usize,
    /// What was said so far.
    pub said: Said,
}

impl Recorder {
    /// For `byte`.
    pub fn new(byte: u8) -> Recorder {
        Recorder {
            byte,
            depth: 0,
            said: Said::default(),
        }
    }
}

impl BitCoder for Recorder {
    fn code(&mut self, p: u32) -> bool {
        let bit = self.byte >> (7 - self.depth) & 1 == 1;
        self.said.0[self.depth] = p;
        self.depth += 1;
        bit
    }
}
