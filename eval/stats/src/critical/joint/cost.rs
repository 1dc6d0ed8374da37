//! What a model costs as a function of its size and of the data that it describes.

use serde::{Deserialize, Serialize};

use crate::critical::{ModelCost, Point, cost, solve::solve3};

/// Model bytes against parameters and data: [`ModelCost`] times a power of the data.
///
/// Two bytes a parameter are two bytes whatever the data. As stored, weights are rounded
/// the less, the more bytes there are to win by them: about `N^0.76 D^0.13`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct JointCost {
    /// Model bytes where `data_bytes` are described.
    #[serde(flatten)]
    pub cost: ModelCost,
    /// Geometric mean of the data sizes that were fitted.
    pub data_bytes: f64,
    /// Model bytes grow with this power of the data; 0 where the data do not matter.
    pub data_exponent: f64,
}

impl JointCost {
    /// Fits the model bytes of points of one series. The data enter only where a law of
    /// the size alone misses a point by more than 5% and they come clearly closer.
    ///
    /// Returns nothing without points or when sizes or bytes are not positive.
    #[must_use]
    pub fn fit(points: &[Point]) -> Option<Self> {
        let by_size = Self::with_exponent(points, 0.0)?;
        let miss = by_size.worst_miss(points);
        if miss <= cost::GOOD {
            return Some(by_size);
        }
        let by_both =
            data_exponent(points).and_then(|exponent| Self::with_exponent(points, exponent));
        let closer = by_both.filter(|by_both| by_both.worst_miss(points) < 0.9 * miss);
        Some(closer.unwrap_or(by_size))
    }

    /// Fits other bytes of the same points by a law of the same form.
    pub(super) fn refit(&self, points: &[Point]) -> Self {
        let exponent = match self.data_exponent {
            0.0 => Some(0.0),
            _ => data_exponent(points),
        };
        let fitted = exponent.and_then(|exponent| Self::with_exponent(points, exponent));
        fitted.unwrap_or(*self)
    }

    /// How many numbers [`JointCost::fit`] finds from the points.
    pub(super) fn unknowns(&self) -> usize {
        if self.data_exponent == 0.0 { 2 } else { 3 }
    }

    /// Model bytes against parameters where `data_bytes` are described.
    #[must_use]
    pub fn at(&self, data_bytes: f64) -> ModelCost {
        let factor = (data_bytes / self.data_bytes).powf(self.data_exponent);
        ModelCost {
            fixed: self.cost.fixed * factor,
            scale: self.cost.scale * factor,
            ..self.cost
        }
    }

    /// Model bytes of one point.
    pub(super) fn bytes(&self, point: &Point) -> f64 {
        self.at(point.data_bytes).bytes(point.parameters)
    }

    /// The largest relative error over the points.
    #[must_use]
    pub fn worst_miss(&self, points: &[Point]) -> f64 {
        let misses = points.iter().map(|p| self.bytes(p) / p.model_bytes - 1.0);
        misses.fold(0.0, |worst, miss| worst.max(miss.abs()))
    }

    fn with_exponent(points: &[Point], data_exponent: f64) -> Option<Self> {
        let count = points.len() as f64;
        let data_bytes = (points.iter().map(|p| p.data_bytes.ln()).sum::<f64>() / count).exp();
        let at_mean: Vec<(f64, f64)> = points
            .iter()
            .map(|p| {
                let factor = (p.data_bytes / data_bytes).powf(data_exponent);
                (p.parameters, p.model_bytes / factor)
            })
            .collect();
        Some(Self {
            // N* is a power of D only where the exponent holds at any size.
            cost: ModelCost::fit_straight(&at_mean)?,
            data_bytes,
            data_exponent,
        })
    }
}

/// The power of the data in `k N^g D^h`, by least squares of the logarithms; nothing
/// where the points do not tell the two sizes apart.
fn data_exponent(points: &[Point]) -> Option<f64> {
    let (mut gram, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
    for p in points {
        let x = [1.0, p.parameters.ln(), p.data_bytes.ln()];
        for i in 0..3 {
            right[i] += x[i] * p.model_bytes.ln();
            for j in 0..3 {
                gram[i][j] += x[i] * x[j];
            }
        }
    }
    solve3(gram, right).map(|[_, _, exponent]| exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled(bytes: impl Fn(f64, f64) -> f64) -> Vec<Point> {
        let mut points = Vec::new();
        for d in [1e5, 1e6, 1e7] {
            for n in [4e3, 1e4, 3e4, 1e5] {
                points.push(Point {
                    model_bytes: bytes(n, d),
                    ..Point::new(n, d, 2.0)
                });
            }
        }
        points
    }

    #[test]
    fn data_enter_where_model_bytes_depend_on_them() {
        let points = sampled(|n, d| 1.2 * n.powf(0.76) * d.powf(0.13));
        let found = JointCost::fit(&points).unwrap();
        assert!((found.data_exponent - 0.13).abs() < 1e-9, "{found:?}");
        assert!(found.worst_miss(&points) < 1e-9, "{found:?}");
        let ten = found.at(1e8).bytes(5e4) / found.at(1e7).bytes(5e4);
        assert!((ten - 10f64.powf(0.13)).abs() < 1e-9);
    }

    #[test]
    fn bytes_of_the_size_alone_stay_so() {
        let found = JointCost::fit(&sampled(|n, _| 2.0 * n)).unwrap();
        assert_eq!((found.data_exponent, found.cost.exponent), (0.0, 1.0));
        let noisy = sampled(|n, d| 2.0 * n * (1.0 + 0.03 * (n + d).sin()));
        assert_eq!(JointCost::fit(&noisy).unwrap().data_exponent, 0.0);
    }
}
