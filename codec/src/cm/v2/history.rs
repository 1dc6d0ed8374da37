//! Bit histories: what a context has seen, in one byte.
//!
//! A history counts zeros and ones within bounds and, as long as they are few,
//! remembers which came last. A bit that comes adds to its count; a large count
//! of the other shrinks, since what is new counts more than what is old. The
//! states and the steps between them are computed from the bounds below, in the
//! manner of Mahoney's indirect context models.

use std::sync::LazyLock;

/// Most of the more frequent bit where the other was seen 0, 1, 2, ... times.
const BOUNDS: [u8; 6] = [41, 40, 14, 9, 6, 5];

/// Up to so many bits, the last one is remembered.
const REMEMBERED: u8 = 17;

/// States of a history; 0 has seen nothing.
pub const STATES: usize = 256;

/// Counts of zeros and ones, and the last bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct History {
    counts: [u8; 2],
    last: bool,
}

/// The state machine.
pub struct Histories {
    /// The state after a zero and after a one.
    pub next: [[u8; 2]; STATES],
    /// A first guess of what a state means, `2^16 = 1`.
    pub guess: [u16; STATES],
    /// 0 for a state that has seen nothing, 1 for one that has seen one kind of bits, 2
    /// for both.
    pub kinds: [u8; STATES],
}

impl History {
    /// Whether there is a state with these counts.
    fn fits(counts: [u8; 2]) -> bool {
        let (few, many) = (counts[0].min(counts[1]), counts[0].max(counts[1]));
        BOUNDS
            .get(usize::from(few))
            .is_some_and(|&most| many <= most)
    }

    /// The state that stands for these counts, whose last bit is not kept beyond
    /// [`REMEMBERED`] bits and where only one kind was seen.
    fn canonical(counts: [u8; 2], last: bool) -> History {
        let told = counts[0] > 0 && counts[1] > 0 && counts[0] + counts[1] <= REMEMBERED;
        let last = if told { last } else { counts[1] > counts[0] };
        History { counts, last }
    }

    fn after(self, bit: bool) -> History {
        let mut counts = self.counts;
        let (new, old) = (usize::from(bit), usize::from(!bit));
        counts[new] += 1;
        if counts[old] > 2 {
            counts[old] = match counts[old] {
                3 => 2,
                4..=6 => 3,
                7..=11 => 4,
                12..=20 => 5,
                _ => 6,
            };
        }
        // Beyond the bounds, the share is kept as far as that goes.
        while !History::fits(counts) {
            let many = usize::from(counts[1] > counts[0]);
            let few = 1 - many;
            if counts[few] > 1 {
                let share = u16::from(counts[many]) * u16::from(counts[few] - 1);
                let few_before = u16::from(counts[few]);
                counts[many] = ((share + few_before / 2) / few_before) as u8;
                counts[few] -= 1;
                // What came last counts.
                counts[many] = counts[many].max(1);
            } else {
                counts[many] -= 1;
            }
        }
        History::canonical(counts, bit)
    }
}

impl Histories {
    /// Takes the bits of a nibble into a bucket, whose histories lie behind its first
    /// byte by prefix.
    #[inline(always)]
    pub fn take(&self, bucket: &mut [u8; 16], nibble: u8) {
        let mut prefix = 1;
        for shift in [3, 2, 1, 0] {
            let bit = usize::from(nibble >> shift & 1);
            bucket[prefix] = self.next[usize::from(bucket[prefix])][bit];
            prefix = prefix << 1 | bit;
        }
    }

    /// The tables.
    #[inline(always)]
    pub fn get() -> &'static Histories {
        static TABLES: LazyLock<Histories> = LazyLock::new(Histories::compute);
        &TABLES
    }

    fn compute() -> Histories {
        let start = History::canonical([0, 0], false);
        let mut states = vec![start];
        let mut tables = Histories {
            next: [[0; 2]; STATES],
            guess: [1 << 15; STATES],
            kinds: [0; STATES],
        };
        let mut at = 0;
        while at < states.len() {
            let state = states[at];
            for bit in [false, true] {
                let after = state.after(bit);
                let place = states.iter().position(|s| *s == after);
                let place = place.unwrap_or_else(|| {
                    states.push(after);
                    states.len() - 1
                });
                tables.next[at][usize::from(bit)] = place as u8;
            }
            tables.kinds[at] = state.counts.iter().filter(|c| **c > 0).count() as u8;
            let [zeros, ones] = state.counts.map(|c| 2 * u32::from(c) + 1);
            tables.guess[at] = (65_535 * ones / (zeros + ones)) as u16;
            at += 1;
        }
        assert!(states.len() <= STATES, "{} states", states.len());
        tables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histories_fit_a_byte_and_mirror_each_other() {
        let tables = Histories::get();
        let (mut up, mut down) = (0, 0);
        let mut seed = 1_u32;
        for _ in 0..10_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let bit = usize::from(seed >> 24 > 60);
            up = tables.next[usize::from(up)][bit];
            down = tables.next[usize::from(down)][1 - bit];
            let sum = u32::from(tables.guess[usize::from(up)])
                + u32::from(tables.guess[usize::from(down)]);
            assert!(sum.abs_diff(65_535) <= 2);
            assert_ne!(up, 0);
        }
    }
}
