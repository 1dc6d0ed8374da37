//! The power law through N* of each data size alone.

use crate::critical::{CriticalSize, Estimator, Point, one_size, points};

/// `ln y = intercept + exponent ln x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PowerLaw {
    intercept: f64,
    pub(super) exponent: f64,
}

impl PowerLaw {
    /// The power law through N* of each data size alone.
    pub(super) fn through_separate(series: &[Point]) -> Option<Self> {
        let sizes = points::data_sizes(series).into_iter();
        let optima: Vec<_> = sizes
            .filter_map(|d| by_itself(series, d).map(|found| (d, found.n_star)))
            .collect();
        Self::through(&optima)
    }

    /// By least squares in the logarithms; nothing for fewer than two points.
    fn through(points: &[(f64, f64)]) -> Option<Self> {
        if points.len() < 2 {
            return None;
        }
        let count = points.len() as f64;
        let mean_x = points.iter().map(|p| p.0.ln()).sum::<f64>() / count;
        let mean_y = points.iter().map(|p| p.1.ln()).sum::<f64>() / count;
        let (xx, xy) = points.iter().fold((0.0, 0.0), |(xx, xy), p| {
            let x = p.0.ln() - mean_x;
            (xx + x * x, xy + x * (p.1.ln() - mean_y))
        });
        let exponent = xy / xx;
        Some(Self {
            intercept: mean_y - exponent * mean_x,
            exponent,
        })
    }

    /// `y` at `x`.
    pub(super) fn at(&self, x: f64) -> f64 {
        (self.intercept + self.exponent * x.ln()).exp()
    }
}

/// The critical size of one data size, as if there were no others.
pub(super) fn by_itself(series: &[Point], data_bytes: f64) -> Option<CriticalSize> {
    let estimator = Estimator {
        resamples: 0,
        ..Estimator::default()
    };
    let found = one_size(&at_data_size(series, data_bytes), &estimator).ok()?;
    (found.law.a > 0.0).then_some(found)
}

fn at_data_size(series: &[Point], data_bytes: f64) -> Vec<Point> {
    series
        .iter()
        .filter(|p| p.data_bytes == data_bytes)
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_points_are_met() {
        let law = PowerLaw::through(&[(10.0, 3.0), (1000.0, 12.0)]).unwrap();
        assert!((law.exponent - 4f64.log10() / 2.0).abs() < 1e-12);
        assert!((law.at(100.0) - 6.0).abs() < 1e-12);
        assert_eq!(PowerLaw::through(&[(10.0, 3.0)]), None);
    }
}
