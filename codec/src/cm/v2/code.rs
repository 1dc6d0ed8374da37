//! Coding one byte.

use super::bits::TEMPLATES;
use super::lane::{Lane, MATCHES, MOST};
use super::setup::{Kind, Level};
use super::table::{self, strengthen};
use super::{Histories, Mixture, chance};
use crate::cdf::TOTAL;
use crate::cm::logistic::Logistic;
use crate::cm::{Advice, BitCoder};
use brevity_kernels::simd::{Kernel, Simd};

/// Contexts of each of the mixer's selectors, in the order in which levels take
/// them: the match, the last byte, the trained model's confidence, the bits of the
/// byte so far, the place in the line or record or the pattern of pixels, the
/// classes of the last two bytes, the byte before the last.
const SELECTORS: [usize; 7] = [144, 256, 32, 256, 2048, 256, 256];

/// Those of a level.
pub fn selectors(level: Level) -> &'static [usize] {
    match level {
        Level::Fast => &SELECTORS[..3],
        Level::Default => &SELECTORS[..5],
        Level::Best => &SELECTORS,
    }
}

/// How many tables refine the mixture.
pub fn refiners(level: Level) -> usize {
    match level {
        Level::Fast => 2,
        Level::Default => 3,
        Level::Best => 4,
    }
}

/// What turns a probability (`2^16 = 1`) less one half into an input.
const CONFIDENCE: f32 = 3.0 / 65_536.0;

/// A counter moves by at least `1 / (LIMIT + 1.6)`, a history's meaning by `1 /
/// (SLOWEST + 1.5)`.
const LIMIT: u32 = 255;
const SLOWEST: u32 = 1023;

/// The least probability that the mixture leaves to a bit, times `TOTAL`.
const FLOOR: u32 = 32;

/// Contexts of the refiners: the last byte, the last two, what is expected, the
/// last three, each with the bits of the byte so far.
#[inline(always)]
fn rows(recent: u64, node: usize, expected: usize, length: usize) -> [usize; 4] {
    let (one, two, three) = (recent & 0xFF, recent & 0xFFFF, recent & 0xFF_FFFF);
    let node = node as u64;
    let two = two.swap_bytes() >> 48;
    let two = two * 0x9E35 + node * 0x3D4D;
    let three = three * 0x9E3B + node * 0x3_D4D1;
    [
        (one << 8 | node) as usize,
        (two ^ two >> 13) as usize,
        (expected << 8 | node as usize) ^ length << 12,
        (three ^ three >> 15) as usize,
    ]
}

/// Codes a byte of a lane, with `PER` inputs for each context.
pub struct CodeByte<'a, const PER: usize> {
    pub mixture: &'a mut Mixture,
    pub lane: usize,
    pub coder: &'a mut dyn BitCoder,
    pub advice: &'a dyn Advice,
}

impl<const PER: usize> Kernel for CodeByte<'_, PER> {
    type Out = u8;

    #[inline(always)]
    fn run<S: Simd>(self) -> u8 {
        let mix = self.mixture;
        let logistic = Logistic::get();
        let histories = Histories::get();
        let n = mix.meanings.len();
        let base = n * PER;
        let lane: &Lane = &mix.lanes[self.lane];
        let (hashes, found) = (lane.hashes, lane.found);
        let recent = lane.recent;
        let last = (recent & 255) as usize;
        let before = (recent >> 8 & 255) as usize;
        let position = match mix.setup.kind {
            Kind::Text => (lane.count - lane.lines[0]).min(255),
            Kind::Binary => before,
            Kind::Records | Kind::Bits => lane.count % mix.setup.record % 256,
        };
        let selectors = selectors(mix.setup.level);
        let around = lane.pixels;
        let shape = (lane.shape & 255) as usize;

        let mut buckets = [0; MOST];
        let mut runs = [(0, 0); MOST];
        for i in 0..n {
            buckets[i] = mix.table.find(hashes[i]);
            runs[i] = mix.table.run(buckets[i]);
        }
        mix.buckets = buckets;
        let (mut node, mut nibble) = (1, 1);
        let constant = base + 2 * MATCHES + TEMPLATES;
        mix.inputs[constant] = 0.4;
        let expected_byte = found[1].expected().or(found[0].expected());
        let expected_or_0 = expected_byte.map_or(0, usize::from);
        for depth in 0..8 {
            if depth == 4 {
                let mut half = [0; MOST];
                for i in 0..n {
                    half[i] = table::second_half(hashes[i], node);
                    mix.table.prefetch(half[i]);
                }
                for i in 0..n {
                    buckets[i] = mix.table.find(half[i]);
                }
                nibble = 1;
            }
            let agreeing = found.map(|m| m.bit(node, depth));
            let long = match agreeing {
                [_, Some(_)] => found[1].length_class(),
                [Some(_), _] => found[0].length_class(),
                _ => 0,
            };
            let rows = rows(recent, node, expected_or_0, long);
            for (refiner, row) in mix.refiners.iter().zip(rows) {
                refiner.prefetch(row);
            }

            let mut slots = [0; MOST];
            let mut run_at = [0; MOST];
            for i in 0..n {
                let slot = *mix.table.slot(buckets[i], nibble);
                slots[i] = slot;
                let meaning = &mix.meanings[i];
                let p = chance::get(meaning.histories[table::history(slot)]);
                let input = &mut mix.inputs[i * PER..i * PER + PER];
                input[0] = logistic.stretch(p);
                input[1] = logistic.stretch(table::direct(slot));
                if PER <= 2 {
                    continue;
                }
                let (byte, count) = runs[i];
                let agrees = (usize::from(byte) | 256) >> (8 - depth) == node && count > 0;
                let at = usize::from(count.min(31)) * 8 + depth;
                let sign = if byte >> (7 - depth) & 1 == 1 {
                    1.0
                } else {
                    -1.0
                };
                let sign = if agrees { sign } else { 0.0 };
                run_at[i] = if agrees { at } else { 0 };
                input[2] = (f32::from(p) - 32768.0) * CONFIDENCE;
                input[3] = logistic.stretch(chance::get(meaning.runs[at])) * sign;
            }
            let mut match_at = [0; MATCHES];
            for j in 0..MATCHES {
                match_at[j] = found[j].class() * 8 + depth;
                let (mut a, mut b) = (0.0, 0.0);
                if let Some(bit) = agreeing[j] {
                    let p = chance::get(mix.match_chances[j][match_at[j]]);
                    a = logistic.stretch(p);
                    b = (f32::from(p) - 32768.0) * CONFIDENCE;
                    if !bit {
                        (a, b) = (-a, -b);
                    }
                }
                mix.inputs[base + 2 * j] = a;
                mix.inputs[base + 2 * j + 1] = b;
            }
            let mut pattern = None;
            if let Some(pixels) = &mut mix.pixels {
                for (j, p) in pixels.get(&around, node, depth).into_iter().enumerate() {
                    mix.inputs[base + 2 * MATCHES + j] = logistic.stretch(p);
                }
                pattern = Some(pixels.pattern());
            }
            let mut confidence = 0;
            if let Some((zero, one)) = self.advice.masses(depth, node) {
                let logit = logistic.logit(zero, one);
                mix.inputs[constant + 1] = logit;
                confidence = (logit.clamp(-7.9, 7.9) * 2.0 + 16.0) as usize;
            }

            let match_set = match agreeing {
                [None, None] => 0,
                [Some(a), None] => 1 + found[0].length_class() * 2 + usize::from(a),
                [_, Some(b)] => 33 + found[1].length_class() * 2 + usize::from(b),
            };
            let sets = [
                2 * match_set + depth / 4,
                last,
                confidence,
                node,
                pattern.unwrap_or(position),
                shape,
                before,
            ];
            let sets = &sets[..selectors.len()];
            let logit = mix.mixer.mix::<S>(&mix.inputs, sets);
            let mixed = logistic.squash(logit);
            let mut refined = 0;
            for (refiner, row) in mix.refiners.iter_mut().zip(rows) {
                refined += refiner.refine(logit, row);
            }
            let refined = (refined << 8) / mix.refiners.len() as u32;
            let p = (mixed + refined) >> 1;
            let p = p.clamp(FLOOR, TOTAL - FLOOR);
            let one = self.coder.code(p);
            let bit = u32::from(one);

            let error = bit as f32 - mixed as f32 * (1.0 / TOTAL as f32);
            mix.mixer.update::<S>(&mix.inputs, sets.len(), error);
            for refiner in &mut mix.refiners {
                refiner.update(one);
            }
            for j in 0..MATCHES {
                if let Some(expected) = agreeing[j] {
                    chance::update(
                        &mut mix.match_chances[j][match_at[j]],
                        expected == one,
                        SLOWEST,
                    );
                }
            }
            if let Some(pixels) = &mut mix.pixels {
                pixels.update(one);
            }
            for i in 0..n {
                let h = table::history(slots[i]);
                let meaning = &mut mix.meanings[i];
                if h != 0 {
                    chance::update(&mut meaning.histories[h], one, SLOWEST);
                }
                if PER > 2 && run_at[i] != 0 {
                    let expected = runs[i].0 >> (7 - depth) & 1 == 1;
                    chance::update(&mut meaning.runs[run_at[i]], expected == one, SLOWEST);
                }
                *mix.table.slot(buckets[i], nibble) =
                    strengthen(slots[i], one, histories.next[h][usize::from(one)], LIMIT);
            }
            node = node << 1 | bit as usize;
            nibble = nibble << 1 | bit as usize;
        }
        let byte = node as u8;
        mix.take(self.lane, byte);
        byte
    }
}
