//! The logistic function and its inverse, in tables.

use crate::cdf::TOTAL;
use crate::log2::log2;
use brevity_kernels::math::double;
use std::f64::consts::LN_2;
use std::sync::LazyLock;

/// Logits are clamped here: a probability of 6e-6.
const LIMIT: f32 = 12.0;

/// Steps of the table of the logistic function.
const STEPS: usize = 4096;

/// A logit of the last [place](Logistic::place).
const HIGHEST: f32 = 11.996;

/// Values of [`Logistic::place`].
pub(super) const PLACES: usize = STEPS;

/// Steps a unit of logit.
const SCALE: f32 = STEPS as f32 / (2.0 * LIMIT);

/// Tables, from correctly rounded operations only: the same everywhere.
pub struct Logistic {
    /// `ln(p / (1 - p))` in the middle of 4096 steps of `p`.
    stretch: [f32; 4096],
    /// Probabilities times `TOTAL`.
    squash: [u32; STEPS + 1],
    /// The same, `2^16 = 1`.
    half: [u16; PLACES],
    /// `ln(1 + m)` in the middle of 2048 steps of `m`.
    ln: [f32; 2048],
}

impl Logistic {
    /// The tables.
    #[inline(always)]
    pub fn get() -> &'static Logistic {
        static TABLES: LazyLock<Logistic> = LazyLock::new(Logistic::compute);
        &TABLES
    }

    fn compute() -> Logistic {
        let mut tables = Logistic {
            stretch: [0.0; 4096],
            squash: [0; STEPS + 1],
            half: [0; PLACES],
            ln: [0.0; 2048],
        };
        for (i, logit) in (0..).zip(&mut tables.stretch) {
            *logit = ((log2(2 * i + 1) - log2(8191 - 2 * i)) * LN_2) as f32;
        }
        for (i, p) in tables.squash.iter_mut().enumerate() {
            let x = i as f64 / f64::from(SCALE) - f64::from(LIMIT);
            *p = (f64::from(TOTAL) / (1.0 + double::exp(-x)) + 0.5) as u32;
        }
        for (half, p) in tables.half.iter_mut().zip(tables.squash) {
            *half = (p >> 8) as u16;
        }
        for (i, ln) in (0..).zip(&mut tables.ln) {
            *ln = ((log2(4097 + 2 * i) - 12.0) * LN_2) as f32;
        }
        tables
    }

    /// The logit of `p / 65536`, which takes 4096 values.
    #[inline(always)]
    pub fn stretch(&self, p: u16) -> f32 {
        self.stretch[usize::from(p >> 4)]
    }

    /// The logit of a one, whose mass beside a zero's is given; neither is 0.
    /// Accurate to 5e-4.
    #[inline(always)]
    pub fn logit(&self, zero: u32, one: u32) -> f32 {
        self.ln(one) - self.ln(zero)
    }

    #[inline(always)]
    fn ln(&self, n: u32) -> f32 {
        let bits = (n as f32).to_bits();
        let exponent = (bits >> 23) as f32 - 127.0;
        exponent * std::f32::consts::LN_2 + self.ln[(bits >> 12) as usize & 2047]
    }

    /// Where a logit lies in the table of [`half`](Logistic::half), below [`PLACES`].
    #[inline(always)]
    pub fn place(&self, logit: f32) -> usize {
        // Beyond 2^23, floats are integers: their lowest bits are the place.
        let place = logit.clamp(-LIMIT, HIGHEST) * SCALE + (8_388_608.0 + STEPS as f32 / 2.0);
        place.to_bits() as usize % PLACES
    }

    /// The probability at a [`place`](Logistic::place), `2^16 = 1`.
    #[inline(always)]
    pub fn half(&self, place: usize) -> u32 {
        u32::from(self.half[place % PLACES])
    }

    /// The probability of a logit, times `TOTAL`; never 0 or `TOTAL`.
    #[inline(always)]
    pub fn squash(&self, logit: f32) -> u32 {
        let place = (logit.clamp(-LIMIT, LIMIT) + LIMIT) * SCALE + 0.5;
        self.squash[(place as usize).min(STEPS)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squash_undoes_stretch() {
        let tables = Logistic::get();
        for p in (8..65_536_u32).step_by(16) {
            let back = tables.squash(tables.stretch(p as u16)) >> 8;
            assert!(back.abs_diff(p) < 60, "{p} came back as {back}");
        }
    }

    #[test]
    fn places_are_those_of_the_table() {
        let tables = Logistic::get();
        for i in 0..PLACES {
            let logit = i as f32 / SCALE - LIMIT;
            assert_eq!(tables.place(logit), i);
            assert_eq!(tables.half(i), tables.squash(logit) >> 8);
        }
        for (logit, place) in [(-1e9, 0), (1e9, PLACES - 1)] {
            assert_eq!(tables.place(logit), place);
        }
        assert!(tables.place(f32::NAN) < PLACES);
    }

    #[test]
    fn logits_of_masses() {
        let tables = Logistic::get();
        for (zero, one) in [(1, 1), (1, TOTAL - 1), (3, 4), (TOTAL / 2, 77)] {
            let expected = (f64::from(one) / f64::from(zero)).ln() as f32;
            assert!((tables.logit(zero, one) - expected).abs() < 5e-4);
        }
    }
}
