//! Rotary position embedding (RoPE; Su et al. 2021, arXiv 2104.09864) with exact
//! phases.
//!
//! Component `i` of a head is paired with component `i + head_dim / 2`; at
//! position `p` the pair is rotated by the angle `p * theta_i`. The usual
//! `theta_i = 10000^(-2 i / head_dim)` is rounded to a multiple `k_i` of
//! `2 pi / 65536`, so that the phase `p * k_i mod 65536` is an exact integer,
//! and angles are equally precise at every position of an unbounded stream. `k_i`
//! is at least 1, so the slowest pairs complete a turn after 65536 positions.
//!
//! ```
//! use brevity_kernels::rope;
//!
//! let steps = rope::steps(8);
//! assert_eq!(steps, [10430, 1043, 104, 10]);
//! // Late positions are as precise as early ones.
//! let (cos, sin) = rope::cos_sin(u64::MAX, steps[0]);
//! assert!((cos * cos + sin * sin - 1.0).abs() < 1e-6);
//! ```

use crate::math::{double, sin_cos_phase};

/// Phases in a full turn.
const TURN: u32 = 1 << 16;
/// The base of the frequencies, usually called theta.
const BASE: f64 = 10_000.0;

/// The frequencies `k_i`, `[head_dim / 2]`, in phases (65536ths of a turn) per
/// position: `round(10000^(-2 i / head_dim) * 65536 / (2 pi))`, at least 1.
///
/// # Panics
/// If `head_dim` is odd.
pub fn steps(head_dim: usize) -> Vec<u32> {
    let half = half(head_dim);
    let first = f64::from(TURN) / std::f64::consts::TAU;
    (0..half)
        .map(|i| {
            let exact = first * double::pow(BASE, -(i as f64) / half as f64);
            ((exact + 0.5) as u32).max(1)
        })
        .collect()
}

/// The phase at `position` of a pair with the frequency `step`.
#[inline(always)]
pub fn phase(position: u64, step: u32) -> u16 {
    // Truncation gives the remainder modulo a full turn.
    position.wrapping_mul(u64::from(step)) as u16
}

/// Cosine and sine of the angle at `position` of a pair with the frequency `step`.
#[inline(always)]
pub fn cos_sin(position: u64, step: u32) -> (f32, f32) {
    let (sin, cos) = sin_cos_phase(phase(position, step));
    (cos, sin)
}

/// Cosines and sines for positions `start..start + n`, each `[n, head_dim / 2]`.
///
/// # Panics
/// If `head_dim` is odd.
pub fn table(head_dim: usize, start: u64, n: usize) -> (Vec<f32>, Vec<f32>) {
    let steps = steps(head_dim);
    (start..start + n as u64)
        .flat_map(|p| steps.iter().map(move |&k| cos_sin(p, k)))
        .unzip()
}

fn half(head_dim: usize) -> usize {
    assert!(
        head_dim.is_multiple_of(2),
        "RoPE needs an even head dimension, not {head_dim}"
    );
    head_dim / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_the_rounded_frequencies() {
        for head_dim in (2..=128).step_by(2) {
            for (i, &k) in steps(head_dim).iter().enumerate() {
                let exact = 10000f64.powf(-2.0 * i as f64 / head_dim as f64) * 65536.0
                    / std::f64::consts::TAU;
                assert_eq!(k, (exact.round() as u32).max(1), "{head_dim} {i}");
            }
        }
    }

    #[test]
    fn phases_wrap_exactly() {
        assert_eq!(phase(65536, 10430), 0);
        assert_eq!(phase(u64::MAX, 1), 65535);
        assert_eq!(phase(7, 10430), 7474);
        let p = (1u64 << 50) + 12345;
        assert_eq!(u128::from(phase(p, 1043)), u128::from(p) * 1043 % 65536);
    }

    #[test]
    fn the_table_is_laid_out_by_position() {
        let (cos, sin) = table(4, 7, 2);
        let k = steps(4);
        for (n, p) in [7u64, 8].into_iter().enumerate() {
            for i in 0..2 {
                let (c, s) = cos_sin(p, k[i]);
                assert_eq!((cos[n * 2 + i], sin[n * 2 + i]), (c, s));
            }
        }
    }
}
