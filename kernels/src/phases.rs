//! Rotary position embedding with any base, for some or all components of a head.
//!
//! Like [`rope`](crate::rope), but the unit of phases is 2^-64 of a turn instead of
//! 2^-16, because models with bases of 10^5 and more have pairs that rotate by less than
//! 2^-16 of a turn per position. The phase `position * step mod 2^64` is an exact
//! integer, so position 10^6 is as precise as position 1.
//!
//! ```
//! use brevity_kernels::phases::{Rotary, frequencies};
//!
//! let rotary = Rotary::new(&frequencies(10_000.0, 4), false);
//! let mut row = [1.0, 1.0, 0.0, 0.0, 9.0];
//! rotary.turn(&rotary.table(1), &mut row);
//! // One radian for the first pair, a hundredth for the second.
//! assert_eq!(row, [0.540_302_3, 0.999_95, 0.841_470_96, 0.009_999_833, 9.0]);
//! ```

use crate::math::double;

/// The angles by which pairs rotate per position: `base^(-2 i / dims)` radians for `i` in
/// `0..dims / 2`.
///
/// # Panics
/// If `dims` is odd or the base is not a positive, normal number.
pub fn frequencies(base: f64, dims: usize) -> Vec<f64> {
    assert!(dims.is_multiple_of(2), "{dims} components are not pairs");
    (0..dims / 2)
        .map(|i| double::pow(base, -2.0 * i as f64 / dims as f64))
        .collect()
}

/// Rotates pairs of components according to their position.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotary {
    /// The angle by which each pair rotates per position, in units of 2^-64 turn.
    steps: Vec<u64>,
    /// Whether components `2 i` and `2 i + 1` form a pair, instead of `i` and
    /// `i + dims / 2`.
    interleaved: bool,
}

impl Rotary {
    /// Rotations by `frequencies`, in radians per position.
    ///
    /// # Panics
    /// If a frequency is not in `0..6`.
    pub fn new(frequencies: &[f64], interleaved: bool) -> Rotary {
        let steps = frequencies
            .iter()
            .map(|&radians| {
                assert!((0.0..6.0).contains(&radians), "a turn of {radians}");
                (radians / std::f64::consts::TAU * 18_446_744_073_709_551_616.0) as u64
            })
            .collect();
        Rotary { steps, interleaved }
    }

    /// Cosine and sine of each pair at `position`.
    pub fn table(&self, position: u64) -> Vec<(f32, f32)> {
        let turn = std::f64::consts::TAU / 18_446_744_073_709_551_616.0;
        self.steps
            .iter()
            .map(|step| {
                let phase = position.wrapping_mul(*step) as i64;
                let (sin, cos) = double::sin_cos(phase as f64 * turn);
                (cos as f32, sin as f32)
            })
            .collect()
    }

    /// Rotates the first components of a head by a [`table`](Self::table): a pair
    /// `(x, y)` becomes `(x cos - y sin, x sin + y cos)`, with each product and sum
    /// rounded.
    ///
    /// # Panics
    /// If the head has fewer components than the rotation.
    #[inline]
    pub fn turn(&self, table: &[(f32, f32)], head: &mut [f32]) {
        let half = table.len();
        let head = &mut head[..2 * half];
        if self.interleaved {
            for (pair, (cos, sin)) in head.as_chunks_mut::<2>().0.iter_mut().zip(table) {
                let [x, y] = *pair;
                *pair = [x * cos - y * sin, x * sin + y * cos];
            }
        } else {
            let (first, second) = head.split_at_mut(half);
            for ((x, y), (cos, sin)) in first.iter_mut().zip(second).zip(table) {
                (*x, *y) = (*x * cos - *y * sin, *x * sin + *y * cos);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_positions_are_as_precise_as_near_ones() {
        let frequencies = frequencies(1e6, 64);
        let rotary = Rotary::new(&frequencies, false);
        for position in [0u64, 1, 77, 4095, 131_071] {
            for (table, f) in rotary.table(position).iter().zip(&frequencies) {
                let angle = position as f64 * f;
                assert!((f64::from(table.0) - angle.cos()).abs() < 1e-7);
                assert!((f64::from(table.1) - angle.sin()).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn both_layouts_turn_the_same_pairs() {
        let frequencies = frequencies(10_000.0, 6);
        let (apart, together) = (
            Rotary::new(&frequencies, false),
            Rotary::new(&frequencies, true),
        );
        let mut a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut b = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
        apart.turn(&apart.table(9), &mut a);
        together.turn(&together.table(9), &mut b);
        assert_eq!(a, [b[0], b[2], b[4], b[1], b[3], b[5]]);
    }
}
