//! Integer frequencies of the next token.
//!
//! As `brevity_codec::Frequencies`, with a sum of 2^32: a floor of 1 for each of
//! 262,144 tokens would take 1.6% of a sum of 2^24. Powers of the logits are turned
//! into integers first; everything after is integer arithmetic, hence without an
//! order:
//!
//! ```text
//! w_i = trunc(e^(l_i - max) 2^30)              S = sum of w_i
//! f_i = 1 + floor(w_i M / 2^30)                M = floor((2^32 - 2^16 - V) 2^30 / S)
//! ```
//!
//! The most likely token gets what is missing, and 2^16 at the end of the range are
//! those of the escape, which announces a byte that has no token. Barred tokens have a `w`
//! of 0.

use brevity_codec::log2;
use brevity_kernels::math::exp_negative;
use brevity_kernels::simd::{Kernel, LANES, Simd, Vector, dispatch};

/// Frequency of the escape.
pub const ESCAPE: u32 = 1 << 16;

/// The escape's place: above all tokens.
pub const ESCAPE_START: u32 = 0u32.wrapping_sub(ESCAPE);

/// The part of the range that a symbol has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Sum of the frequencies before it.
    pub start: u32,
    /// Its frequency, at least 1.
    pub frequency: u32,
}

impl Interval {
    /// The escape's.
    pub const ESCAPE: Interval = Interval {
        start: ESCAPE_START,
        frequency: ESCAPE,
    };

    /// Code length, bits.
    pub fn bits(self) -> f64 {
        32.0 - log2(u64::from(self.frequency))
    }
}

impl Default for Interval {
    /// The escape's.
    fn default() -> Interval {
        Interval::ESCAPE
    }
}

/// A logit that is NaN or infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the logit of token {token} is not a finite number: the model's weights are unusable")]
pub struct NonFinite {
    /// The first such token.
    pub token: usize,
}

/// Frequencies of all tokens.
#[derive(Clone, Debug, Default)]
pub struct Frequencies {
    /// Each at least 1; the sum is `ESCAPE_START`.
    counts: Vec<u32>,
}

impl Frequencies {
    /// The softmax of logits (nats), in which barred tokens have no part.
    /// `logits` is changed.
    ///
    /// # Errors
    /// A logit that is not finite.
    ///
    /// # Panics
    /// If all tokens are barred, or there are 2^22 or more.
    pub fn set(&mut self, logits: &mut [f32], barred: &[u32]) -> Result<(), NonFinite> {
        assert!((1..1 << 22).contains(&logits.len()), "a vocabulary");
        assert!(barred.len() < logits.len(), "all tokens are barred");
        self.counts.resize(logits.len(), 0);
        let out = &mut self.counts;
        if dispatch(Softmax {
            logits,
            barred,
            out,
        }) {
            return Ok(());
        }
        let token = logits.iter().position(|x| !x.is_finite()).unwrap_or(0);
        Err(NonFinite { token })
    }

    /// The interval of a token.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn interval(&self, id: u32) -> Interval {
        let start: u64 = self.counts[..id as usize]
            .iter()
            .map(|&c| u64::from(c))
            .sum();
        Interval {
            start: start as u32,
            frequency: self.counts[id as usize],
        }
    }

    /// The token whose interval holds `target`, `None` for the escape.
    pub fn find(&self, target: u32) -> Option<(u32, Interval)> {
        const GROUP: usize = 256;
        let mut start = 0u64;
        for (group, counts) in self.counts.chunks(GROUP).enumerate() {
            let sum: u64 = counts.iter().map(|&c| u64::from(c)).sum();
            if start + sum <= u64::from(target) {
                start += sum;
                continue;
            }
            for (i, &frequency) in counts.iter().enumerate() {
                if start + u64::from(frequency) > u64::from(target) {
                    let interval = Interval {
                        start: start as u32,
                        frequency,
                    };
                    return Some(((group * GROUP + i) as u32, interval));
                }
                start += u64::from(frequency);
            }
        }
        None
    }

    /// All of them.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }
}

/// Writes the frequencies and says whether all logits were finite.
struct Softmax<'a> {
    logits: &'a mut [f32],
    barred: &'a [u32],
    out: &'a mut [u32],
}

impl Kernel for Softmax<'_> {
    type Out = bool;

    #[inline(always)]
    fn run<S: Simd>(self) -> bool {
        const ONE: f32 = (1u32 << 30) as f32;
        let zero = S::splat(0.0);
        // 0 as long as everything is finite, NaN after.
        let mut check = zero;
        for part in self.logits.chunks(LANES) {
            check = S::mul_add(S::load_part(part), zero, check);
        }
        if S::to_array(check).iter().any(|&x| x != 0.0) {
            return false;
        }
        for &id in self.barred {
            self.logits[id as usize] = f32::MIN;
        }
        let mut max = S::splat(f32::MIN);
        let (whole, rest) = self.logits.as_chunks::<LANES>();
        for part in whole {
            max = S::max(max, S::load(part));
        }
        let max = S::to_array(max).into_iter().chain(rest.iter().copied());
        let max = max.fold(f32::MIN, f32::max);
        let peak = S::splat(max);

        let mut sum = 0u64;
        for (logits, out) in self.logits.chunks(LANES).zip(self.out.chunks_mut(LANES)) {
            let e = exp_negative(S::load_part(logits).sub(peak));
            let scaled = S::to_array(S::mul(e, S::splat(ONE)));
            for (out, x) in out.iter_mut().zip(scaled) {
                // SAFETY: no power of a number of zero or less is beyond 1.0001.
                *out = unsafe { x.to_int_unchecked::<i32>() } as u32;
            }
            sum += out.iter().map(|&w| u64::from(w)).sum::<u64>();
        }
        let room = u64::from(ESCAPE_START) - self.out.len() as u64;
        let scale = (room << 30) / sum.max(1 << 30);
        let mut total = 0u64;
        for count in self.out.iter_mut() {
            *count = 1 + ((u64::from(*count) * scale) >> 30) as u32;
            total += u64::from(*count);
        }
        let largest = self.logits.iter().position(|&x| x == max).unwrap_or(0);
        let missing = u64::from(ESCAPE_START) - total;
        self.out[largest] += missing as u32;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_kernels::simd::{InstructionSet, dispatch_on};

    fn logits(n: usize) -> Vec<f32> {
        (0..n)
            .map(|i| ((i * 7919 % 1009) as f32 / 60.0).sin() * 9.0)
            .collect()
    }

    #[test]
    fn they_fill_the_range_and_find_what_was_coded() {
        for n in [1, 2, 9, 300, 49_152] {
            let mut f = Frequencies::default();
            f.set(&mut logits(n), &[]).unwrap();
            let sum: u64 = f.counts().iter().map(|&c| u64::from(c)).sum();
            assert_eq!(sum, u64::from(ESCAPE_START));
            for id in [0, n / 3, n - 1] {
                let interval = f.interval(id as u32);
                assert!(interval.frequency > 0);
                let last = interval.start + (interval.frequency - 1);
                assert_eq!(f.find(interval.start), Some((id as u32, interval)));
                assert_eq!(f.find(last), Some((id as u32, interval)));
            }
            assert_eq!(f.find(ESCAPE_START), None);
            assert_eq!(f.find(u32::MAX), None);
        }
    }

    #[test]
    fn they_are_the_softmax() {
        let l = logits(1000);
        let mut f = Frequencies::default();
        f.set(&mut l.clone(), &[3]).unwrap();
        let kept = (0..1000).filter(|&i| i != 3);
        let sum: f64 = kept.clone().map(|i| f64::from(l[i]).exp()).sum();
        // What it costs on average that frequencies are integers.
        let mut redundancy = 0.0;
        for i in kept {
            let p = f64::from(l[i]).exp() / sum;
            let interval = f.interval(i as u32);
            // A floor of one, and a power cut off below 2^-30 of the largest.
            let exact = p * 4_294_967_296.0;
            let error = (f64::from(interval.frequency) - exact).abs();
            assert!(error < 5.0 + 1e-4 * exact, "{i}: {interval:?} {exact}");
            let got = interval.bits();
            redundancy += p * (got + p.log2());
        }
        assert!((0.0..3e-5).contains(&redundancy), "{redundancy}");
        assert_eq!(f.interval(3).frequency, 1);
    }

    #[test]
    fn every_path_gives_the_same() {
        let (mut l, n) = (logits(4099), 4099);
        let mut expected = Vec::new();
        for path in InstructionSet::supported() {
            let mut out = vec![0; n];
            let kernel = Softmax {
                logits: &mut l,
                barred: &[7],
                out: &mut out,
            };
            assert!(dispatch_on(path, kernel));
            if expected.is_empty() {
                expected = out;
            } else {
                assert!(out == expected, "{path:?}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        let mut f = Frequencies::default();
        let mut l = logits(100);
        l[42] = f32::NAN;
        assert_eq!(f.set(&mut l, &[]), Err(NonFinite { token: 42 }));
    }
}
