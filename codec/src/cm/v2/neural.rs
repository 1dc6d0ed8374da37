//! The network among the context models of the best level.

use crate::cdf::Frequencies;
use crate::coder::Tree;
use crate::predict::{LstmLane, LstmRecipe, TEXT};

/// The network of a block: small enough that level 9 stays above 60 KB a second.
const NETWORK: LstmRecipe = LstmRecipe {
    cells: 48,
    layers: 2,
    horizon: 32,
    contexts: TEXT,
    rows_log2: 15,
    rate: 0.012,
};

/// An LSTM network that learns the bytes of a block while they are coded, as one input of
/// the mixer.
pub struct Neural {
    lane: LstmLane,
    next: Frequencies,
}

impl Neural {
    /// Before the first of `bytes` bytes.
    pub fn new(bytes: usize) -> Neural {
        Neural {
            lane: LstmLane::new(&NETWORK, bytes),
            next: Frequencies::default(),
        }
    }

    /// Bytes that it takes, at most.
    pub fn memory() -> usize {
        NETWORK.memory() as usize + size_of::<Neural>()
    }

    /// What the network says of the next byte; nothing if it diverged.
    pub fn advice(&mut self) -> Option<Tree> {
        self.next.set_logits(self.lane.logits()).ok()?;
        Some(Tree::new(&self.next))
    }

    /// Learns the next byte.
    pub fn take(&mut self, byte: u8) {
        self.lane.take(byte);
    }
}
