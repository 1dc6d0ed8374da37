//! The sizes whose rate is close to the best one.

use serde::{Deserialize, Serialize};

use super::{ModelCost, law::Law};

/// The sizes whose adjusted rate is within a share of the best one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Near {
    /// The share: 0.005 or 0.01.
    pub within: f64,
    /// Smallest and largest of these sizes.
    pub sizes: [f64; 2],
    /// The smallest size where N* is at the lower end of its interval, and the largest where
    /// it is at the upper end; nothing where N* has no interval.
    pub ci95: Option<[f64; 2]>,
}

/// Shares of the rate that are told.
const SHARES: [f64; 2] = [0.005, 0.01];

/// The sizes near `n_star` under a law; nothing where size buys nothing.
pub(super) fn near(
    law: &Law,
    cost: &ModelCost,
    data_bytes: f64,
    n_star: f64,
    ci95: Option<[f64; 2]>,
) -> Vec<Near> {
    if law.a == 0.0 {
        return Vec::new();
    }
    let total = |n: f64| data_bytes * law.bits_per_byte(n) / 8.0 + cost.bytes(n);
    let of = |within: f64| {
        let limit = total(n_star) * (1.0 + within);
        let sizes = [0.5, 2.0].map(|factor| edge(total, n_star, factor, limit));
        // The shape of the optimum is known better than its place: both ends move with N*.
        let ci95 = ci95.map(|ends| [0, 1].map(|i| ends[i] * sizes[i] / n_star));
        Near {
            within,
            sizes,
            ci95,
        }
    };
    SHARES.map(of).to_vec()
}

/// Where the total first exceeds the limit, going by factors, up to a millionfold.
fn edge(total: impl Fn(f64) -> f64, n_star: f64, factor: f64, limit: f64) -> f64 {
    let mut inside = n_star;
    let mut outside = n_star * factor;
    for _ in 0..20 {
        if total(outside) > limit {
            break;
        }
        (inside, outside) = (outside, outside * factor);
    }
    for _ in 0..40 {
        let middle = (inside * outside).sqrt();
        match total(middle) > limit {
            true => outside = middle,
            false => inside = middle,
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_cost_what_they_say() {
        let law = Law {
            e: 1.35,
            a: 36.5,
            alpha: 0.375,
            share: None,
        };
        let cost = ModelCost::per_parameter(2.0);
        let total = |n: f64| 1e6 * law.bits_per_byte(n) / 8.0 + cost.bytes(n);
        let n = cost.optimum(&law, 1e6);
        for found in near(&law, &cost, 1e6, n, Some([0.9 * n, 1.1 * n])) {
            for size in found.sizes {
                assert!((total(size) / total(n) - 1.0 - found.within).abs() < 1e-6);
            }
            assert!(found.sizes[0] < n && n < found.sizes[1]);
            assert!((found.ci95.unwrap()[1] / found.sizes[1] - 1.1).abs() < 1e-9);
        }
    }
}
