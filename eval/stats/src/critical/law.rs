//! The law of one data size and its fit by variable projection.

use serde::{Deserialize, Serialize};

/// Bits per byte against model size at one data size: `L(N) = E + A N^-alpha`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Law {
    /// What no size of model removes, in bits per byte; at least 0.
    pub e: f64,
    /// Scale of what size removes, in bits per byte at one parameter; at least 0.
    pub a: f64,
    /// How fast size removes it.
    pub alpha: f64,
}

/// Exponents outside of this are not searched.
pub(crate) const ALPHA_RANGE: (f64, f64) = (0.01, 3.0);

impl Law {
    /// Bits per byte at `parameters`.
    #[must_use]
    pub fn bits_per_byte(&self, parameters: f64) -> f64 {
        self.e + self.a * parameters.powf(-self.alpha)
    }

    /// Fits `(parameters, bits_per_byte)` pairs by least squares of relative errors.
    ///
    /// For a given alpha the law is linear in E and A, so the search is over
    /// alpha alone: a grid in its logarithm, then golden sections about the best
    /// cell. E and A are held at 0 or above. Errors are taken relative to the
    /// measured value because the noise between seeds is about a constant share
    /// of the loss.
    ///
    /// Returns nothing when fewer than three distinct sizes are given.
    #[must_use]
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let mut sizes: Vec<f64> = points.iter().map(|p| p.0).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        if sizes.len() < 3 {
            return None;
        }
        let centre = points.iter().map(|p| p.0.ln()).sum::<f64>() / points.len() as f64;
        let mut terms: Vec<Term> = points
            .iter()
            .map(|&(n, l)| Term {
                log_size: n.ln() - centre,
                loss: l,
                weight: 1.0 / (l * l),
                power: 0.0,
            })
            .collect();
        let (low, high) = (ALPHA_RANGE.0.ln(), ALPHA_RANGE.1.ln());
        let log_alpha = minimise(|x| project(&mut terms, x.exp()).2, low, high, 48);
        let (e, a_centred, _) = project(&mut terms, log_alpha.exp());
        let alpha = log_alpha.exp();
        Some(Self {
            e,
            a: a_centred * (alpha * centre).exp(),
            alpha,
        })
    }

    /// Measured over fitted, less one, for each point.
    #[must_use]
    pub fn relative_residuals(&self, points: &[(f64, f64)]) -> Vec<f64> {
        points
            .iter()
            .map(|&(n, l)| l / self.bits_per_byte(n) - 1.0)
            .collect()
    }
}

/// A point in the form the search wants it.
struct Term {
    /// `ln N`, centred over the points.
    log_size: f64,
    loss: f64,
    weight: f64,
    /// `exp(-alpha log_size)` at the alpha under trial.
    power: f64,
}

/// Best E and A (the latter for sizes over their geometric mean) at a fixed
/// alpha, with the sum of squared relative errors.
fn project(terms: &mut [Term], alpha: f64) -> (f64, f64, f64) {
    let (mut sw, mut swx, mut swl) = (0.0, 0.0, 0.0);
    for t in terms.iter_mut() {
        t.power = (-alpha * t.log_size).exp();
        sw += t.weight;
        swx += t.weight * t.power;
        swl += t.weight * t.loss;
    }
    let (mean_x, mean_l) = (swx / sw, swl / sw);
    let (mut sxx, mut sxl) = (0.0, 0.0);
    for t in terms.iter() {
        sxx += t.weight * (t.power - mean_x) * (t.power - mean_x);
        sxl += t.weight * (t.power - mean_x) * (t.loss - mean_l);
    }
    let mut a = if sxx > 0.0 { sxl / sxx } else { 0.0 };
    let mut e = mean_l - a * mean_x;
    if a < 0.0 {
        (e, a) = (mean_l, 0.0);
    } else if e < 0.0 {
        let (xx, xl) = terms.iter().fold((0.0, 0.0), |(xx, xl), t| {
            let wx = t.weight * t.power;
            (xx + wx * t.power, xl + wx * t.loss)
        });
        (e, a) = (0.0, xl / xx);
    }
    let miss = |t: &Term| t.loss - e - a * t.power;
    let loss = terms.iter().map(|t| t.weight * miss(t) * miss(t)).sum();
    (e, a, loss)
}

/// Minimum of `f` on `[low, high]`: the best of `cells + 1` grid points, then
/// golden sections between its neighbours.
pub(crate) fn minimise(mut f: impl FnMut(f64) -> f64, low: f64, high: f64, cells: usize) -> f64 {
    let step = (high - low) / cells as f64;
    let at = |i: usize| low + step * i as f64;
    let best = (0..=cells)
        .map(|i| (f(at(i)), i))
        .min_by(|x, y| x.0.total_cmp(&y.0))
        .map_or(0, |x| x.1);
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut l, mut r) = (at(best.saturating_sub(1)), at((best + 1).min(cells)));
    let (mut x1, mut x2) = (r - ratio * (r - l), l + ratio * (r - l));
    let (mut f1, mut f2) = (f(x1), f(x2));
    while r - l > 1e-8 * (1.0 + l.abs()) {
        if f1 < f2 {
            (r, x2, f2) = (x2, x1, f1);
            x1 = r - ratio * (r - l);
            f1 = f(x1);
        } else {
            (l, x1, f1) = (x1, x2, f2);
            x2 = l + ratio * (r - l);
            f2 = f(x2);
        }
    }
    (l + r) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovers_a_law_without_noise() {
        let truth = Law {
            e: 0.7,
            a: 60.0,
            alpha: 0.324,
        };
        let points: Vec<_> = (0..8)
            .map(|i| 1e4 * 2f64.powi(i))
            .map(|n| (n, truth.bits_per_byte(n)))
            .collect();
        let fit = Law::fit(&points).unwrap();
        assert!((fit.alpha - truth.alpha).abs() < 1e-5, "{fit:?}");
        assert!((fit.e - truth.e).abs() < 1e-4, "{fit:?}");
        assert!((fit.a / truth.a - 1.0).abs() < 1e-4, "{fit:?}");
    }

    #[test]
    fn holds_e_and_a_at_zero_or_above() {
        let steep = [(1e3, 8.0), (1e4, 4.0), (1e5, 0.2), (1e6, 0.01)];
        assert!(Law::fit(&steep).unwrap().e >= 0.0);
        let rising = [(1e3, 1.0), (1e4, 2.0), (1e5, 3.0)];
        assert_eq!(Law::fit(&rising).unwrap().a, 0.0);
    }

    #[test]
    fn two_sizes_are_not_enough() {
        assert!(Law::fit(&[(1e3, 2.0), (1e3, 2.1), (1e4, 1.0)]).is_none());
    }
}
