//! Random numbers for resampling: counter-based, one stream a resample, so that
//! results do not depend on threads.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// The random stream of one resample.
pub fn stream(seed: u64, resample: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(resample as u64);
    rng
}

/// A number below `n`, by multiplication (bias below n / 2^64).
pub fn below(rng: &mut ChaCha8Rng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// A value of the standard normal distribution (Box and Muller).
pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (-2.0 * uniform(rng).ln()).sqrt() * (std::f64::consts::TAU * uniform(rng)).cos()
}

/// A value of the chi-squared distribution with these degrees of freedom, any positive number.
pub fn chi_squared(rng: &mut ChaCha8Rng, degrees: f64) -> f64 {
    2.0 * gamma(rng, 0.5 * degrees)
}

/// A value of the gamma distribution of this shape and scale 1 (Marsaglia and Tsang 2000).
fn gamma(rng: &mut ChaCha8Rng, shape: f64) -> f64 {
    if shape < 1.0 {
        return gamma(rng, shape + 1.0) * uniform(rng).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && uniform(rng).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// Strictly between 0 and 1.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (f64::from(rng.next_u32()) + 0.5) / 2f64.powi(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chi_squared_values_have_their_mean_and_variance() {
        for degrees in [0.5, 1.0, 1.7, 2.0, 9.3] {
            let mut rng = stream(2, 0);
            let count = 100_000;
            let values: Vec<f64> = (0..count).map(|_| chi_squared(&mut rng, degrees)).collect();
            let mean = values.iter().sum::<f64>() / f64::from(count);
            let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
            let variance = squares / f64::from(count);
            assert!((mean / degrees - 1.0).abs() < 0.03, "{degrees}: {mean}");
            assert!(
                (variance / (2.0 * degrees) - 1.0).abs() < 0.08,
                "{degrees}: {variance}"
            );
        }
    }

    /// The 5% quantile of the normal distribution, two-sided, is 1.96.
    #[test]
    fn one_degree_of_freedom_is_a_normal_value_squared() {
        let mut rng = stream(2, 1);
        let above = (0..100_000).filter(|_| chi_squared(&mut rng, 1.0) > 3.841_459);
        let share = above.count() as f64 / 100_000.0;
        assert!((share - 0.05).abs() < 0.003, "{share}");
    }
}
