//! The power law through N* of each data size alone.

use crate::critical::{CriticalSize, Estimator, Point, bootstrap, one_size, points};

/// `ln y = intercept + exponent ln x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PowerLaw {
    intercept: f64,
    pub(super) exponent: f64,
}

/// N* of one data size by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) data_bytes: f64,
    pub(super) n_star: f64,
    /// 95% interval, where there are sizes enough for one.
    pub(super) ci95: Option<[f64; 2]>,
    /// Laws that are not rejected.
    pub(super) envelope: Option<[f64; 2]>,
}

/// Standard error of `ln N*` where nothing is known of it.
const UNKNOWN: f64 = 0.2;

impl PowerLaw {
    /// By least squares in the logarithms; nothing for fewer than two points.
    pub(super) fn through(points: &[Measured]) -> Option<Self> {
        if points.len() < 2 {
            return None;
        }
        let count = points.len() as f64;
        let mean_x = points.iter().map(|p| p.data_bytes.ln()).sum::<f64>() / count;
        let mean_y = points.iter().map(|p| p.n_star.ln()).sum::<f64>() / count;
        let (xx, xy) = points.iter().fold((0.0, 0.0), |(xx, xy), p| {
            let x = p.data_bytes.ln() - mean_x;
            (xx + x * x, xy + x * (p.n_star.ln() - mean_y))
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

/// Power laws through N* drawn within their intervals.
pub(super) fn resampled(measured: &[Measured], estimator: &Estimator) -> Vec<PowerLaw> {
    let fewer = Estimator {
        resamples: estimator.resamples.div_ceil(8),
        ..estimator.clone()
    };
    bootstrap::about(&fewer, |noise| {
        let drawn: Vec<Measured> = measured
            .iter()
            .map(|of| {
                let sd = of
                    .ci95
                    .map_or(UNKNOWN, |[low, high]| ((high / low).ln() / 3.92).min(1.0));
                Measured {
                    n_star: of.n_star * (sd * noise()).exp(),
                    ..*of
                }
            })
            .collect();
        PowerLaw::through(&drawn)
    })
}

/// N* of each data size alone, the smallest first, where there is one.
pub(super) fn separate(series: &[Point]) -> Vec<Measured> {
    let sizes = points::data_sizes(series).into_iter();
    let found = sizes.filter_map(|d| by_itself(series, d));
    found
        .map(|found| Measured {
            data_bytes: found.data_bytes,
            n_star: found.n_star,
            ci95: found.ci95,
            envelope: found.envelope,
        })
        .collect()
}

/// The critical size of one data size, as if there were no others.
pub(super) fn by_itself(series: &[Point], data_bytes: f64) -> Option<CriticalSize> {
    let quick = Estimator {
        resamples: 0,
        ..Estimator::default()
    };
    let of_size: Vec<Point> = series
        .iter()
        .filter(|p| p.data_bytes == data_bytes)
        .cloned()
        .collect();
    let found = one_size(&of_size, &quick).ok()?;
    (found.law.a > 0.0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_points_are_met() {
        let at = |data_bytes, n_star| Measured {
            data_bytes,
            n_star,
            ci95: None,
            envelope: None,
        };
        let law = PowerLaw::through(&[at(10.0, 3.0), at(1000.0, 12.0)]).unwrap();
        assert!((law.exponent - 4f64.log10() / 2.0).abs() < 1e-12);
        assert!((law.at(100.0) - 6.0).abs() < 1e-12);
        assert_eq!(PowerLaw::through(&[at(10.0, 3.0)]), None);
    }
}
