//! The fastest level: few contexts, one input of each, one refinement.
//!
//! What bounds it is the chain from one bit to the next, through the weights that both
//! use, and memory; so tables are asked for before they are needed, and all that a bit
//! uses often lies in 48 KiB.

use super::history::Histories;
use super::lane::hash;
use super::matcher::{self, Match, Matcher};
use super::nibbles::{BUCKET, Nibbles};
use super::quick::{Quick, Rows, moved_meaning};
use crate::cm::chance;
use crate::cm::logistic::Logistic;
use crate::cm::{Advice, BitCoder, ByteCoder};
use crate::coder::NoAdvice;
use brevity_kernels::simd::{Kernel, LANES, Simd, dispatch};
use std::cell::Cell;

/// Contexts: the last 1, 2, 3 and 5 bytes, and the letters of the word under way.
const CONTEXTS: usize = 5;

/// Those with buckets of their own, which come first; the others are hashed.
const DIRECT: usize = 2;
const HASHED: usize = CONTEXTS - DIRECT;

/// Inputs after those of the contexts: the match, and the trained model.
const MODEL: usize = CONTEXTS + 1;

/// Bytes that must agree for a match.
const LEAST: u32 = 6;

/// How far a step follows the gradient, whose error is `2^16 = 1`.
const RATE: f32 = 0.002 / 65_536.0;

/// What is added to the probability of a one, times `TOTAL`, so that it is never 0.
const FLOOR: u32 = 64;

/// Buckets of a context without a hash: one for the first nibble of a byte, sixteen for
/// the second.
const BUCKETS: usize = 17;

/// Where the buckets of the last two bytes start, and where they end.
const TWO: usize = BUCKETS << 8;
const DIRECT_END: usize = TWO + (BUCKETS << 16);

/// Rows of the refiner: the last byte and the bits so far.
const REFINED: usize = 1 << 16;

/// Selectors of weights: the bits of the byte so far; the match and how long it is.
const NODES: usize = 256;
const STATES: usize = 32;

/// Chances that a match's next bit comes, by its class and the number of the bit, behind
/// eight for no match.
const CHANCES: usize = 8 * (1 + matcher::CLASSES);

/// What is known of one lane.
#[derive(Clone, Copy, Default)]
struct Lane {
    /// The last eight bytes, the last one lowest.
    recent: u64,
    /// Hash of the letters before the last byte, as far as they follow each other.
    word: u32,
    /// For the first nibble of the next byte: known but for half of the last byte.
    firsts: [u64; HASHED],
    /// For the second.
    seconds: [u64; HASHED],
    found: Match,
}

/// Hashes of the contexts that the last bytes make; `tag` tells those of first nibbles
/// from those of second ones.
#[inline(always)]
fn hashes(recent: u64, word: u32, tag: usize) -> [u64; HASHED] {
    let last = |count: u32| recent << (64 - 8 * count);
    let word = u64::from(word) << 8 | recent & 0xFF;
    let contexts = [last(3), last(5), word];
    std::array::from_fn(|i| hash(tag + i, contexts[i]))
}

impl Lane {
    /// The letters up to the last byte.
    #[inline(always)]
    fn letters(&self) -> u32 {
        let letter = (self.recent as u8).to_ascii_lowercase();
        if !letter.is_ascii_lowercase() && letter < 128 {
            return 0;
        }
        (self.word ^ u32::from(letter))
            .wrapping_mul(0x2F0B_4C47)
            .rotate_left(5)
            .wrapping_add(1)
    }

    /// Takes the first half of a byte.
    #[inline(always)]
    fn take_half(&mut self, half: usize) {
        self.firsts = hashes(self.recent << 8 | half as u64 & 15, self.letters(), 0);
    }

    /// Takes a byte.
    #[inline(always)]
    fn take(&mut self, byte: u8) {
        self.word = self.letters();
        self.recent = self.recent << 8 | u64::from(byte);
        self.seconds = hashes(self.recent, self.word, HASHED);
    }
}

/// Lengths of tables.
struct Sizes {
    lines: usize,
    slots: usize,
}

impl Sizes {
    fn new(bytes: usize) -> Sizes {
        Sizes {
            lines: (bytes / 2).next_power_of_two().clamp(1 << 10, 1 << 20),
            slots: bytes.next_power_of_two().clamp(1 << 10, 1 << 20),
        }
    }
}

/// Bytes that a mixture for a block of `bytes` bytes in `lanes` lanes takes, at
/// most.
pub fn memory(lanes: usize, bytes: usize) -> u64 {
    let sizes = Sizes::new(bytes);
    let parts = [
        DIRECT_END * BUCKET,
        sizes.lines * 64,
        sizes.slots * 4,
        REFINED * Rows::EACH,
        lanes * size_of::<Lane>().next_multiple_of(128),
        bytes + lanes,
        // Weights, meanings and what is small.
        1 << 17,
    ];
    parts.map(|part| part as u64).iter().sum()
}

/// Context models that learn online, mixed.
pub struct Lean {
    /// Buckets of the last byte, then of the last two, side by side.
    direct: Vec<u8>,
    hashed: Nibbles,
    meanings: [Quick; CONTEXTS],
    match_chances: Box<[u16; CHANCES]>,
    matcher: Matcher,
    /// By the bits so far, then by the match.
    weights: Box<[[f32; LANES]; NODES + STATES]>,
    refiner: Rows,
    lanes: Vec<Lane>,
    /// All bytes so far, lanes interleaved.
    history: Vec<u8>,
}

impl Lean {
    /// A mixture that has learned nothing, for a block of `bytes` bytes in `lanes`
    /// lanes; `advised` if a trained model takes part. It takes [`memory`].
    pub fn new(lanes: usize, bytes: usize, advised: bool) -> Lean {
        let sizes = Sizes::new(bytes);
        let mut start = [0.15; LANES];
        start[MODEL] = if advised { 0.3 } else { 0.0 };
        let mut match_chances = Box::new([1 << 15; CHANCES]);
        for (p, meaning) in match_chances[8..].iter_mut().zip(matcher::meanings()) {
            *p = chance::get(meaning);
        }
        Lean {
            direct: vec![0; DIRECT_END * BUCKET],
            hashed: Nibbles::new(sizes.lines),
            meanings: std::array::from_fn(|_| Quick::new()),
            match_chances,
            matcher: Matcher::new(sizes.slots, LEAST, lanes),
            weights: Box::new([start; NODES + STATES]),
            refiner: Rows::new(REFINED),
            lanes: vec![Lane::default(); lanes],
            history: Vec::with_capacity(bytes + lanes),
        }
    }

    /// As [`Mixture::code`](super::Mixture::code).
    pub fn code(&mut self, lane: usize, coder: &mut impl BitCoder, advice: &impl Advice) -> u8 {
        dispatch(CodeByte {
            mixture: self,
            lane,
            coder,
            advice,
        })
    }

    /// As [`Mixture::code_all`](crate::cm::Mixture::code_all).
    pub fn code_all<C: ByteCoder>(&mut self, coder: C) -> C {
        dispatch(CodeAll {
            mixture: self,
            coder,
        })
    }

    /// Instead of [`Lean::code`] for a lane that has ended.
    pub fn skip(&mut self) {
        self.history.push(0);
    }

    /// Where the buckets of all contexts are for a half of the next byte that starts with
    /// `node`.
    #[inline(always)]
    fn places(&mut self, lane: &Lane, half: usize, node: usize) -> [usize; CONTEXTS] {
        let row = if half == 0 { 0 } else { node - 15 };
        let recent = lane.recent as usize;
        let (hashes, rest) = match half {
            0 => (lane.firsts, recent & 15),
            _ => (lane.seconds, node),
        };
        let mask = (rest as u8).wrapping_mul(17);
        let [three, five, word] = hashes.map(|hash| self.hashed.find(hash, hash as u8 ^ mask));
        let one = (recent & 0xFF) * BUCKETS + row;
        let two = TWO + (recent & 0xFFFF) * BUCKETS + row;
        [one * BUCKET, two * BUCKET, three, five, word]
    }

    /// Learns the first half of a byte, for contexts of the next one.
    #[inline(always)]
    fn take_half(&mut self, index: usize, half: usize) {
        let lane = &mut self.lanes[index];
        lane.take_half(half);
        for hash in lane.firsts {
            self.hashed.prefetch(hash);
        }
    }

    /// Learns what came.
    #[inline(always)]
    fn take(&mut self, index: usize, byte: u8) {
        self.history.push(byte);
        let next = self.history.len() - 1 + self.lanes.len();
        let lane = &mut self.lanes[index];
        lane.take(byte);
        for hash in lane.seconds {
            self.hashed.prefetch(hash);
        }
        let key = lane.recent << (64 - 8 * (LEAST - 1));
        self.matcher
            .advance(&mut lane.found, key, next, &self.history);
    }
}

/// Codes bytes of the first lane as long as there are any.
struct CodeAll<'a, C> {
    mixture: &'a mut Lean,
    coder: C,
}

impl<C: ByteCoder> Kernel for CodeAll<'_, C> {
    type Out = C;

    #[inline(always)]
    fn run<S: Simd>(mut self) -> C {
        while self.coder.begin() {
            let next = CodeByte {
                mixture: &mut *self.mixture,
                lane: 0,
                coder: &mut self.coder,
                advice: &NoAdvice,
            };
            let byte = next.run::<S>();
            self.coder.end(byte);
        }
        self.coder
    }
}

/// Codes a byte of a lane.
struct CodeByte<'a, C, A> {
    mixture: &'a mut Lean,
    lane: usize,
    coder: &'a mut C,
    advice: &'a A,
}

impl<C: BitCoder, A: Advice> Kernel for CodeByte<'_, C, A> {
    type Out = u8;

    #[inline(always)]
    fn run<S: Simd>(self) -> u8 {
        let mix = self.mixture;
        let logistic = Logistic::get();
        let histories = Histories::get();
        let lane = mix.lanes[self.lane];
        let found = lane.found;
        let refined_by = (lane.recent as usize & 255) << 8;
        let class = 8 * (1 + found.class());
        let length_set = NODES + 1 + found.length_class();
        let mut follows = found.expected().is_some();
        let expected = usize::from(found.expected().unwrap_or_default());
        let mut node = 1;
        for half in 0..2 {
            let places = mix.places(&lane, half, node);
            // Cells, because two contexts may share a bucket.
            let direct = Cell::from_mut(&mut mix.direct[..]).as_slice_of_cells();
            let hashed = mix.hashed.cells();
            let buckets: [&[Cell<u8>; BUCKET]; CONTEXTS] = std::array::from_fn(|i| {
                let table = if i < DIRECT { direct } else { hashed };
                let bucket = &table[places[i]..places[i] + BUCKET];
                bucket.try_into().expect("a bucket")
            });
            let mut nibble = 1;
            for depth in 4 * half..4 * half + 4 {
                mix.refiner.prefetch(refined_by | ((2 * node) & 255));
                let states: [u8; CONTEXTS] = std::array::from_fn(|i| buckets[i][nibble & 15].get());
                let meant: [u16; CONTEXTS] =
                    std::array::from_fn(|i| mix.meanings[i].get(states[i]));
                let expected = expected >> (7 - depth) & 1;
                let (match_at, sign, set) = match follows {
                    true => (class + depth, 2.0 * expected as f32 - 1.0, length_set),
                    false => (depth, 0.0, NODES),
                };
                let match_at = match_at % CHANCES;
                let chance = mix.match_chances[match_at];
                let masses = self.advice.masses(depth, node);
                let x = S::load(&[
                    logistic.stretch(meant[0]),
                    logistic.stretch(meant[1]),
                    logistic.stretch(meant[2]),
                    logistic.stretch(meant[3]),
                    logistic.stretch(meant[4]),
                    logistic.stretch(chance) * sign,
                    masses.map_or(0.0, |(zero, one)| logistic.logit(zero, one)),
                    0.0,
                ]);
                let sets = [node & 255, set];
                let [by_node, by_match] = sets.map(|set| S::load(&mix.weights[set]));
                let s = S::to_array(S::mul(S::add(by_node, by_match), x));
                let logit = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
                let place = logistic.place(logit);
                let mixed = logistic.half(place);
                let row = mix.refiner.row(refined_by | node & 255);
                let one = self.coder.code(FLOOR + ((mixed + row.refine(place)) << 7));

                let bit = usize::from(one);
                let target = ((bit << 16) - bit) as i32;
                row.update(place, target);
                let error = ((bit << 16) as i32 - mixed as i32) as f32;
                let step = S::mul(S::splat(error * RATE), x);
                for set in sets {
                    let weights = &mut mix.weights[set];
                    S::store(S::add(S::load(weights), step), weights);
                }
                let hit = bit == expected;
                let hit_target = if hit { 65_535 } else { 0 };
                mix.match_chances[match_at] = moved_meaning(chance, hit_target);
                follows &= hit;
                for i in 0..CONTEXTS {
                    mix.meanings[i].set(states[i], moved_meaning(meant[i], target));
                    buckets[i][nibble & 15].set(histories.next[usize::from(states[i])][bit]);
                }
                node = node << 1 | bit;
                nibble = nibble << 1 | bit;
            }
            if half == 0 {
                mix.take_half(self.lane, node);
            }
        }
        let byte = node as u8;
        mix.take(self.lane, byte);
        byte
    }
}
