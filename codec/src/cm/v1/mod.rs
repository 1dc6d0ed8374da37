//! The context models of format version 1, frozen: archives of that version are
//! decoded with them.
//!
//! Counters in hashed contexts (the last 1 to 6 bytes, the word, the last two
//! words), the longest match and, if there is one, a trained model, mixed by
//! weights that learn online; two tables refine the sum.

mod matcher;
mod mixer;
mod slots;

use super::chance::{Chances, Refiner};
use super::logistic::Logistic;
use super::{Advice, BitCoder};
use crate::cdf::TOTAL;
use brevity_kernels::simd::{Kernel, Simd, dispatch};
use matcher::{Match, Matcher};
use mixer::{INPUTS, Mixer};
use slots::{Table, strengthen};

/// Contexts in the hash table.
const HASHED: usize = 7;
/// Contexts with counters: the hashed ones and the last byte.
const CONTEXTS: usize = HASHED + 1;
/// Place of the match among the mixer's inputs.
const MATCH: usize = CONTEXTS;
/// Place of the trained model.
const MODEL: usize = MATCH + 2;
/// Place of the constant.
const BIAS: usize = MODEL + 1;
/// Place of the second input of each context.
const DIRECT: usize = INPUTS - CONTEXTS;

/// Most buckets of the hash table: 128 MiB.
const MOST_BUCKETS: usize = 1 << 22;

/// The largest share of the probability that the mixture leaves to nothing.
const FLOOR: u32 = 32;

/// What is known of one lane.
#[derive(Clone, Default)]
struct Lane {
    /// The last eight bytes, the last one lowest.
    recent: u64,
    /// Hash of the letters of the word under way.
    word: u32,
    /// Hash of the word before.
    previous_word: u32,
    hashes: [u32; HASHED],
    found: Match,
}

/// Context models that learn online, mixed.
pub struct Mixture {
    table: Table,
    /// Counters in the context of the last byte.
    order1: Vec<u16>,
    /// What a counter's state means, a table a context.
    chances: [Chances; CONTEXTS],
    match_chances: Chances,
    matcher: Matcher,
    mixers: [Mixer; 5],
    refiners: [Refiner; 2],
    lanes: Vec<Lane>,
    /// All bytes so far, lanes interleaved.
    history: Vec<u8>,
}

/// Bytes that a mixture for a block of `bytes` bytes in `lanes` lanes takes, at most.
pub fn memory(lanes: usize, bytes: usize) -> u64 {
    let buckets = (4 * bytes).next_power_of_two().clamp(1 << 10, MOST_BUCKETS);
    let rows = (8 * bytes).next_power_of_two().clamp(1 << 10, 1 << 16);
    let parts = [
        buckets * 32,
        2 * rows * 64,
        buckets.min(1 << 20) * 4,
        lanes * size_of::<Lane>(),
        // The history counts the steps of lanes that have ended, too.
        bytes + lanes,
        // Weights, counters of the last byte, meanings, tables.
        1 << 20,
    ];
    parts.map(|part| part as u64).iter().sum()
}

impl Mixture {
    /// A mixture that has learned nothing, for a block of `bytes` bytes in
    /// `lanes` lanes; `advised` if a trained model takes part.
    ///
    /// Memory: about 130 bytes a byte, at most 160 MiB and the block.
    pub fn new(lanes: usize, bytes: usize, advised: bool) -> Mixture {
        let buckets = (4 * bytes).next_power_of_two().clamp(1 << 10, MOST_BUCKETS);
        let rows = (8 * bytes).next_power_of_two().clamp(1 << 10, 1 << 16);
        let mut weights = [0.0; INPUTS];
        let start = if advised { 0.05 } else { 0.15 };
        weights[..CONTEXTS].fill(start);
        weights[DIRECT..].fill(start);
        weights[MATCH..MODEL].fill(0.15);
        weights[MODEL] = if advised { 0.6 } else { 0.0 };
        let mixer = |contexts| Mixer::new(contexts, weights);
        let mut mixture = Mixture {
            table: Table::new(buckets),
            order1: vec![0; 1 << 16],
            chances: std::array::from_fn(|_| slots::meanings()),
            match_chances: matcher::meanings(),
            matcher: Matcher::new(buckets.min(1 << 20), lanes),
            mixers: [256, matcher::CLASSES, 256, 256, 32].map(mixer),
            refiners: [Refiner::new(rows), Refiner::new(rows)],
            lanes: vec![Lane::default(); lanes],
            history: Vec::with_capacity(bytes + lanes),
        };
        for lane in &mut mixture.lanes {
            lane.rehash();
        }
        mixture
    }

    /// Codes the next byte of a lane and learns it. Lanes take turns, the first
    /// one first.
    pub fn code(&mut self, lane: usize, coder: &mut dyn BitCoder, advice: &dyn Advice) -> u8 {
        dispatch(CodeByte {
            mixture: self,
            lane,
            coder,
            advice,
        })
    }

    /// Instead of [`Mixture::code`] for a lane that has ended.
    pub fn skip(&mut self) {
        self.history.push(0);
    }

    /// Learns what came, for contexts of the next byte.
    #[inline(always)]
    fn take(&mut self, lane: usize, byte: u8) {
        self.history.push(byte);
        let next = self.history.len() - 1 + self.lanes.len();
        let lane = &mut self.lanes[lane];
        lane.recent = lane.recent << 8 | u64::from(byte);
        let letter = byte.to_ascii_lowercase();
        if letter.is_ascii_lowercase() || letter >= 128 {
            let word = lane.word ^ u32::from(letter);
            lane.word = word.wrapping_mul(0x2F0B_4C47).rotate_left(5);
        } else if lane.word != 0 {
            lane.previous_word = lane.word;
            lane.word = 0;
        }
        self.matcher
            .advance(&mut lane.found, lane.recent, next, &self.history);
        lane.rehash();
        for hash in lane.hashes {
            self.table.prefetch(hash);
        }
    }
}

impl Lane {
    /// Hashes the contexts of the next byte.
    #[inline(always)]
    fn rehash(&mut self) {
        const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
        let words = u64::from(self.word) << 32 | u64::from(self.previous_word);
        for (i, hash) in self.hashes.iter_mut().enumerate() {
            let context = match i {
                0 => u64::from(self.word),
                1 => words.wrapping_mul(MULTIPLIER) >> 8,
                _ => self.recent << (64 - 8 * i) >> 8,
            };
            let tag = (i as u64) << 56;
            *hash = ((context ^ tag).wrapping_mul(MULTIPLIER) >> 29) as u32;
        }
    }
}

struct CodeByte<'a> {
    mixture: &'a mut Mixture,
    lane: usize,
    coder: &'a mut dyn BitCoder,
    advice: &'a dyn Advice,
}

impl Kernel for CodeByte<'_> {
    type Out = u8;

    #[inline(always)]
    fn run<S: Simd>(self) -> u8 {
        let mix = self.mixture;
        let logistic = Logistic::get();
        let (recent, found, hashes) = {
            let lane = &mix.lanes[self.lane];
            (lane.recent, lane.found, lane.hashes)
        };
        let last = (recent & 255) as usize;
        let before = (recent >> 8 & 255) as usize;
        let mut buckets = hashes.map(|hash| mix.table.find(hash));
        // Prefixes with a leading one: of the byte, of the nibble.
        let (mut node, mut nibble) = (1, 1);
        let mut inputs = [0.0; INPUTS];
        inputs[BIAS] = 0.4;
        for depth in 0..8 {
            if depth == 4 {
                let half = hashes.map(|hash| slots::second_half(hash, node));
                half.iter().for_each(|&hash| mix.table.prefetch(hash));
                buckets = half.map(|hash| mix.table.find(hash));
                nibble = 1;
            }

            let order2 = ((last << 8 | before) * 0x9E35).wrapping_add(node * 0x3D4D);
            let rows = [last << 8 | node, order2 ^ order2 >> 13];
            mix.refiners[0].prefetch(rows[0]);
            mix.refiners[1].prefetch(rows[1]);

            let mut states = [0; CONTEXTS];
            let mut meanings = [0; CONTEXTS];
            for i in 0..CONTEXTS {
                states[i] = match buckets.get(i) {
                    Some(&bucket) => *mix.table.slot(bucket, nibble),
                    None => mix.order1[last << 8 | node],
                };
                meanings[i] = slots::meaning(states[i]);
                inputs[i] = logistic.stretch(mix.chances[i].get(meanings[i]));
                inputs[DIRECT + i] = logistic.stretch(slots::direct(states[i]));
            }

            let expected = found.bit(node, depth);
            let class = found.class(expected);
            let match_state = class * 2 + usize::from(expected == Some(true));
            inputs[MATCH] = 0.0;
            inputs[MATCH + 1] = 0.0;
            if let Some(bit) = expected {
                inputs[MATCH] = logistic.stretch(mix.match_chances.get(match_state));
                inputs[MATCH + 1] = found.strength(bit);
            }

            let mut confidence = 0;
            if let Some((zero, one)) = self.advice.masses(depth, node) {
                let logit = logistic.logit(zero, one);
                inputs[MODEL] = logit;
                confidence = (logit.clamp(-7.9, 7.9) * 2.0 + 16.0) as usize;
            }

            let sets = [node, class, last, before, confidence];
            let mut sum = 0.0;
            for (mixer, set) in mix.mixers.iter_mut().zip(sets) {
                sum += mixer.mix::<S>(&inputs, set);
            }
            let logit = sum * (1.0 / sets.len() as f32);
            let mixed = logistic.squash(logit);
            let refined =
                mix.refiners[0].refine(logit, rows[0]) + mix.refiners[1].refine(logit, rows[1]);
            // Three parts of the mixture, five of the refined (of 2^16, two).
            let p = (3 * mixed + 5 * (refined << 7)) >> 3;
            let p = p.clamp(FLOOR, TOTAL - FLOOR);
            let one = self.coder.code(p);
            let bit = u32::from(one);

            let error = bit as f32 - mixed as f32 / TOTAL as f32;
            for mixer in &mut mix.mixers {
                mixer.update::<S>(&inputs, error);
            }
            for refiner in &mut mix.refiners {
                refiner.update(one);
            }
            if expected.is_some() {
                mix.match_chances.update(match_state, one);
            }
            for i in 0..CONTEXTS {
                mix.chances[i].update(meanings[i], one);
                let slot = match buckets.get(i) {
                    Some(&bucket) => mix.table.slot(bucket, nibble),
                    None => &mut mix.order1[last << 8 | node],
                };
                *slot = strengthen(states[i], one);
            }
            node = node << 1 | bit as usize;
            nibble = nibble << 1 | bit as usize;
        }
        let byte = node as u8;
        mix.take(self.lane, byte);
        byte
    }
}
