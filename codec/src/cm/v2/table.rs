//! Counters and bit histories in a hash table, by context and nibble.
//!
//! A counter is a word: 16 bits of probability (xor 0x8000, so that zeroed memory
//! says one half), 8 bits of count and 8 bits of [history](super::history).

use crate::cm::chance::prefetch;

/// Probability one half, nothing seen.
const FRESH: u32 = 0x8000_0000;

/// `65536 / (count + 1.6)`
static RATES: [i32; 256] = {
    let mut table = [0; 256];
    let mut count = 0;
    while count < table.len() {
        table[count] = 655_360 / (10 * count as i32 + 16);
        count += 1;
    }
    table
};

/// The counter after one more bit; its probability moves by at least
/// `1 / (limit + 1.6)`. `next` is the history's next state.
#[inline(always)]
pub fn strengthen(slot: u32, one: bool, next: u8, limit: u32) -> u32 {
    let state = slot ^ FRESH;
    let count = state >> 8 & 255;
    let p = (state >> 16) as i32;
    let target = if one { 65_535 } else { 0 };
    let step = ((target - p) * (RATES[count as usize] >> 1)) >> 15;
    let p = (p + step) as u32;
    (p << 16 | (count + 1).min(limit) << 8 | u32::from(next)) ^ FRESH
}

/// The counter's own probability of a one, `2^16 = 1`.
#[inline(always)]
pub fn direct(slot: u32) -> u16 {
    ((slot ^ FRESH) >> 16) as u16
}

/// The history.
#[inline(always)]
pub fn history(slot: u32) -> usize {
    (slot & 255) as usize
}

/// The hash for the second nibble of a byte that starts with `node`.
#[inline(always)]
pub fn second_half(hash: u32, node: usize) -> u32 {
    let hash = (hash ^ (node as u32).wrapping_mul(0x2F0B_4C47)).wrapping_mul(0x85EB_CA6B);
    hash ^ hash >> 15
}

/// Words of a bucket: one cache line. The first 15 are the counters of the
/// prefixes 1, 1x, 1xx, 1xxx; the last one holds a check in its upper half, and
/// the last byte seen in the context and how many times in a row it was.
const WORDS: usize = 16;
const TAIL: usize = 15;

/// Buckets by hash. A context may lie in two neighbours; the less used one gives
/// way.
pub struct Table {
    words: Vec<u32>,
    /// The first aligned word.
    start: usize,
    buckets: usize,
}

impl Table {
    /// An even number of buckets; memory is 64 bytes each, touched when used.
    pub fn new(buckets: usize) -> Table {
        let words = vec![0_u32; buckets * WORDS + WORDS];
        let start = words.as_ptr().align_offset(64).min(WORDS);
        Table {
            words,
            start,
            buckets,
        }
    }

    #[inline(always)]
    fn place(&self, hash: u32) -> usize {
        ((u64::from(hash.wrapping_mul(0x9E37_79B1)) * self.buckets as u64) >> 32) as usize
    }

    #[inline(always)]
    fn at(&self, bucket: usize) -> usize {
        self.start + bucket * WORDS
    }

    /// Brings the place of a context near.
    #[inline(always)]
    pub fn prefetch(&self, hash: u32) {
        prefetch(&self.words[self.at(self.place(hash))]);
    }

    /// The first word of a context's bucket, cleared if it was another's.
    #[inline(always)]
    pub fn find(&mut self, hash: u32) -> usize {
        let check = hash & 0xFFFF | 1;
        let bucket = self.place(hash);
        let first = self.at(bucket);
        if self.words[first + TAIL] >> 16 == check {
            return first;
        }
        let second = self.at(bucket ^ 1);
        if self.words[second + TAIL] >> 16 == check {
            return second;
        }
        let count = |at: usize| self.words[at] >> 8 & 255;
        let at = if count(second) < count(first) {
            second
        } else {
            first
        };
        self.words[at..at + WORDS].fill(0);
        self.words[at + TAIL] = check << 16;
        at
    }

    /// The counter of a prefix (1 to 15).
    #[inline(always)]
    pub fn slot(&mut self, bucket: usize, prefix: usize) -> &mut u32 {
        &mut self.words[bucket + (prefix & 15) - 1]
    }

    /// The last byte seen in the context and how many times in a row.
    #[inline(always)]
    pub fn run(&self, bucket: usize) -> (u8, u8) {
        let tail = self.words[bucket + TAIL];
        (tail as u8, (tail >> 8) as u8)
    }

    /// Takes the byte that came in the context.
    #[inline(always)]
    pub fn extend_run(&mut self, bucket: usize, byte: u8) {
        let tail = &mut self.words[bucket + TAIL];
        let (last, count) = (*tail as u8, (*tail >> 8) as u8);
        let count = match count {
            0 => 1,
            _ if last == byte => count.saturating_add(1),
            _ => 1,
        };
        *tail = *tail & 0xFFFF_0000 | u32::from(count) << 8 | u32::from(byte);
    }
}
