//! Coding one byte.

use super::Mixture;
use super::history::Histories;
use super::lane::{Lane, MATCHES, MOST};
use super::run::Run;
use super::selectors::{Bit, Places, sizes};
use super::setup::Level;
use super::table::BUCKET;
use crate::cdf::TOTAL;
use crate::cm::chance;
use crate::cm::logistic::Logistic;
use crate::cm::{Advice, BitCoder};
use brevity_kernels::simd::{Kernel, Simd};

/// How many tables refine the mixture.
pub fn refiners(level: Level) -> usize {
    match level {
        Level::Best => 4,
        _ => 3,
    }
}

/// A history's meaning moves by at least `1 / (SLOWEST + 1.5)`.
const SLOWEST: u32 = 1023;

/// The least probability that the mixture leaves to a bit, times `TOTAL`.
const FLOOR: u32 = 32;

/// How many short contexts have counters of their own: the last 0, 1, 2, 3 bytes.
pub fn directs(level: Level) -> usize {
    match level {
        Level::Best => 4,
        _ => 3,
    }
}

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

/// The last `count` bytes, at most 3.
#[inline(always)]
fn short(recent: u64, count: usize) -> u64 {
    recent & ((1 << (8 * count)) - 1)
}

/// The contexts of text that are the last 2 to 6 bytes.
const CERTAIN: [usize; 5] = [5, 0, 1, 2, 3];

/// Codes a byte of a lane.
pub struct CodeByte<'a, const WHOLE: bool> {
    pub mixture: &'a mut Mixture,
    pub lane: usize,
    pub coder: &'a mut dyn BitCoder,
    pub advice: &'a dyn Advice,
}

impl<const WHOLE: bool> Kernel for CodeByte<'_, WHOLE> {
    type Out = u8;

    #[inline(always)]
    fn run<S: Simd>(self) -> u8 {
        let mix = self.mixture;
        let logistic = Logistic::get();
        let histories = Histories::get();
        let n = mix.meanings.len();
        let lane: &Lane = &mix.lanes[self.lane];
        let (hashes, found) = (lane.hashes, lane.found);
        let recent = lane.recent;
        let expected_byte = found[1].expected().or(found[0].expected());
        let selector = Places::new(lane, &mix.setup, expected_byte);
        let selectors = sizes(&mix.setup).len();
        let lane_high = lane.high.is_some();
        let around = lane.pixels;
        let orders = mix.orders;

        // Where the buckets of this nibble lie, and what they hold.
        let mut places = [0; MOST];
        let mut buckets = [[0; BUCKET]; MOST];
        for i in 0..n {
            places[i] = if WHOLE {
                mix.table.find_line(hashes[i])
            } else {
                mix.table.find(hashes[i])
            };
            buckets[i] = *mix.table.bucket(places[i]);
        }
        let firsts = places;
        for (i, direct) in mix.directs.iter_mut().enumerate() {
            direct.go(short(recent, i), 1);
        }
        let (mut node, mut nibble) = (1, 1);
        let matches = n + mix.directs.len();
        let model = matches + MATCHES;
        let expected_or_0 = expected_byte.map_or(0, usize::from);
        let (mut known, mut known_others) = (0, 0);
        let has_runs = !mix.runs.is_empty();
        let mut runs = [Run::default(); MOST];
        if has_runs {
            for i in 0..n {
                runs[i] = mix.table.run(firsts[i]);
            }
        }
        let run_inputs = model + 1;
        for depth in 0..8 {
            if depth == 4 {
                for i in 0..n {
                    *mix.table.bucket(places[i]) = buckets[i];
                }
                for (i, direct) in mix.directs.iter_mut().enumerate() {
                    direct.go(short(recent, i), node);
                }
                if !WHOLE {
                    for i in 0..n {
                        if !has_runs || !runs[i].is_new() {
                            mix.table.prefetch_second(hashes[i], node);
                        }
                    }
                }
                for i in 0..n {
                    if has_runs && runs[i].is_young() {
                        buckets[i] = [0; BUCKET];
                        if let Some(byte) = runs[i].once()
                            && usize::from(byte >> 4 | 16) == node
                        {
                            histories.take(&mut buckets[i], byte & 15);
                        }
                        continue;
                    }
                    places[i] = if WHOLE {
                        mix.table.second_of_line(firsts[i], node)
                    } else {
                        mix.table.find_second(hashes[i], node)
                    };
                    buckets[i] = *mix.table.bucket(places[i]);
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

            let mut states = [0; MOST];
            let held = states.iter_mut().zip(&buckets);
            let inputs = mix.inputs.iter_mut().zip(&mix.meanings);
            for ((input, meanings), (state, bucket)) in inputs.zip(held) {
                *state = bucket[nibble & 15];
                *input = meanings.logit(usize::from(*state));
            }
            let count = |states: &[u8]| states.iter().filter(|s| **s > 0).count().min(15);
            if depth % 4 == 0 {
                known = count(&states[..orders]);
            }
            if has_runs {
                known_others = count(&states[orders..n]);
                let inputs = mix.inputs[run_inputs..].iter_mut().zip(&runs);
                for (meanings, (input, run)) in mix.runs.iter_mut().zip(inputs) {
                    *input = meanings.logit(*run, node, depth, logistic);
                }
            }
            for (i, direct) in mix.directs.iter().enumerate() {
                mix.inputs[n + i] = logistic.stretch(direct.get(nibble));
            }
            let mut match_at = [0; MATCHES];
            for j in 0..MATCHES {
                match_at[j] = found[j].class() * 8 + depth;
                let logit = logistic.stretch(chance::get(mix.match_chances[j][match_at[j]]));
                mix.inputs[matches + j] = match agreeing[j] {
                    None => 0.0,
                    Some(true) => logit,
                    Some(false) => -logit,
                };
            }
            let mut pattern = None;
            if let Some(templates) = &mut mix.pixels {
                for (j, p) in templates.get(&around, node, depth).into_iter().enumerate() {
                    mix.inputs[model + 1 + j] = logistic.stretch(p);
                }
                pattern = Some(templates.pattern());
            }
            if let Some(sound) = &mix.sound {
                let logits = sound.logits(node, depth, logistic);
                mix.inputs[model + 1..][..logits.len()].copy_from_slice(&logits);
                pattern = Some(sound.class() << 4 | usize::from(lane_high) << 3 | depth);
            }
            let mut confidence = 0;
            if let Some((zero, one)) = self.advice.masses(depth, node) {
                let logit = logistic.logit(zero, one);
                mix.inputs[model] = logit;
                confidence = (logit.clamp(-7.9, 7.9) * 2.0 + 16.0) as usize;
            } else {
                mix.inputs[model] = 0.0;
            }

            let bit_place = Bit {
                node,
                depth,
                confidence,
                agreeing,
                pattern,
                known,
                known_others,
                certain: CERTAIN.iter().fold(0, |digits, i| {
                    3 * digits + usize::from(histories.kinds[usize::from(states[*i])])
                }),
            };
            let sets = selector.sets(&bit_place, &found);
            let sets = &sets[..selectors];
            let logit = mix.mixer.mix::<S>(&mix.inputs, sets);
            let mixed = logistic.squash(logit);
            let mut refined = 0;
            for (refiner, row) in mix.refiners.iter_mut().zip(rows) {
                refined += refiner.refine(logit, row);
            }
            let refined = (refined << 8) / mix.refiners.len() as u32;
            let p = (mixed + 3 * refined) >> 2;
            let p = p.clamp(FLOOR, TOTAL - FLOOR);
            let one = self.coder.code(p);
            let bit = u32::from(one);

            let error = bit as f32 - mixed as f32 * (1.0 / TOTAL as f32);
            mix.mixer.update::<S>(&mix.inputs, error);
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
            for direct in &mut mix.directs {
                direct.update(nibble, one);
            }
            for meanings in &mut mix.runs {
                meanings.update(one);
            }
            let held = states.iter().zip(&mut buckets);
            for (meanings, (&state, bucket)) in mix.meanings.iter_mut().zip(held) {
                let h = usize::from(state);
                if h != 0 {
                    meanings.update(h, one, logistic);
                }
                bucket[nibble & 15] = histories.next[h][usize::from(one)];
            }
            node = node << 1 | bit as usize;
            nibble = nibble << 1 | bit as usize;
        }
        let byte = node as u8;
        for i in 0..n {
            if !has_runs || !runs[i].is_young() {
                *mix.table.bucket(places[i]) = buckets[i];
            } else if let Some(before) = runs[i].once() {
                // Seen for the second time: now there are buckets.
                for byte in [before, byte] {
                    let at = mix
                        .table
                        .find_second(hashes[i], usize::from(byte >> 4 | 16));
                    histories.take(mix.table.bucket(at), byte & 15);
                }
            }
            if has_runs {
                mix.table.take(firsts[i], byte);
            }
        }
        mix.take(self.lane, byte);
        byte
    }
}
