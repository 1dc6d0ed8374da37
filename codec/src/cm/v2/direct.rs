//! Counters of short contexts, straight in tables without checks.

use crate::cm::chance::{self, Chance, prefetch};

/// Counters of a nibble: one line of the cache. The first one is not used.
const NIBBLE: usize = 16;

/// A counter moves by at least `1 / (LIMIT + 1.5)`.
const LIMIT: u32 = 1023;

/// Counters of one context, by a hash of it.
pub struct Direct {
    chances: Vec<Chance>,
    mask: usize,
    /// The counters of the nibble under way, and the one used last.
    at: usize,
}

impl Direct {
    /// A power of two of counters, at least 16, of 4 bytes each.
    pub fn new(counters: usize) -> Direct {
        Direct {
            chances: vec![chance::guess(1 << 15); counters],
            mask: counters - NIBBLE,
            at: 0,
        }
    }

    /// Goes to the nibble after the bits `node` of a byte (with a leading one) in
    /// a context.
    #[inline(always)]
    pub fn go(&mut self, context: u64, node: usize) {
        let mixed = (context << 8 | node as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.at = (mixed >> 36) as usize & self.mask;
        prefetch(&self.chances[self.at]);
    }

    /// The probability of a one (`2^16 = 1`) after the bits `nibble` (1 to 15).
    #[inline(always)]
    pub fn get(&self, nibble: usize) -> u16 {
        chance::get(self.chances[self.at | nibble])
    }

    /// Takes the bit after `nibble`.
    #[inline(always)]
    pub fn update(&mut self, nibble: usize, one: bool) {
        chance::update(&mut self.chances[self.at | nibble], one, LIMIT);
    }
}
