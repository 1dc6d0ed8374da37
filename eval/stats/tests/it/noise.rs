//! Noise for simulated ladders.

use rand_chacha::ChaCha8Rng;
use rand_core::RngCore;

/// A value of the standard normal distribution (Box and Muller).
pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let uniform = |rng: &mut ChaCha8Rng| (rng.next_u32() as f64 + 0.5) / 2f64.powi(32);
    (-2.0 * uniform(rng).ln()).sqrt() * (std::f64::consts::TAU * uniform(rng)).cos()
}
