//! What followed a context last, and how often in a row.

use crate::cm::chance::{self, Chance};
use crate::cm::logistic::Logistic;

/// Longer runs are all the same.
const LONGEST: u8 = 15;

/// Set in a count after other bytes were seen, too.
const OTHERS: u8 = 16;

/// The byte that followed a context last and how often in a row; nothing at first.
#[derive(Clone, Copy, Default)]
pub struct Run {
    byte: u8,
    /// At most [`LONGEST`], or that and [`OTHERS`].
    count: u8,
}

impl Run {
    /// The run that [`Run::pack`] packed; 0 is one of nothing.
    #[inline(always)]
    pub fn unpack(packed: u16) -> Run {
        let [count, byte] = packed.to_be_bytes();
        Run { byte, count }
    }

    /// As tables keep it.
    #[inline(always)]
    pub fn pack(self) -> u16 {
        u16::from_be_bytes([self.count, self.byte])
    }

    /// Takes the byte that followed.
    #[inline(always)]
    pub fn take(&mut self, byte: u8) {
        if self.count == 0 {
            *self = Run { byte, count: 1 };
        } else if self.byte != byte {
            self.byte = byte;
            self.count = OTHERS | 1;
        } else if self.count & LONGEST < LONGEST {
            self.count += 1;
        }
    }

    /// Whether the context was never seen.
    #[inline(always)]
    pub fn is_new(self) -> bool {
        self.count == 0
    }

    /// The byte, if the context was seen once.
    #[inline(always)]
    pub fn once(self) -> Option<u8> {
        (self.count == 1).then_some(self.byte)
    }

    /// Whether the context was seen once at most. Then the histories of the second
    /// nibble follow from the run, and have no bucket yet.
    #[inline(always)]
    pub fn is_young(self) -> bool {
        self.count <= 1
    }

    /// The number of its meaning and the next bit, after the prefix `node` (with a
    /// leading one) of `depth` bits, as long as the prefix is that of the byte.
    #[inline(always)]
    fn place(self, node: usize, depth: usize) -> Option<(usize, bool)> {
        let agrees = self.count > 0 && (usize::from(self.byte) | 256) >> (8 - depth) == node;
        let place = usize::from(self.count) << 3 | depth;
        agrees.then_some((place, self.byte >> (7 - depth) & 1 == 1))
    }
}

/// A meaning moves by at least `1 / (SLOWEST + 1.5)`.
const SLOWEST: u32 = 255;

/// Meanings of one context: by count, whether others were seen, and the number of
/// the bit.
pub const MEANINGS: usize = 256;

/// How often runs go on, for one context.
pub struct Runs {
    chances: [Chance; MEANINGS],
    /// The meaning of the last input, and the bit that was expected.
    last: Option<(usize, bool)>,
}

impl Runs {
    /// First guesses.
    pub fn new() -> Runs {
        let guess = |i: usize| chance::guess((65_535 - 32_768 / ((i >> 3 & 15) + 2)) as u16);
        Runs {
            chances: std::array::from_fn(guess),
            last: None,
        }
    }

    /// The logit of a one after a prefix; 0 where the run says nothing of it.
    #[inline(always)]
    pub fn logit(&mut self, run: Run, node: usize, depth: usize, logistic: &Logistic) -> f32 {
        self.last = run.place(node, depth);
        let Some((place, bit)) = self.last else {
            return 0.0;
        };
        let logit = logistic.stretch(chance::get(self.chances[place % MEANINGS]));
        if bit { logit } else { -logit }
    }

    /// Learns the bit that came.
    #[inline(always)]
    pub fn update(&mut self, one: bool) {
        if let Some((place, bit)) = self.last {
            chance::update(&mut self.chances[place % MEANINGS], bit == one, SLOWEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_expect_the_last_byte_and_learn_how_often_it_comes() {
        let logistic = Logistic::get();
        let mut run = Run::default();
        let mut runs = Runs::new();
        assert_eq!(runs.logit(run, 1, 0, logistic), 0.0);
        run.take(b'a');
        // The first bit of the letter is a zero, the second a one.
        assert!(runs.logit(run, 1, 0, logistic) < 0.0);
        assert!(runs.logit(run, 2, 1, logistic) > 0.0);
        assert_eq!(runs.logit(run, 3, 1, logistic), 0.0);
        let before = runs.logit(run, 2, 1, logistic);
        runs.update(true);
        assert!(runs.logit(run, 2, 1, logistic) > before);
        for _ in 0..100 {
            run.take(b'b');
        }
        assert_eq!((run.byte, run.count), (b'b', OTHERS | LONGEST));
        assert_eq!(Run::unpack(run.pack()).count, run.count);
        assert_eq!(Run::default().pack(), 0);
    }
}
