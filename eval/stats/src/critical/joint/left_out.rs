//! The test that counts: the largest data size, foretold from the others.

use serde::{Deserialize, Serialize};

use super::{
    fit::Fitted,
    power::{self, PowerLaw},
    prediction::Prediction,
};
use crate::critical::{Estimator, Point};

/// How well the smaller data sizes foretell the largest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The data size that was left out.
    pub data_bytes: f64,
    /// N* foretold from the others.
    pub predicted_n_star: f64,
    /// 95% interval of the foretold value.
    pub ci95: Option<[f64; 2]>,
    /// N* of the points that were left out, as [`critical_sizes`](crate::critical::critical_sizes)
    /// has it.
    pub measured_n_star: f64,
    /// `log2(predicted / measured)`.
    pub octaves: f64,
    /// Cost of using the foretold size instead of the measured one, as a share
    /// of the measured adjusted rate.
    pub regret: f64,
    /// What the power law through the other separate fits foretells.
    pub free: Option<FreeForetold>,
}

/// N* of the data size left out, on the power law through the separate fits of the
/// others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeForetold {
    /// The foretold value.
    pub n_star: f64,
    /// `log2(foretold / measured)`.
    pub octaves: f64,
    /// As [`LeftOut::regret`].
    pub regret: f64,
}

impl LeftOut {
    /// Leaves out the largest of the data sizes measured; nothing with fewer than two,
    /// or where one side of the test cannot be fitted.
    pub(super) fn test(series: &[Point], measured: &[f64], estimator: &Estimator) -> Option<Self> {
        let (&largest, rest) = measured.split_last()?;
        if rest.is_empty() {
            return None;
        }
        let kept: Vec<Point> = series
            .iter()
            .filter(|p| p.data_bytes < largest)
            .cloned()
            .collect();
        let fitted = Fitted::new(&kept, estimator)?;
        let separate = PowerLaw::through_separate(&kept);
        let foretold = Prediction::new(&fitted, separate.as_ref(), largest, false);
        let measured = power::by_itself(series, largest)?;
        let octaves = |n: f64| (n / measured.n_star).log2();
        let rate =
            |n: f64| measured.law.bits_per_byte(n) / 8.0 + measured.model_cost.bytes(n) / largest;
        let regret = |n: f64| rate(n) / measured.rate - 1.0;
        Some(Self {
            data_bytes: largest,
            predicted_n_star: foretold.n_star,
            ci95: foretold.ci95,
            measured_n_star: measured.n_star,
            octaves: octaves(foretold.n_star),
            regret: regret(foretold.n_star),
            free: foretold.free_n_star.map(|n| FreeForetold {
                n_star: n,
                octaves: octaves(n),
                regret: regret(n),
            }),
        })
    }
}
