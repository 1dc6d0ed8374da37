//! The fastest level: few contexts, one input of each, one refinement.

use super::history::Histories;
use super::lane::hash;
use super::matcher::{self, Match, Matcher};
use super::meaning::Meanings;
use super::table::Table;
use crate::cdf::TOTAL;
use crate::cm::chance::{self, Chance, Refiner, prefetch};
use crate::cm::logistic::Logistic;
use crate::cm::{Advice, BitCoder};
use brevity_kernels::simd::{Kernel, LANES, Simd, dispatch};

/// Contexts: the last 1, 2, 3, 4 and 6 bytes, and the letters of the word under way.
const CONTEXTS: usize = 6;

/// The contexts of the hash table.
const HASHED: usize = CONTEXTS - 2;

/// Inputs after those of the contexts: the match, the trained model.
const MATCH: usize = CONTEXTS;
const MODEL: usize = CONTEXTS + 1;

/// Bytes that must agree for a match.
const LEAST: u32 = 6;

/// How far a step follows the gradient.
const RATE: f32 = 0.002;

/// The least probability that the mixture leaves to a bit, times `TOTAL`.
const FLOOR: u32 = 64;

/// Where the rows of the last two bytes start, and where they end.
const TWO: usize = 1 << 16;
const HISTORIES: usize = TWO + (1 << 24);

/// Rows of the refiner: the last byte and the bits so far.
const REFINED: usize = 1 << 16;

/// Selectors of weights: the bits of the byte so far; the match and how long it is.
const NODES: usize = 256;
const STATES: usize = 32;

/// What is known of one lane.
#[derive(Clone, Copy, Default)]
struct Lane {
    /// The last eight bytes, the last one lowest.
    recent: u64,
    /// Hash of the letters of the word under way.
    word: u32,
    hashes: [u64; HASHED],
    found: Match,
}

impl Lane {
    #[inline(always)]
    fn rehash(&mut self) {
        let last = |count: u32| self.recent << (64 - 8 * count);
        let contexts = [last(3), last(4), last(6), u64::from(self.word)];
        self.hashes = std::array::from_fn(|i| hash(i, contexts[i]));
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) {
        self.recent = self.recent << 8 | u64::from(byte);
        let letter = byte.to_ascii_lowercase();
        self.word = if letter.is_ascii_lowercase() || letter >= 128 {
            let word = self.word ^ u32::from(letter);
            word.wrapping_mul(0x2F0B_4C47)
                .rotate_left(5)
                .wrapping_add(1)
        } else {
            0
        };
    }
}

/// The rows of histories of the last byte and of the last two.
#[inline(always)]
fn rows(recent: u64) -> [usize; 2] {
    let recent = recent as usize;
    [(recent & 0xFF) << 8, TWO + ((recent & 0xFFFF) << 8)]
}

/// Lengths of tables.
struct Sizes {
    lines: usize,
    slots: usize,
}

impl Sizes {
    fn new(bytes: usize) -> Sizes {
        Sizes {
            lines: (2 * bytes).next_power_of_two().clamp(1 << 10, 1 << 20),
            slots: bytes.next_power_of_two().clamp(1 << 10, 1 << 20),
        }
    }
}

/// Bytes that a mixture for a block of `bytes` bytes in `lanes` lanes takes, at
/// most.
pub fn memory(lanes: usize, bytes: usize) -> u64 {
    let sizes = Sizes::new(bytes);
    let parts = [
        HISTORIES,
        sizes.lines * 64,
        sizes.slots * 4,
        REFINED * 64,
        lanes * size_of::<Lane>().next_multiple_of(128),
        bytes + lanes,
        // Weights, meanings and what is small.
        1 << 17,
    ];
    parts.map(|part| part as u64).iter().sum()
}

/// Context models that learn online, mixed.
pub struct Lean {
    /// Histories in the rows of the last byte, then of the last two: at a row and
    /// the bits of the byte so far behind a leading one.
    rows: Vec<u8>,
    table: Table,
    meanings: [Meanings; CONTEXTS],
    match_chances: Vec<Chance>,
    matcher: Matcher,
    /// By the bits so far, then by the match.
    weights: Vec<[f32; LANES]>,
    refiner: Refiner,
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
        let mut lane = Lane::default();
        lane.rehash();
        Lean {
            rows: vec![0; HISTORIES],
            table: Table::new(sizes.lines),
            meanings: std::array::from_fn(|_| Meanings::new()),
            match_chances: matcher::meanings(),
            matcher: Matcher::new(sizes.slots, LEAST, lanes),
            weights: vec![start; NODES + STATES],
            refiner: Refiner::new(REFINED),
            lanes: vec![lane; lanes],
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

    /// Instead of [`Lean::code`] for a lane that has ended.
    pub fn skip(&mut self) {
        self.history.push(0);
    }

    /// Learns what came, for contexts of the next byte.
    #[inline(always)]
    fn take(&mut self, index: usize, byte: u8) {
        self.history.push(byte);
        let next = self.history.len() - 1 + self.lanes.len();
        let lane = &mut self.lanes[index];
        lane.take(byte);
        lane.rehash();
        for hash in lane.hashes {
            self.table.prefetch(hash);
        }
        prefetch(&self.rows[rows(lane.recent)[1]]);
        let key = lane.recent << (64 - 8 * LEAST);
        self.matcher
            .advance(&mut lane.found, key, next, &self.history);
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
        let Lane {
            recent,
            hashes,
            found,
            ..
        } = mix.lanes[self.lane];
        let last = (recent & 255) as usize;
        let rows = rows(recent);
        let lines = hashes.map(|hash| mix.table.find_line(hash));
        let mut buckets = lines;
        let (mut node, mut nibble) = (1, 1);
        let class = found.class();
        for depth in 0..8 {
            if depth == 4 {
                buckets = lines.map(|line| mix.table.second_of_line(line, node));
                nibble = 1;
            }
            let states: [usize; CONTEXTS] = std::array::from_fn(|i| match i {
                0 | 1 => usize::from(mix.rows[rows[i] + node]),
                _ => usize::from(*mix.table.slot(buckets[i - 2], nibble)),
            });
            let mut inputs = [0.0; LANES];
            for i in 0..CONTEXTS {
                inputs[i] = mix.meanings[i].logit(states[i]);
            }
            let expected = found.bit(node, depth);
            let match_at = class * 8 + depth;
            let mut match_set = NODES;
            if let Some(bit) = expected {
                let logit = logistic.stretch(chance::get(mix.match_chances[match_at]));
                inputs[MATCH] = if bit { logit } else { -logit };
                match_set += 1 + found.length_class();
            }
            if let Some((zero, one)) = self.advice.masses(depth, node) {
                inputs[MODEL] = logistic.logit(zero, one);
            }
            let x = S::load(&inputs);
            let both = S::add(
                S::load(&mix.weights[node]),
                S::load(&mix.weights[match_set]),
            );
            let s = S::to_array(S::mul(both, x));
            let logit = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
            let mixed = logistic.squash(logit);
            let refined = mix.refiner.refine(logit, last << 8 | node) << 8;
            let p = ((mixed + refined) >> 1).clamp(FLOOR, TOTAL - FLOOR);
            let one = self.coder.code(p);

            let bit = usize::from(one);
            let error = bit as f32 - mixed as f32 * (1.0 / TOTAL as f32);
            let step = S::mul(S::splat(error * RATE), x);
            for set in [node, match_set] {
                let weights = &mut mix.weights[set];
                S::store(S::add(S::load(weights), step), weights);
            }
            mix.refiner.update(one);
            if let Some(expected) = expected {
                chance::update(&mut mix.match_chances[match_at], expected == one, 255);
            }
            for i in 0..CONTEXTS {
                mix.meanings[i].update(states[i], one, logistic);
                let slot = match i {
                    0 | 1 => &mut mix.rows[rows[i] + node],
                    _ => mix.table.slot(buckets[i - 2], nibble),
                };
                *slot = histories.next[states[i]][bit];
            }
            node = node << 1 | bit;
            nibble = nibble << 1 | bit;
        }
        let byte = node as u8;
        mix.take(self.lane, byte);
        byte
    }
}
