//! Context mixing: models that learn while they code and store nothing.
//!
//! A byte is coded as eight binary decisions. For each, many models give a
//! probability: counters and bit histories in hashed contexts, matches, and, if
//! there is one, a trained model's distribution. Gated linear mixers add their
//! logits with weights that learn online, and tables refine the sum (Mahoney
//! 2005; a mixer is online logistic regression, Mattern 2013).
//!
//! What lives here:
//! - [`v1`] and [`v2`], the context models of the two format versions;
//! - [`Mixture`], either;
//! - [`Gate`], which adds the logits of a model that was trained beside them;
//! - `chance`, probabilities that learn; `logistic`, tables of the logistic
//!   function: both are shared.
//!
//! At the best level, a small LSTM network that learns the same bytes is one more of them.
//!
//! Everything is integer arithmetic or single correctly rounded `f32` operations
//! in a fixed order (the network's, [`crate::predict`], have fused multiply-adds), so encoder and decoder agree on any CPU. Lanes share all
//! that is learned; what one lane has just coded helps the next.

pub(crate) mod chance;
mod choose;
mod gate;
mod logistic;
mod pages;
pub(crate) mod v1;
pub(crate) mod v2;

pub(crate) use chance::prefetch;
pub(crate) use choose::{survey, survey_beside, survey_unchanged};
pub use gate::Gates;
pub(crate) use gate::{Gate, Place};
pub use logistic::Logistic;
#[cfg(test)]
pub(crate) use v2::Kind;
pub use v2::{Level, Words};
pub(crate) use v2::{Setup, Transform, most_memory, most_memory_alone};

use crate::coder::NoAdvice;

/// Codes or decodes binary decisions.
pub trait BitCoder {
    /// A decision that is true with probability `p / TOTAL`.
    fn code(&mut self, p: u32) -> bool;
}

/// Codes or decodes bytes, one after the other.
pub trait ByteCoder: BitCoder {
    /// Whether there is another byte; if so, its bits are next.
    fn begin(&mut self) -> bool;

    /// Takes the byte whose bits were coded.
    fn end(&mut self, byte: u8);
}

/// What a trained model says of the byte to code.
pub trait Advice {
    /// The masses of zero and of one for the next bit of a byte that starts
    /// with the `depth` bits of `node` (with a leading one), none without a
    /// model.
    fn masses(&self, depth: usize, node: usize) -> Option<(u32, u32)>;

    /// The logit of a one for that bit.
    fn logit(&self, depth: usize, node: usize) -> Option<f32> {
        let (zero, one) = self.masses(depth, node)?;
        Some(Logistic::get().logit(zero, one))
    }
}

/// The context models of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Models {
    /// Those of format version 1.
    First,
    /// Those of format version 2, set up in one of many ways.
    Second(Setup),
}

impl Models {
    /// Their level; version 1 has one only.
    pub fn level(self) -> Option<Level> {
        match self {
            Models::First => None,
            Models::Second(setup) => Some(setup.level),
        }
    }

    /// Whether a network is among them.
    pub fn has_network(self) -> bool {
        matches!(self, Models::Second(setup) if setup.network)
    }

    /// How they want a block's bytes changed before.
    pub fn transform(self) -> Transform {
        match self {
            Models::First => Transform::None,
            Models::Second(setup) => setup.transform,
        }
    }

    /// Bytes that a mixture for a block of `bytes` bytes in `lanes` lanes takes, at
    /// most.
    pub fn memory(self, lanes: usize, bytes: usize) -> u64 {
        match self {
            Models::First => v1::memory(lanes, bytes),
            Models::Second(setup) => v2::memory(setup, lanes, bytes),
        }
    }
}

/// Context models that learn online, mixed.
pub(crate) enum Mixture {
    First(Box<v1::Mixture>),
    Lean(Box<v2::Lean>),
    Second(Box<v2::Mixture>),
}

impl Mixture {
    /// A mixture that has learned nothing, for a block of `bytes` bytes in
    /// `lanes` lanes; `advised` if a trained model takes part.
    pub fn new(models: Models, lanes: usize, bytes: usize, advised: bool) -> Mixture {
        match models {
            Models::First => Mixture::First(Box::new(v1::Mixture::new(lanes, bytes, advised))),
            Models::Second(setup) if setup.level == Level::Fast => {
                Mixture::Lean(Box::new(v2::Lean::new(lanes, bytes, advised)))
            }
            Models::Second(setup) => {
                Mixture::Second(Box::new(v2::Mixture::new(setup, lanes, bytes, advised)))
            }
        }
    }

    /// Codes the next byte of a lane and learns it. Lanes take turns, the first
    /// one first.
    pub fn code(&mut self, lane: usize, coder: &mut impl BitCoder, advice: &impl Advice) -> u8 {
        match self {
            Mixture::First(mixture) => mixture.code(lane, coder, advice),
            Mixture::Lean(mixture) => mixture.code(lane, coder, advice),
            Mixture::Second(mixture) => mixture.code(lane, coder, advice),
        }
    }

    /// Codes bytes of the only lane and learns them, without a trained model, as long as
    /// there are any. Level 1 then chooses its instructions once for all bytes, not for
    /// each.
    pub fn code_all<C: ByteCoder>(&mut self, mut coder: C) -> C {
        if let Mixture::Lean(mixture) = self {
            return mixture.code_all(coder);
        }
        while coder.begin() {
            let byte = self.code(0, &mut coder, &NoAdvice);
            coder.end(byte);
        }
        coder
    }

    /// Instead of [`Mixture::code`] for a lane that has ended.
    pub fn skip(&mut self) {
        match self {
            Mixture::First(mixture) => mixture.skip(),
            Mixture::Lean(mixture) => mixture.skip(),
            Mixture::Second(mixture) => mixture.skip(),
        }
    }
}
