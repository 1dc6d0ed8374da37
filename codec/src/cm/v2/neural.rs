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

    /// Bytes that it takes, at most, whatever the size of pointers.
    pub const MEMORY: usize = 77 << 20;

    /// What the network says of the next byte; nothing if a logit is not finite. Steps are
    /// too small for that, but nobody has proved it.
    pub fn advice(&mut self) -> Option<Tree> {
        self.next.set_logits(self.lane.logits()).ok()?;
        Some(Tree::new(&self.next))
    }

    /// Learns the next byte.
    pub fn take(&mut self, byte: u8) {
        self.lane.take(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_takes_what_is_announced() {
        let counted = NETWORK.memory() as usize + size_of::<Neural>();
        assert!(counted <= Neural::MEMORY && Neural::MEMORY < counted + (1 << 20));
    }
}
