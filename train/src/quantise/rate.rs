//! The cost of a tensor's integers in bits, and its derivative.
//!
//! The weight coder is adaptive, so the cost of an integer depends on the frequency of
//! similar integers. It is modelled by a smoothed histogram of the magnitudes of the
//! tensor, computed at every step, and interpolated linearly between integers. The slope
//! pulls small weights to zero and all weights to frequent magnitudes.

use super::integer;
use brevity_kernels::math::double::ln;
use std::f64::consts::LN_2;

/// Larger magnitudes cost the same as this one.
const MOST: usize = 1024;

/// Added to every count.
const PRIOR: f64 = 0.5;

/// The cost of integers by their magnitude.
pub(super) struct Costs {
    /// Bits by magnitude, including the sign.
    bits: Vec<f32>,
}

impl Costs {
    /// The costs from the histogram of the integers of `values`.
    pub fn of(values: &[f32], step: f32) -> Costs {
        let magnitudes = || values.iter().map(|&x| magnitude(x, step));
        let largest = magnitudes().max().unwrap_or(0);
        let mut counts = vec![0_u32; largest + 2];
        magnitudes().for_each(|m| counts[m] += 1);
        // Large magnitudes are rare, so their counts are averaged over a window that
        // widens with the magnitude. Zero has its own count.
        let mut smooth = vec![f64::from(counts[0]) + PRIOR];
        for m in 1..counts.len() {
            let half = m / 4;
            let window = &counts[m.saturating_sub(half).max(1)..counts.len().min(m + half + 1)];
            let sum: u32 = window.iter().sum();
            smooth.push(f64::from(sum) / window.len() as f64 + PRIOR);
        }
        let total: f64 = smooth.iter().sum();
        let bits = smooth.iter().enumerate().map(|(m, count)| {
            let sign = if m == 0 { 0.0 } else { 1.0 };
            (ln(total / count) / LN_2 + sign) as f32
        });
        Costs {
            bits: bits.collect(),
        }
    }

    /// Total bits of the integers of `values`.
    pub fn total(&self, values: &[f32], step: f32) -> f64 {
        let bits = |&x: &f32| f64::from(self.bits[magnitude(x, step)]);
        values.iter().map(bits).sum()
    }

    /// The derivative of the bits by a weight, at `x`; the weight is in units of its
    /// step.
    pub fn slope(&self, x: f32) -> f32 {
        let below = (x.abs() as usize).min(self.bits.len() - 2);
        let slope = self.bits[below + 1] - self.bits[below];
        match x {
            x if x > 0.0 => slope,
            x if x < 0.0 => -slope,
            _ => 0.0,
        }
    }
}

fn magnitude(x: f32, step: f32) -> usize {
    (integer(x, step).abs() as usize).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Integers with the two-sided geometric distribution of ratio 1/2.
    fn geometric() -> Vec<f32> {
        let magnitudes = (0..12).flat_map(|m| std::iter::repeat_n(m as f32, 4096 >> m));
        magnitudes.flat_map(|m| [m, -m]).collect()
    }

    #[test]
    fn costs_are_those_of_the_distribution() {
        let values = geometric();
        let costs = Costs::of(&values, 1.0);
        // Half of all are zero, a quarter has magnitude one, and so on.
        for m in 0..4 {
            let expected = (m + 1) as f32 + if m == 0 { 0.0 } else { 1.0 };
            assert!((costs.bits[m] - expected).abs() < 0.4, "{:?}", costs.bits);
        }
        let mean = costs.total(&values, 1.0) / values.len() as f64;
        assert!((2.45..2.65).contains(&mean), "{mean}");
    }

    #[test]
    fn slopes_point_to_the_cheaper_side() {
        let costs = Costs::of(&geometric(), 1.0);
        for x in [0.2, 0.9, 1.5, 3.3, 7.0] {
            assert!(costs.slope(x) > 0.3, "{x}: {}", costs.slope(x));
            assert_eq!(costs.slope(-x), -costs.slope(x));
        }
        assert_eq!(costs.slope(0.0), 0.0);
        assert!(costs.slope(1e9).is_finite());
        // Values are near ten, so moving away in either direction costs more.
        let near_ten: Vec<f32> = (0..200).map(|i| 10.0 + (i % 5 - 2) as f32).collect();
        let costs = Costs::of(&near_ten, 1.0);
        assert!(costs.slope(6.5) < 0.0 && costs.slope(13.5) > 0.0);
    }
}
