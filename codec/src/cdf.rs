//! Integer frequencies of the next byte.
//!
//! A coder needs integer probabilities that encoder and decoder compute alike and
//! that give every byte a code. [`Frequencies`] holds 256 of them, each
//! at least 1, with the sum [`TOTAL`]. They are computed from logits by a
//! fixed sequence of correctly rounded operations, so the same logits give the
//! same integers on any CPU.
//!
//! The minimum of 1 and the rounding cost at most 2.3e-5 bits over the exact
//! softmax for a byte of probability 2^-17 or more, and no byte costs
//! more than [`PRECISION`] bits.

use brevity_kernels::math::exp_negative;
use brevity_kernels::simd::{Kernel, LANES, Simd, Vector, dispatch};

use crate::log2::log2;

/// Bits of precision of a frequency.
pub const PRECISION: u32 = 24;

/// Sum of the frequencies: `2^PRECISION`.
pub const TOTAL: u32 = 1 << PRECISION;

/// Number of symbols: the byte values.
pub const SYMBOLS: usize = 256;

/// A model returned a NaN or an infinite logit, so there is no distribution to code
/// with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("logit of byte {symbol} is not a finite number: the model's weights are unusable")]
pub struct NonFinite {
    /// The first byte value whose logit is not finite.
    pub symbol: usize,
}

/// Integer frequencies of the 256 byte values, each at least 1, with the sum
/// [`TOTAL`].
///
/// ```
/// use brevity_codec::{Frequencies, TOTAL};
///
/// let mut logits = [0.0; 256];
/// logits[b'e' as usize] = 3.0;
/// let next = Frequencies::from_logits(&logits).unwrap();
/// assert!(next.of(b'e') > next.of(b'z'));
/// assert_eq!(next.as_array().iter().sum::<u32>(), TOTAL);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequencies {
    /// Invariant: each at least 1, the sum `TOTAL`.
    counts: [u32; SYMBOLS],
}

impl Default for Frequencies {
    /// The uniform distribution.
    fn default() -> Frequencies {
        Frequencies {
            counts: [TOTAL / SYMBOLS as u32; SYMBOLS],
        }
    }
}

impl Frequencies {
    /// The softmax of 256 logits (nats), as integers.
    ///
    /// # Errors
    /// A logit that is NaN or infinite.
    ///
    /// # Panics
    /// If `logits` does not hold 256 values.
    pub fn from_logits(logits: &[f32]) -> Result<Frequencies, NonFinite> {
        let mut out = Frequencies::default();
        out.set_logits(logits)?;
        Ok(out)
    }

    /// Like [`from_logits`](Self::from_logits), in place. After an error the
    /// frequencies are uniform.
    ///
    /// # Errors
    /// A logit that is NaN or infinite.
    ///
    /// # Panics
    /// If `logits` does not hold 256 values.
    pub fn set_logits(&mut self, logits: &[f32]) -> Result<(), NonFinite> {
        assert_eq!(logits.len(), SYMBOLS, "a distribution has 256 logits");
        let finite = dispatch(Softmax {
            logits,
            out: &mut self.counts,
        });
        if finite {
            return Ok(());
        }
        *self = Frequencies::default();
        let symbol = logits.iter().position(|x| !x.is_finite()).unwrap_or(0);
        Err(NonFinite { symbol })
    }

    /// The distribution proportional to `weights + 1/128`, as integers: for
    /// predictors that count.
    ///
    /// # Panics
    /// If the weights sum to `2^32` or more.
    pub fn from_weights(weights: &[u32; SYMBOLS]) -> Frequencies {
        let sum: u64 = weights.iter().map(|&w| u64::from(w) * 128 + 1).sum();
        assert!(sum < 1 << 40, "weights sum to 2^32 or more");
        let room = u64::from(TOTAL) - SYMBOLS as u64;
        let counts = weights.map(|w| ((u64::from(w) * 128 + 1) * room / sum) as u32 + 1);
        let mut out = Frequencies { counts };
        let largest = (0..SYMBOLS).rev().max_by_key(|&i| out.counts[i]);
        out.settle(largest.unwrap_or(0));
        out
    }

    /// Mixes in the uniform distribution with weight `2^-shift`, so that
    /// no byte costs more than `shift + 8` bits. Integer arithmetic: each
    /// frequency loses its share, rounded down, and the excess over [`TOTAL`] is
    /// taken from the first largest one.
    ///
    /// # Panics
    /// If `shift` is not between 1 and 16.
    ///
    /// ```
    /// use brevity_codec::{Frequencies, TOTAL};
    ///
    /// let mut logits = [0.0; 256];
    /// logits[0] = 50.0;
    /// let mut next = Frequencies::from_logits(&logits).unwrap();
    /// assert_eq!(next.bits(1), 24.0);
    /// next.mix_uniform(12);
    /// assert!(next.bits(1) < 20.0);
    /// assert_eq!(next.as_array().iter().sum::<u32>(), TOTAL);
    /// ```
    pub fn mix_uniform(&mut self, shift: u32) {
        assert!((1..=16).contains(&shift), "a share of 2^-{shift}");
        let each = (TOTAL / SYMBOLS as u32) >> shift;
        for count in &mut self.counts {
            *count = *count - (*count >> shift) + each;
        }
        let largest = (0..SYMBOLS).rev().max_by_key(|&i| self.counts[i]);
        self.settle(largest.unwrap_or(0));
    }

    /// Corrects the sum at the most frequent symbol.
    fn settle(&mut self, largest: usize) {
        let sum: u32 = self.counts.iter().sum();
        self.counts[largest] = (self.counts[largest] + TOTAL) - sum;
    }

    /// The frequency of `byte`.
    pub fn of(&self, byte: u8) -> u32 {
        self.counts[byte as usize]
    }

    /// All frequencies.
    pub fn as_array(&self) -> &[u32; SYMBOLS] {
        &self.counts
    }

    /// The interval `(start, length)` of `byte` in `0..TOTAL`.
    pub fn interval(&self, byte: u8) -> (u32, u32) {
        let start = self.counts[..byte as usize].iter().sum();
        (start, self.of(byte))
    }

    /// The byte whose interval holds `target`, with that interval.
    ///
    /// # Panics
    /// If `target` is not below [`TOTAL`].
    pub fn find(&self, target: u32) -> (u8, u32, u32) {
        assert!(target < TOTAL, "{target} is not below 2^24");
        let mut start = 0;
        let mut first = 0;
        for group in self.counts.chunks_exact(16) {
            let sum: u32 = group.iter().sum();
            if target - start < sum {
                break;
            }
            start += sum;
            first += 16;
        }
        while target - start >= self.counts[first] {
            start += self.counts[first];
            first += 1;
        }
        (first as u8, start, self.counts[first])
    }

    /// Exact code length of `byte`, bits.
    pub fn bits(&self, byte: u8) -> f64 {
        code_length(self.of(byte))
    }
}

/// Exact code length of a symbol of frequency `frequency` out of [`TOTAL`],
/// bits: `24 - log2 frequency`.
///
/// # Panics
/// If `frequency` is 0.
pub fn code_length(frequency: u32) -> f64 {
    f64::from(PRECISION) - log2(u64::from(frequency))
}

/// Writes the frequencies and returns whether all logits were finite.
struct Softmax<'a> {
    logits: &'a [f32],
    out: &'a mut [u32; SYMBOLS],
}

impl Kernel for Softmax<'_> {
    type Out = bool;

    #[inline(always)]
    fn run<S: Simd>(self) -> bool {
        const WIDE: usize = 2 * LANES;
        let logits = &self.logits[..SYMBOLS];
        // SAFETY: all places are below 256.
        let at = |i: usize| unsafe { S::W::load_ptr(logits[i..][..WIDE].as_ptr()) };
        let mut max = at(0);
        // 0 while all logits are finite, NaN after one that is not.
        let zero = S::W::splat(0.0);
        let mut check = zero;
        for i in (0..SYMBOLS).step_by(WIDE) {
            max = max.max(at(i));
            check = at(i).mul_add(zero, check);
        }
        if lanes(check).iter().any(|&x| x != 0.0) {
            return false;
        }
        let max = lanes(max).into_iter().fold(f32::MIN, f32::max);

        let mut powers = [0.0_f32; SYMBOLS];
        let peak = S::W::splat(max);
        for i in (0..SYMBOLS).step_by(WIDE) {
            let e = exp_negative(at(i).sub(peak));
            // SAFETY: as above.
            unsafe { e.store_ptr(powers[i..][..WIDE].as_mut_ptr()) };
        }
        let mut sum = S::splat(0.0);
        for i in (0..SYMBOLS).step_by(LANES) {
            sum = S::add(sum, S::load(&powers[i..]));
        }
        let s = S::to_array(sum);
        let sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));

        let scale = (TOTAL - SYMBOLS as u32) as f32 / sum;
        let mut total = 0;
        for (count, power) in self.out.iter_mut().zip(powers) {
            // SAFETY: finite, not negative and below 2^25, since no power
            // exceeds the sum by more than rounding.
            *count = unsafe { (power * scale).to_int_unchecked::<i32>() } as u32 + 1;
            total += *count;
        }
        let largest = self.logits.iter().position(|&x| x == max).unwrap_or(0);
        self.out[largest] = (self.out[largest] + TOTAL) - total;
        true
    }
}

/// The values of sixteen lanes.
#[inline(always)]
fn lanes<V: Vector>(v: V) -> [f32; 2 * LANES] {
    const { assert!(V::WIDTH == 2 * LANES) };
    let mut lanes = [0.0; 2 * LANES];
    // SAFETY: the array has as many values.
    unsafe { v.store_ptr(lanes.as_mut_ptr()) };
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_kernels::simd::{InstructionSet, dispatch_on};
    use proptest::prelude::*;

    fn softmax(logits: &[f32]) -> Vec<f64> {
        let max = logits.iter().fold(f64::MIN, |m, &x| m.max(f64::from(x)));
        let e: Vec<f64> = logits.iter().map(|&x| (f64::from(x) - max).exp()).collect();
        let sum: f64 = e.iter().sum();
        e.iter().map(|x| x / sum).collect()
    }

    #[test]
    fn every_distribution_is_complete_and_close_to_the_softmax() {
        proptest!(ProptestConfig::with_cases(64), |(
            unit in prop::collection::vec(-1.0_f32..1.0, SYMBOLS),
            scale in prop::sample::select(vec![0.0_f32, 0.1, 1.0, 5.0, 20.0, 80.0, 1e30, 3e38]),
        )| {
            let logits: Vec<f32> = unit.iter().map(|x| x * scale).collect();
            let f = Frequencies::from_logits(&logits).unwrap();
            prop_assert_eq!(f.as_array().iter().sum::<u32>(), TOTAL);
            prop_assert!(f.as_array().iter().all(|&c| c >= 1));
            if scale < 100.0 {
                let p = softmax(&logits);
                let over: f64 = (0..SYMBOLS).map(|i| p[i] * (f.bits(i as u8) + p[i].max(1e-300).log2())).sum();
                prop_assert!(over < 5e-5, "overhead {} bpb", over);
            }
        });
    }

    #[test]
    fn instruction_sets_agree() {
        let logits: Vec<f32> = (0..SYMBOLS)
            .map(|i| ((i * 7919) % 257) as f32 * 0.11 - 9.0)
            .collect();
        let on = |set| {
            let mut out = [0; SYMBOLS];
            dispatch_on(
                set,
                Softmax {
                    logits: &logits,
                    out: &mut out,
                },
            );
            out
        };
        for set in InstructionSet::supported() {
            assert_eq!(on(set), on(InstructionSet::Portable));
        }
    }

    #[test]
    fn non_finite_logits_are_refused() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut logits = [0.5; SYMBOLS];
            logits[77] = bad;
            let error = Frequencies::from_logits(&logits).unwrap_err();
            assert_eq!(error, NonFinite { symbol: 77 });
        }
    }

    #[test]
    fn a_share_of_the_uniform_keeps_the_sum() {
        for shift in 1..=16 {
            for scale in [0.0, 1.0, 40.0] {
                let logits: Vec<f32> = (0..SYMBOLS).map(|i| (i % 13) as f32 * scale).collect();
                let mut f = Frequencies::from_logits(&logits).unwrap();
                f.mix_uniform(shift);
                assert_eq!(f.as_array().iter().sum::<u32>(), TOTAL);
                let worst = (0..=255).map(|b| f.bits(b)).fold(0.0, f64::max);
                assert!(worst <= f64::from(shift) + 8.0, "{worst} {shift}");
            }
        }
    }

    #[test]
    fn find_inverts_interval() {
        let logits: Vec<f32> = (0..SYMBOLS).map(|i| (i % 13) as f32).collect();
        let f = Frequencies::from_logits(&logits).unwrap();
        for byte in 0..=255 {
            let (start, length) = f.interval(byte);
            assert_eq!(f.find(start), (byte, start, length));
            assert_eq!(f.find(start + length - 1), (byte, start, length));
        }
    }

    #[test]
    fn weights_become_frequencies() {
        let mut weights = [0; SYMBOLS];
        assert_eq!(Frequencies::from_weights(&weights), Frequencies::default());
        weights[3] = u32::MAX / 2;
        let f = Frequencies::from_weights(&weights);
        assert_eq!(f.as_array().iter().sum::<u32>(), TOTAL);
        assert!(f.of(3) > TOTAL - 300);
    }
}
