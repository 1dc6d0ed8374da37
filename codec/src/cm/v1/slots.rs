//! Adaptive counters of bits, and the hash table that keeps them by context.
//!
//! A counter is 16 bits: twelve of probability and four of count. It gives a
//! mixer two inputs, the probability itself and what the count and the
//! probability together have meant so far. The word is stored xor 0x8000, so
//! that zeroed memory is full of counters that have seen nothing.

use crate::cm::chance::{Chances, prefetch};

/// Probability one half, count 0.
const FRESH: u16 = 0x8000;

/// `65536 / (count + 1.5)` at first, then less steep.
const RATES: [i32; 16] = [
    32_768, 24_000, 17_500, 14_000, 11_600, 9_900, 8_700, 7_700, 7_000, 6_300, 5_800, 5_400, 5_000,
    4_600, 4_300, 4_096,
];

/// The counter after one more bit.
#[inline(always)]
pub fn strengthen(slot: u16, one: bool) -> u16 {
    let state = slot ^ FRESH;
    let count = state & 15;
    let p = i32::from(state >> 4);
    let target = if one { 4095 } else { 0 };
    let step = ((target - p) * RATES[usize::from(count)] + (1 << 15)) >> 16;
    (((p + step) as u16) << 4 | (count + 1).min(15)) ^ FRESH
}

/// The counter's own probability of a one, `2^16 = 1`.
#[inline(always)]
pub fn direct(slot: u16) -> u16 {
    (slot ^ FRESH) & !15
}

/// The counter's index among [`meanings`]: count and six bits of probability.
#[inline(always)]
pub fn meaning(slot: u16) -> usize {
    let state = slot ^ FRESH;
    usize::from((state & 15) << 6 | state >> 10)
}

/// What counters mean before anything was learned: what they say.
pub fn meanings() -> Chances {
    Chances::new((0..1024).map(|i| i % 64 * 1024 + 512))
}

/// The hash for the second nibble of a byte that starts with `node`.
#[inline(always)]
pub fn second_half(hash: u32, node: usize) -> u32 {
    let hash = (hash ^ (node as u32).wrapping_mul(0x2F0B_4C47)).wrapping_mul(0x85EB_CA6B);
    hash ^ hash >> 15
}

/// What one context knows of one nibble: a check, then the counters of the
/// prefixes 1, 1x, 1xx, 1xxx.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Bucket([u16; 16]);

/// Buckets by hash. A context may lie in two of them, which share a cache line;
/// the less used one gives way.
pub struct Table {
    buckets: Vec<Bucket>,
}

impl Table {
    /// `buckets` is a power of two; memory is 32 bytes each.
    pub fn new(buckets: usize) -> Table {
        Table {
            buckets: vec![Bucket([0; 16]); buckets],
        }
    }

    #[inline(always)]
    fn place(&self, hash: u32) -> usize {
        (hash.wrapping_mul(0x9E37_79B1) >> 3) as usize & (self.buckets.len() - 1)
    }

    /// Brings the place of a context near.
    #[inline(always)]
    pub fn prefetch(&self, hash: u32) {
        prefetch(&self.buckets[self.place(hash)]);
    }

    /// The bucket of a context, cleared if it was another's.
    #[inline(always)]
    pub fn find(&mut self, hash: u32) -> usize {
        let check = (hash >> 16) as u16;
        let first = self.place(hash);
        let second = first ^ 1;
        let count = |at: usize| (self.buckets[at].0[1] ^ FRESH) & 15;
        if self.buckets[first].0[0] == check {
            first
        } else if self.buckets[second].0[0] == check {
            second
        } else {
            let at = if count(second) < count(first) {
                second
            } else {
                first
            };
            self.buckets[at].0 = [0; 16];
            self.buckets[at].0[0] = check;
            at
        }
    }

    /// The counter of a prefix (1 to 15).
    #[inline(always)]
    pub fn slot(&mut self, bucket: usize, prefix: usize) -> &mut u16 {
        &mut self.buckets[bucket].0[prefix & 15]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_learn_and_are_symmetric() {
        let (mut up, mut down) = (0, 0);
        for _ in 0..100 {
            up = strengthen(up, true);
            down = strengthen(down, false);
        }
        assert!(direct(up) > 64_000 && direct(down) < 1_500);
        assert_eq!(meaning(up) >> 6, 15);
    }

    #[test]
    fn contexts_keep_their_buckets() {
        let mut table = Table::new(64);
        let bucket = table.find(0x1234_5678);
        *table.slot(bucket, 5) = 77;
        assert_eq!(table.find(0x1234_5678), bucket);
        assert_eq!(*table.slot(bucket, 5), 77);
    }
}
