//! How N grows where compute is what is fixed, not the description.
//!
//! The literature on compute-optimal training (Hoffmann et al. 2022, arXiv 2203.15556) asks for
//! the N of least loss at a fixed `N D`, six of which are the operations of a training that sees
//! its data once. N* of a description is another question; this exponent is what published ones
//! are to be compared with.

use serde::{Deserialize, Serialize};

use super::fit::Fitted;
use crate::critical::{Point, akima::Akima, bootstrap, points, solve::minimise};
use crate::distribution::student_quantile;

/// The power of `N D` that N grows with where the loss is least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ComputeExponent {
    /// `beta / (alpha + beta)` by `B D^-beta`, `beta / (alpha + 2 beta)` by `B (N/D)^beta`;
    /// nothing where more data do not shorten the code, or with both terms together.
    pub exponent: Option<f64>,
    /// Its 95% interval.
    pub ci95: Option<[f64; 2]>,
}

impl ComputeExponent {
    pub(super) fn new(fitted: &Fitted) -> Self {
        let exponent = fitted.joint.law.compute_exponent();
        let resampled = fitted.resampled.iter();
        let all = resampled.filter_map(|joint| joint.law.compute_exponent());
        Self {
            exponent,
            ci95: exponent.and_then(|_| bootstrap::interval(all.collect())),
        }
    }

    /// Through the least loss of each budget, interpolated over N, without any law. Needs
    /// three budgets of four sizes or more whose best one is not at an end.
    pub(super) fn by_budget(cells: &[Point]) -> Self {
        let mut optima: Vec<(f64, f64)> = Vec::new();
        let same = |x: &Point, y: &Point| (budget(x) / budget(y)).ln().abs() < SAME;
        for group in points::collect(cells, same) {
            let means = points::mean_by_size(&group);
            if means.len() >= 4
                && let Some(best) = least(&means)
            {
                optima.push((budget(&means[0]).ln(), best));
            }
        }
        Self::through(&optima).unwrap_or_default()
    }

    /// The slope of a line and its interval by Student's quantile; nothing for fewer than
    /// three points.
    fn through(points: &[(f64, f64)]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let count = points.len() as f64;
        let (x, y) = points
            .iter()
            .fold((0.0, 0.0), |(x, y), p| (x + p.0 / count, y + p.1 / count));
        let (xx, xy) = points.iter().fold((0.0, 0.0), |(xx, xy), p| {
            (xx + (p.0 - x).powi(2), xy + (p.0 - x) * (p.1 - y))
        });
        let slope = xy / xx;
        let misses = points.iter().map(|p| p.1 - y - slope * (p.0 - x));
        let squares: f64 = misses.map(|miss| miss * miss).sum();
        let error = (squares / (count - 2.0) / xx).sqrt();
        let room = student_quantile(0.05, count - 2.0) * error;
        Some(Self {
            exponent: Some(slope),
            ci95: Some([slope - room, slope + room]),
        })
    }
}

/// Budgets that differ by less than this, in logarithms, are one.
const SAME: f64 = 0.02;

fn budget(point: &Point) -> f64 {
    point.parameters * point.data_bytes
}

/// `ln N` of the least loss among interpolated ones; nothing at the end of the sizes.
fn least(means: &[Point]) -> Option<f64> {
    let x = means.iter().map(|p| p.parameters.ln()).collect();
    let loss = Akima::new(x, means.iter().map(|p| p.bits_per_byte).collect())?;
    let (low, high) = loss.range();
    let best = minimise(|x| loss.at(x), low, high, 64 * means.len());
    let room = 0.01 * (high - low);
    (best > low + room && best < high - room).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::critical::joint::{DataTerm, JointLaw};

    #[test]
    fn budgets_and_law_agree_on_the_exponent() {
        let law = JointLaw {
            e: 1.7,
            a: 400.0,
            alpha: 0.34,
            term: DataTerm::Bytes,
            b: 400.0,
            beta: 0.28,
            c: 0.0,
        };
        let exact = 0.28 / 0.62;
        assert!((law.compute_exponent().unwrap() - exact).abs() < 1e-12);
        let mut cells = Vec::new();
        for budget in [1e15, 1e16, 1e17, 1e18] {
            let optimum = law.a * law.alpha / (law.b * law.beta);
            let optimum = (optimum * f64::powf(budget, law.beta)).powf(1.0 / 0.62);
            for step in -4..=4 {
                let n = optimum * f64::from(step).exp2();
                cells.push(Point::new(n, budget / n, law.bits_per_byte(n, budget / n)));
            }
        }
        let found = ComputeExponent::by_budget(&cells);
        assert!((found.exponent.unwrap() - exact).abs() < 0.01, "{found:?}");
        let [low, high] = found.ci95.unwrap();
        assert!(
            low < exact && exact < high && high - low < 0.05,
            "{found:?}"
        );
        assert_eq!(ComputeExponent::by_budget(&cells[..18]).exponent, None);
    }
}
