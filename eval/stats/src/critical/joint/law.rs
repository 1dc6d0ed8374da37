//! Bits per byte as a function of model size and data size, in one of three forms:
//!
//! ```text
//! L(N, D) = E + A N^-alpha + B D^-beta        E, A >= 0
//! L(N, D) = E + A N^-alpha + B (N/D)^beta     E, A >= 0, beta <= 1
//! L(N, D) = E + A N^-alpha + B D^-beta + C N/D
//! ```
//!
//! The first is that of models which see their data about once (Hoffmann et al. 2022,
//! arXiv 2203.15556): data that lack cost every size the same. The second is that of
//! models which see them many times: what is learned by heart grows with the parameters
//! that each byte has. B is positive on held-out data and negative in-sample, so its sign
//! is free. With beta = 1 it is a constant number of bits for each parameter, as
//! in Akaike's criterion, where it is `1 / (2 ln 2)` of either sign; nothing can learn
//! more than in proportion to its parameters, hence the bound.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::critical::{ModelCost, law::Law};

/// How the amount of data enters a [`JointLaw`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataTerm {
    /// `B D^-beta`, the same for all sizes of model.
    #[default]
    Bytes,
    /// `B (N/D)^beta`, by the parameters that each byte has.
    ParametersPerByte,
    /// `B D^-beta + C N/D`.
    Both,
}

impl DataTerm {
    /// As it stands in the law.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "B D^-beta",
            Self::ParametersPerByte => "B (N/D)^beta",
            Self::Both => "B D^-beta + C N/D",
        }
    }

    /// The term without its B.
    fn at(self, parameters: f64, data_bytes: f64, beta: f64) -> f64 {
        match self {
            Self::Bytes | Self::Both => data_bytes.powf(-beta),
            Self::ParametersPerByte => (parameters / data_bytes).powf(beta),
        }
    }
}

/// Bits per byte against model and data size: `E + A N^-alpha` and a [`DataTerm`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct JointLaw {
    /// What neither size nor data removes, bits per byte; at least 0.
    pub e: f64,
    /// Scale of what size removes; at least 0.
    pub a: f64,
    /// Its exponent.
    pub alpha: f64,
    /// Which form the term of the data has.
    #[serde(default)]
    pub term: DataTerm,
    /// Scale of what data change; either sign.
    pub b: f64,
    /// Its exponent.
    pub beta: f64,
    /// Bits for each parameter that a byte has, where both terms are fitted; 0 otherwise.
    #[serde(default)]
    pub c: f64,
}

impl JointLaw {
    /// Bits per byte at a model size and a data size; never below 0.
    #[must_use]
    pub fn bits_per_byte(&self, parameters: f64, data_bytes: f64) -> f64 {
        let data = self.b * self.term.at(parameters, data_bytes, self.beta)
            + self.c * parameters / data_bytes;
        (self.size_alone().bits_per_byte(parameters) + data).max(0.0)
    }

    /// The size at which `data_bytes` and the model together are shortest; zero when
    /// size buys nothing (`A = 0`).
    ///
    /// In closed form where the data's term does not depend on the size
    /// ([`ModelCost::optimum`]). Where it does, the size is looked for, up to a thousand
    /// times smaller and larger than without that term.
    #[must_use]
    pub fn critical_size(&self, cost: &ModelCost, data_bytes: f64) -> f64 {
        let alone = cost.optimum(&self.size_alone(), data_bytes);
        match self.term {
            DataTerm::ParametersPerByte | DataTerm::Both if alone > 0.0 => cost.search(
                |n| self.bits_per_byte(n, data_bytes),
                data_bytes,
                (alone / 1e3, alone * 1e3),
            ),
            _ => alone,
        }
    }

    /// The power of `N D` that N grows with where the loss is least at a fixed `N D`; nothing
    /// where more data do not shorten the code, or with both terms together.
    #[must_use]
    pub fn compute_exponent(&self) -> Option<f64> {
        let data = match self.term {
            DataTerm::Bytes => self.alpha + self.beta,
            DataTerm::ParametersPerByte => self.alpha + 2.0 * self.beta,
            DataTerm::Both => return None,
        };
        (self.a > 0.0 && self.b > 0.0).then(|| self.beta / data)
    }

    /// What the law is without the data's term.
    fn size_alone(&self) -> Law {
        Law {
            e: self.e,
            a: self.a,
            alpha: self.alpha,
            share: None,
        }
    }
}

impl fmt::Display for JointLaw {
    /// `1.6941 + 82.4522 N^-0.5003 - 0.8395 (N/D)^0.7790`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.b < 0.0 { '-' } else { '+' };
        let base = match self.term {
            DataTerm::Bytes | DataTerm::Both => "D^-",
            DataTerm::ParametersPerByte => "(N/D)^",
        };
        // A scale may be any number of digits long.
        let scale = |x: f64| match x.abs() < 1e7 {
            true => format!("{:.4}", x.abs()),
            false => format!("{:.3e}", x.abs()),
        };
        write!(
            f,
            "{:.4} + {} N^-{:.4} {sign} {} {base}{:.4}",
            self.e,
            scale(self.a),
            self.alpha,
            scale(self.b),
            self.beta
        )?;
        match self.term {
            DataTerm::Both => {
                let sign = if self.c < 0.0 { '-' } else { '+' };
                write!(f, " {sign} {:.4} N/D", self.c.abs())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::critical::Point;

    pub(in crate::critical::joint) const TRUTH: JointLaw = JointLaw {
        e: 0.9,
        a: 40.0,
        alpha: 0.35,
        term: DataTerm::Bytes,
        b: 30.0,
        beta: 0.3,
        c: 0.0,
    };

    /// In-sample, many passes: 1.5 bits a parameter or so are learned by heart.
    pub(in crate::critical::joint) const BY_HEART: JointLaw = JointLaw {
        e: 1.6,
        a: 100.0,
        alpha: 0.48,
        term: DataTerm::ParametersPerByte,
        b: -0.8,
        beta: 0.8,
        c: 0.0,
    };

    pub(in crate::critical::joint) fn sampled(law: &JointLaw, sizes: &[f64]) -> Vec<Point> {
        let mut points = Vec::new();
        for &d in sizes {
            for i in 0..7 {
                let n = 4e3 * 2f64.powi(i) * (d / 1e5).sqrt();
                points.push(Point::new(n, d, law.bits_per_byte(n, d)));
            }
        }
        points
    }

    #[test]
    fn learning_by_heart_makes_parameters_cheaper() {
        let cost = ModelCost::per_parameter(2.0);
        let law = JointLaw {
            beta: 1.0,
            ..BY_HEART
        };
        // B (N/D) takes B/8 bytes off the price of each parameter.
        let cheaper = ModelCost::per_parameter(2.0 - 0.8 / 8.0);
        let exact = cheaper.optimum(&law.size_alone(), 1e7);
        let found = law.critical_size(&cost, 1e7);
        assert!((found / exact - 1.0).abs() < 1e-3, "{found} {exact}");
        let nothing = JointLaw { a: 0.0, ..law };
        assert_eq!(nothing.critical_size(&cost, 1e7), 0.0);
    }
}
