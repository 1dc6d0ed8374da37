//! Binary decisions that are written or read by the same code.

use crate::cdf::TOTAL;
use crate::cm::chance::Chances;
use crate::range::{Decoder, Encoder};

/// No adaptive decision is taken for more certain than this (of 2^16), which
/// bounds how many of them a stream can hold.
const LEAST: u16 = 256;

/// Decisions that a stream of so many bytes can hold at most: none costs less
/// than `-log2(1 - 2^-8)` bits, a 177th.
pub fn most_decisions(bytes: usize) -> u64 {
    (bytes as u64 + 8) * 8 * 178
}

/// An encoder or a decoder of decisions.
pub trait Io {
    /// The decision: an encoder's is `bit`, a decoder's is what was read. It is
    /// a one with probability `p / TOTAL`.
    fn bit(&mut self, bit: bool, p: u32) -> bool;

    /// Whether a decoder has read more than there was.
    fn overrun(&self) -> bool;

    /// A decision that costs one bit.
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

/// Probabilities of decisions that learn.
pub struct Adaptive(Chances);

impl Adaptive {
    /// All even.
    pub fn new(count: usize) -> Adaptive {
        Adaptive(Chances::new(std::iter::repeat_n(1 << 15, count)))
    }

    /// The decision at `index`, learned from.
    pub fn code(&mut self, io: &mut impl Io, bit: bool, index: usize) -> bool {
        let p = self.0.get(index).clamp(LEAST, u16::MAX - LEAST + 1);
        let bit = io.bit(bit, u32::from(p) << 8);
        self.0.update(index, bit);
        bit
    }
}
