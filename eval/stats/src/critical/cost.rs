//! What a model of a given size costs, as a smooth function of its size.

use serde::{Deserialize, Serialize};

use super::{bend, bend::Bend, law::Law, law::minimise};

/// Model bytes against parameters: `fixed + scale N^exponent`.
///
/// Two bytes a parameter is `0 + 2 N^1`. Stored models carry a header, and their
/// entropy-coded weights do not take the same number of bytes a parameter at all
/// sizes. Both an affine law (exponent 1) and a power law (fixed 0) keep the
/// optimum in closed form; [`ModelCost::fit`] takes whichever misses the
/// measured sizes by less, and a [`Bend`] only where both of them fail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCost {
    /// Bytes that every model pays: headers, spec.
    pub fixed: f64,
    /// Bytes at one parameter beyond `fixed`.
    pub scale: f64,
    /// 1 when each parameter costs the same.
    pub exponent: f64,
    /// How the exponent changes with size; rarely anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bend: Option<Bend>,
}

/// Straight laws that miss no size by more than this are good enough.
pub(super) const GOOD: f64 = 0.05;

impl ModelCost {
    /// So many bytes a parameter and nothing else.
    #[must_use]
    pub const fn per_parameter(bytes: f64) -> Self {
        Self {
            fixed: 0.0,
            scale: bytes,
            exponent: 1.0,
            bend: None,
        }
    }

    /// Model bytes at `parameters`.
    #[must_use]
    pub fn bytes(&self, parameters: f64) -> f64 {
        let bend = self.bend.map_or(1.0, |bend| bend.factor(parameters));
        self.fixed + self.scale * parameters.powf(self.exponent) * bend
    }

    /// Fits `(parameters, model_bytes)` pairs, relative errors, all terms at 0 or above.
    ///
    /// Returns nothing without points or when sizes or bytes are not positive.
    #[must_use]
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let straight = Self::fit_straight(points)?;
        if straight.worst_miss(points) <= GOOD {
            return Some(straight);
        }
        let bent = bent(points).filter(|bent| closer(bent, &straight, points));
        Some(bent.unwrap_or(straight))
    }

    /// As [`ModelCost::fit`], without a bend: a law whose exponent holds at any size.
    ///
    /// Returns nothing without points or when sizes or bytes are not positive.
    #[must_use]
    pub fn fit_straight(points: &[(f64, f64)]) -> Option<Self> {
        if points.is_empty() || points.iter().any(|&(n, m)| !(n > 0.0 && m > 0.0)) {
            return None;
        }
        let candidates = [proportional(points), affine(points), power(points)];
        let mut best = candidates[0];
        for next in &candidates[1..] {
            if closer(next, &best, points) {
                best = *next;
            }
        }
        Some(best)
    }

    /// Fits other bytes of the same sizes by a law of the same form.
    pub(super) fn refit(&self, points: &[(f64, f64)]) -> Self {
        let fitted = match self.bend {
            Some(_) => bent(points),
            None => Self::fit_straight(points),
        };
        fitted.unwrap_or(*self)
    }

    /// What [`ModelCost::fit`] finds from the points.
    pub(super) fn unknowns(&self) -> usize {
        if self.bend.is_some() { 3 } else { 2 }
    }

    /// The largest relative error over the points.
    #[must_use]
    pub fn worst_miss(&self, points: &[(f64, f64)]) -> f64 {
        points
            .iter()
            .map(|&(n, m)| (self.bytes(n) / m - 1.0).abs())
            .fold(0.0, f64::max)
    }

    /// The size at which coded bytes plus model bytes are least:
    /// `N^(alpha + g) = alpha A D / (8 k g)` for model bytes `c + k N^g`.
    /// With `g = 1` this is `N* = (alpha A D / (8 b))^(1 / (1 + alpha))`.
    /// With a bend it is looked for, to a thousandth and a thousand times the
    /// sizes measured.
    ///
    /// Zero when size buys nothing (`A = 0`).
    #[must_use]
    pub fn optimum(&self, law: &Law, data_bytes: f64) -> f64 {
        if let Some(bend) = self.bend {
            let sizes = (bend.smallest / 1e3, bend.largest * 1e3);
            return self.search(|n| law.bits_per_byte(n), data_bytes, sizes);
        }
        let gain = law.alpha * law.a * data_bytes;
        (gain / (8.0 * self.scale * self.exponent)).powf(1.0 / (law.alpha + self.exponent))
    }

    /// The size among `sizes` at which coded bytes plus model bytes are least under any
    /// law, to be found by trying.
    pub(super) fn search(
        &self,
        bits_per_byte: impl Fn(f64) -> f64,
        data_bytes: f64,
        sizes: (f64, f64),
    ) -> f64 {
        let total = |x: f64| {
            let n = x.exp();
            data_bytes * bits_per_byte(n) / 8.0 + self.bytes(n)
        };
        minimise(total, sizes.0.ln(), sizes.1.ln(), 96).exp()
    }
}

/// A simpler form stands unless a richer one is clearly closer.
fn closer(richer: &ModelCost, simpler: &ModelCost, points: &[(f64, f64)]) -> bool {
    richer.worst_miss(points) < 0.9 * simpler.worst_miss(points) - 1e-9
}

fn proportional(points: &[(f64, f64)]) -> ModelCost {
    let (xx, x) = points.iter().fold((0.0, 0.0), |(xx, x), &(n, m)| {
        (xx + (n / m).powi(2), x + n / m)
    });
    ModelCost::per_parameter(x / xx)
}

fn affine(points: &[(f64, f64)]) -> ModelCost {
    let (mut sw, mut swn, mut swm) = (0.0, 0.0, 0.0);
    for &(n, m) in points {
        let w = 1.0 / (m * m);
        sw += w;
        swn += w * n;
        swm += w * m;
    }
    let (mean_n, mean_m) = (swn / sw, swm / sw);
    let (mut nn, mut nm) = (0.0, 0.0);
    for &(n, m) in points {
        let w = 1.0 / (m * m);
        nn += w * (n - mean_n).powi(2);
        nm += w * (n - mean_n) * (m - mean_m);
    }
    let scale = if nn > 0.0 { nm / nn } else { 0.0 };
    let fixed = mean_m - scale * mean_n;
    if scale > 0.0 && fixed >= 0.0 {
        ModelCost {
            fixed,
            scale,
            exponent: 1.0,
            bend: None,
        }
    } else {
        proportional(points)
    }
}

fn power(points: &[(f64, f64)]) -> ModelCost {
    let count = points.len() as f64;
    let mean_n = points.iter().map(|p| p.0.ln()).sum::<f64>() / count;
    let mean_m = points.iter().map(|p| p.1.ln()).sum::<f64>() / count;
    let (nn, nm) = points.iter().fold((0.0, 0.0), |(nn, nm), &(n, m)| {
        let x = n.ln() - mean_n;
        (nn + x * x, nm + x * (m.ln() - mean_m))
    });
    let exponent = if nn > 0.0 { nm / nn } else { 1.0 };
    if exponent > 0.0 {
        ModelCost {
            fixed: 0.0,
            scale: (mean_m - exponent * mean_n).exp(),
            exponent,
            bend: None,
        }
    } else {
        proportional(points)
    }
}

fn bent(points: &[(f64, f64)]) -> Option<ModelCost> {
    bend::fit(points).map(|(scale, exponent, bend)| ModelCost {
        fixed: 0.0,
        scale,
        exponent,
        bend: Some(bend),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BENT: ModelCost = ModelCost {
        fixed: 0.0,
        scale: 2.5,
        exponent: 0.7,
        bend: Some(Bend {
            curvature: -0.06,
            smallest: 4e3,
            largest: 1.28e5,
        }),
    };

    fn sampled(cost: ModelCost) -> Vec<(f64, f64)> {
        (0..8)
            .map(|i| 4e3 * 2f64.powi(i))
            .map(|n| (n, cost.bytes(n)))
            .collect()
    }

    #[test]
    fn each_form_is_recognised() {
        for truth in [
            ModelCost::per_parameter(2.0),
            ModelCost {
                fixed: 300.0,
                scale: 0.6,
                exponent: 1.0,
                bend: None,
            },
            ModelCost {
                fixed: 0.0,
                scale: 1.4,
                exponent: 0.93,
                bend: None,
            },
        ] {
            let fit = ModelCost::fit(&sampled(truth)).unwrap();
            assert!(fit.worst_miss(&sampled(truth)) < 1e-9, "{truth:?} {fit:?}");
            assert!((fit.exponent - truth.exponent).abs() < 1e-9);
        }
    }

    #[test]
    fn the_optimum_is_where_the_total_is_least() {
        let law = Law {
            e: 0.7,
            a: 60.0,
            alpha: 0.324,
        };
        for cost in [
            ModelCost::per_parameter(2.0),
            ModelCost {
                fixed: 500.0,
                scale: 1.4,
                exponent: 0.93,
                bend: None,
            },
            BENT,
        ] {
            let total = |n: f64| 1e6 * law.bits_per_byte(n) / 8.0 + cost.bytes(n);
            let n = cost.optimum(&law, 1e6);
            assert!(total(n) < total(n * 1.01) && total(n) < total(n / 1.01));
        }
    }

    #[test]
    fn a_parabola_is_found_again() {
        let sizes = (0..6).map(|i| 4e3 * 2f64.powi(i));
        let points: Vec<_> = sizes.map(|n| (n, BENT.bytes(n))).collect();
        let found = bent(&points).unwrap();
        assert!(found.worst_miss(&points) < 1e-9, "{found:?}");
        assert!((found.exponent - BENT.exponent).abs() < 1e-9, "{found:?}");
        assert!(bent(&points[..4]).is_none());
    }

    #[test]
    fn beyond_the_sizes_it_is_a_power_law() {
        for edge in [4e3, 1.28e5] {
            let slope = |n: f64| (BENT.bytes(1.01 * n) / BENT.bytes(n)).ln() / 1.01f64.ln();
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
        assert!(bent(&points).is_none());
    }
}
