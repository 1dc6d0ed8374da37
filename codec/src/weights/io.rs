//! One interface for writing and reading binary decisions.

use crate::cdf::TOTAL;
use crate::cm::chance::Chances;
use crate::range::{Decoder, Encoder};

/// Least probability of an adaptive decision, of 2^16. It bounds how many decisions
/// a stream can hold.
const LEAST: u16 = 256;

/// Most decisions that a stream of `bytes` bytes can hold: each costs at least
/// `-log2(1 - 2^-8)` bits, a 177th.
pub fn most_decisions(bytes: usize) -> u64 {
    (bytes as u64 + 8) * 8 * 178
}

/// An encoder or a decoder of decisions.
pub trait Io {
    /// Codes a decision that is 1 with probability `p / TOTAL`. An encoder writes and
    /// returns `bit`; a decoder ignores it and returns the decision read.
    fn bit(&mut self, bit: bool, p: u32) -> bool;

    /// Whether a decoder has read past the end.
    fn overrun(&self) -> bool;

    /// Codes a decision of probability 1/2, which costs one bit.
    fn even_bit(&mut self, bit: bool) -> bool {
        self.bit(bit, TOTAL / 2)
    }
}

impl Io for Encoder {
    fn bit(&mut self, bit: bool, p: u32) -> bool {
        Encoder::bit(self, bit, p);
        bit
    }

    fn overrun(&self) -> bool {
        false
    }
}

impl Io for Decoder<'_> {
    fn bit(&mut self, _: bool, p: u32) -> bool {
        Decoder::bit(self, p)
    }

    fn overrun(&self) -> bool {
        Decoder::overrun(self)
    }
}

/// Adaptive probabilities of decisions.
pub struct Adaptive(Chances);

impl Adaptive {
    /// `count` probabilities of 1/2.
    pub fn new(count: usize) -> Adaptive {
        Adaptive(Chances::new(std::iter::repeat_n(1 << 15, count)))
    }

    /// Codes a decision with the probability at `index`, and updates it.
    pub fn code(&mut self, io: &mut impl Io, bit: bool, index: usize) -> bool {
        let p = self.0.get(index).clamp(LEAST, u16::MAX - LEAST + 1);
        let bit = io.bit(bit, u32::from(p) << 8);
        self.0.update(index, bit);
        bit
    }
}
