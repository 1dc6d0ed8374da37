//! Bits per byte as a function of model size and data size:
//!
//! ```text
//! L(N, D) = E + A N^-alpha + B D^-beta        E, A >= 0
//! ```
//!
//! B is positive on held-out data (more data, better generalisation) and
//! negative in-sample (less data is easier to memorise), so its sign is free.

use serde::{Deserialize, Serialize};

use super::law::Law;

/// Bits per byte against model and data size: `E + A N^-alpha + B D^-beta`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct JointLaw {
    /// What neither size nor data removes, bits per byte; at least 0.
    pub e: f64,
    /// Scale of what size removes; at least 0.
    pub a: f64,
    /// Its exponent.
    pub alpha: f64,
    /// Scale of what data changes; either sign.
    pub b: f64,
    /// Its exponent.
    pub beta: f64,
}

impl JointLaw {
    /// Bits per byte at a model size and a data size.
    #[must_use]
    pub fn bits_per_byte(&self, parameters: f64, data_bytes: f64) -> f64 {
        self.at(data_bytes).bits_per_byte(parameters)
    }

    /// The law of one data size.
    #[must_use]
    pub fn at(&self, data_bytes: f64) -> Law {
        Law {
            e: self.e + self.b * data_bytes.powf(-self.beta),
            a: self.a,
            alpha: self.alpha,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::critical::Point;

    pub(in super::super) const TRUTH: JointLaw = JointLaw {
        e: 0.9,
        a: 40.0,
        alpha: 0.35,
        b: 30.0,
        beta: 0.3,
    };

    pub(in super::super) fn sampled(law: &JointLaw, sizes: &[f64]) -> Vec<Point> {
        let mut points = Vec::new();
        for &d in sizes {
            for i in 0..7 {
                let n = 4e3 * 2f64.powi(i) * (d / 1e5).sqrt();
                points.push(Point::new(n, d, law.bits_per_byte(n, d)));
            }
        }
        points
    }
}
