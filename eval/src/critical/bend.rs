//! Model bytes that no straight line in logarithms follows.

use serde::{Deserialize, Serialize};

use super::{cost::ModelCost, solve::solve3};

/// How the exponent of model bytes changes with size: `k (ln N - c)^2` is added
/// to the logarithm of model bytes between the smallest and the largest size,
/// with `c` half-way between their logarithms, and the tangent of that beyond
/// them, so that a bend within the sizes measured says nothing about others.
///
/// Training that minimises stored bytes makes one: the share of its weights that
/// a model can leave at zero grows with its size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bend {
    /// `k`, half of what the exponent changes by for each factor of e in size.
    pub curvature: f64,
    /// Smallest size measured.
    pub smallest: f64,
    /// Largest size measured.
    pub largest: f64,
}

impl Bend {
    /// What to multiply the straight power law by at `parameters`.
    pub(super) fn factor(&self, parameters: f64) -> f64 {
        let half = (self.largest / self.smallest).ln() / 2.0;
        let x = (parameters / self.middle()).ln().abs();
        let square = if x < half {
            x * x
        } else {
            half * (2.0 * x - half)
        };
        (self.curvature * square).exp()
    }

    fn middle(&self) -> f64 {
        (self.largest * self.smallest).sqrt()
    }
}

/// Least squares of the logarithms; nothing for fewer than five sizes, or where
/// larger models would take fewer bytes.
pub(super) fn fit(points: &[(f64, f64)]) -> Option<ModelCost> {
    let mut sizes: Vec<f64> = points.iter().map(|p| p.0).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    if sizes.len() < 5 {
        return None;
    }
    let mut bend = Bend {
        curvature: 0.0,
        smallest: sizes[0],
        largest: sizes[sizes.len() - 1],
    };
    let (mut matrix, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
    for &(n, m) in points {
        let x = (n / bend.middle()).ln();
        let powers = [1.0, x, x * x];
        for i in 0..3 {
            right[i] += powers[i] * m.ln();
            for j in 0..3 {
                matrix[i][j] += powers[i] * powers[j];
            }
        }
    }
    let [level, exponent, curvature] = solve3(matrix, right)?;
    bend.curvature = curvature;
    let half = (bend.largest / bend.smallest).ln() / 2.0;
    (exponent > 2.0 * half * curvature.abs()).then(|| ModelCost {
        fixed: 0.0,
        scale: (level - exponent * bend.middle().ln()).exp(),
        exponent,
        bend: Some(bend),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const TRUTH: ModelCost = ModelCost {
        fixed: 0.0,
        scale: 2.5,
        exponent: 0.7,
        bend: Some(Bend {
            curvature: -0.06,
            smallest: 4e3,
            largest: 1.28e5,
        }),
    };

    #[test]
    fn a_parabola_is_found_again() {
        let sizes = (0..6).map(|i| 4e3 * 2f64.powi(i));
        let points: Vec<_> = sizes.map(|n| (n, TRUTH.bytes(n))).collect();
        let found = fit(&points).unwrap();
        assert!(found.worst_miss(&points) < 1e-9, "{found:?}");
        assert!((found.exponent - TRUTH.exponent).abs() < 1e-9, "{found:?}");
        assert!(fit(&points[..4]).is_none());
    }

    #[test]
    fn beyond_the_sizes_it_is_a_power_law() {
        for edge in [4e3, 1.28e5] {
            let slope = |n: f64| (TRUTH.bytes(1.01 * n) / TRUTH.bytes(n)).ln() / 1.01f64.ln();
            let outwards = if edge < 1e4 { 0.1 } else { 10.0 };
            let (near, far) = (slope(edge * outwards), slope(edge * outwards * outwards));
            assert!((near - far).abs() < 1e-9, "{near} {far}");
            // Nor is there a corner.
            assert!((slope(edge) - slope(edge / 1.01)).abs() < 2e-3);
        }
    }

    #[test]
    fn bytes_that_fall_with_size_are_not_a_law() {
        let points: Vec<_> = (0..6)
            .map(|i| 4e3 * 2f64.powi(i))
            .map(|n| (n, 1e4 * (-(n / 3e4).ln().powi(2)).exp()))
            .collect();
        assert!(fit(&points).is_none());
    }
}
