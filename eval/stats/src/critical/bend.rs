//! Model bytes that no straight line in logarithms follows.

use serde::{Deserialize, Serialize};

use super::solve::solve3;

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

/// Scale, exponent and bend by least squares of the logarithms; nothing for fewer
/// than five sizes, or where larger models would take fewer bytes.
pub(super) fn fit(points: &[(f64, f64)]) -> Option<(f64, f64, Bend)> {
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
    let scale = (level - exponent * bend.middle().ln()).exp();
    (exponent > 2.0 * half * curvature.abs()).then_some((scale, exponent, bend))
}
