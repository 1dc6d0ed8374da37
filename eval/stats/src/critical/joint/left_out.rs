//! The left-out test: N* of the largest data size, predicted from the others.

use serde::{Deserialize, Serialize};

use super::{
    fit::Fitted,
    foretell::{Forms, points_below},
    power::{self, Measured, PowerLaw},
    prediction::Prediction,
};
use crate::critical::{Estimator, Point};

/// How well the smaller data sizes predict N* of the largest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The data size that was left out.
    pub data_bytes: f64,
    /// N* predicted from the others, averaged over the forms.
    pub predicted_n_star: f64,
    /// 95% interval of the predicted value.
    pub ci95: Option<[f64; 2]>,
    /// N* of the points that were left out, as [`critical_sizes`](crate::critical::critical_sizes)
    /// has it.
    pub measured_n_star: f64,
    /// Its interval.
    #[serde(default)]
    pub measured_ci95: Option<[f64; 2]>,
    /// Whether the measured N* is in the predicted interval.
    #[serde(default)]
    pub held: bool,
    /// `log2(predicted / measured)`.
    pub octaves: f64,
    /// Cost of using the predicted size instead of the measured one, as a share
    /// of the measured adjusted rate.
    pub regret: f64,
    /// The prediction of the closest joint law of the others.
    #[serde(default)]
    pub law: Option<FreeForetold>,
    /// The prediction of the power law through the other separate fits.
    pub free: Option<FreeForetold>,
}

/// N* of the data size left out by one form, fitted to the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeForetold {
    /// The predicted value.
    pub n_star: f64,
    /// `log2(predicted / measured)`.
    pub octaves: f64,
    /// As [`LeftOut::regret`].
    pub regret: f64,
}

impl LeftOut {
    /// The predicted interval, if predicted and measured N* are further apart than both of
    /// their errors allow; nothing where one of the errors is unknown.
    pub(super) fn contradicted(&self) -> Option<[f64; 2]> {
        let (predicted, measured) = (self.ci95?, self.measured_ci95?);
        let half = |[low, high]: [f64; 2], centre: f64, up: bool| match up {
            true => (high / centre).ln(),
            false => (centre / low).ln(),
        };
        let up = self.measured_n_star > self.predicted_n_star;
        let room = half(predicted, self.predicted_n_star, up).hypot(half(
            measured,
            self.measured_n_star,
            !up,
        ));
        let apart = (self.measured_n_star / self.predicted_n_star).ln().abs();
        (!self.held && apart > room).then_some(predicted)
    }

    /// Leaves out the largest of the data sizes measured; nothing with fewer than two,
    /// or where one side of the test cannot be fitted or has no N*, since larger models are
    /// no better.
    pub(super) fn test(
        series: &[Point],
        measured: &[Measured],
        sizes: &[f64],
        estimator: &Estimator,
    ) -> Option<Self> {
        let (&largest, rest) = sizes.split_last()?;
        if rest.is_empty() {
            return None;
        }
        let kept = points_below(series, largest);
        let known: Vec<Measured> = measured
            .iter()
            .filter(|of| of.data_bytes < largest)
            .copied()
            .collect();
        let fitted = Fitted::closest(&kept, estimator)?;
        let separate = PowerLaw::through(&known);
        let forms = Forms::new(&kept, &known, estimator);
        let foretold = Prediction::new(&fitted, &forms, separate.as_ref(), largest, false);
        let measured = power::by_itself(series, largest)?;
        if !(foretold.n_star > 0.0 && measured.n_star > 0.0) {
            return None;
        }
        let octaves = |n: f64| (n / measured.n_star).log2();
        let rate =
            |n: f64| measured.law.bits_per_byte(n) / 8.0 + measured.model_cost.bytes(n) / largest;
        let regret = |n: f64| rate(n) / measured.rate - 1.0;
        let by = |n: f64| FreeForetold {
            n_star: n,
            octaves: octaves(n),
            regret: regret(n),
        };
        Some(Self {
            data_bytes: largest,
            predicted_n_star: foretold.n_star,
            ci95: foretold.ci95,
            measured_n_star: measured.n_star,
            measured_ci95: measured.ci95,
            held: foretold
                .ci95
                .is_some_and(|[low, high]| low <= measured.n_star && measured.n_star <= high),
            octaves: octaves(foretold.n_star),
            regret: regret(foretold.n_star),
            law: Some(by(foretold.law_n_star)),
            free: foretold.free_n_star.map(by),
        })
    }
}
