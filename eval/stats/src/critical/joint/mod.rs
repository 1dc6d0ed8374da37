//! The law over model size and data size, to predict N* where nobody trained:
//! [`JointLaw`] with the critical sizes, intervals and tests that follow from it.
//!
//! Where the data's term does not depend on N, the joint law says
//! `N*(D) = (alpha A D / (8 b))^(1/(1+alpha))`: the critical size grows with
//! the data as a power `1/(1+alpha)`. Where it is `B (N/D)^beta` it bends that power a
//! little, and with `beta = 1` not at all.

use serde::{Deserialize, Serialize};

use super::{
    CriticalError, Estimator, Point, bootstrap, cost as size_cost, law::ALPHA_RANGE, points,
};
use fit::{Fitted, Joint};
use power::PowerLaw;

mod cost;
mod fit;
mod huber;
mod law;
mod left_out;
mod power;
mod prediction;

pub use cost::JointCost;
pub use law::{DataTerm, JointLaw};
pub use left_out::{FreeForetold, LeftOut};
pub use prediction::Prediction;

/// The law over data size for one source, regime and convention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataLaw {
    /// How model bytes are counted.
    pub convention: String,
    /// Relation of the data to the training data.
    pub regime: String,
    /// Where the data came from.
    pub source: String,
    /// Settings other than size that set this ladder apart; usually empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// The fitted law.
    pub law: JointLaw,
    /// Model bytes against parameters and data.
    pub model_cost: JointCost,
    /// N* grows as this power of the data, from the smallest to the largest measured:
    /// `1/(1+alpha)` when each parameter costs the same and the data's term does not
    /// depend on the size. Zero when size buys nothing.
    pub exponent: f64,
    /// 95% interval of `exponent`.
    pub exponent_ci95: Option<[f64; 2]>,
    /// Slope of `ln N*` over `ln D` through the separate fits, which do not
    /// assume that alpha and A are the same at all data sizes.
    pub free_exponent: Option<f64>,
    /// N* at the measured data sizes and at those asked for.
    pub predictions: Vec<Prediction>,
    /// The test on the largest data size, where there are two or more.
    pub left_out: Option<LeftOut>,
    /// Reasons to distrust the law.
    pub warnings: Vec<String>,
    /// Root mean square of the relative residuals.
    pub residual: f64,
}

impl DataLaw {
    /// The size at which `data_bytes` and the model together are shortest.
    #[must_use]
    pub fn critical_size(&self, data_bytes: f64) -> f64 {
        let joint = Joint {
            law: self.law,
            cost: self.model_cost,
        };
        joint.critical_size(data_bytes)
    }
}

/// Fits the law over data size for every series among the points, and predicts
/// N* at the measured data sizes and at `predict`.
///
/// # Errors
///
/// As [`super::critical_sizes`].
pub fn data_laws(
    all: &[Point],
    predict: &[f64],
    estimator: &Estimator,
) -> Result<Vec<DataLaw>, CriticalError> {
    points::check(all)?;
    points::collect(all, Point::same_series)
        .iter()
        .map(|series| one_series(series, predict, estimator))
        .collect()
}

fn one_series(
    series: &[Point],
    predict: &[f64],
    estimator: &Estimator,
) -> Result<DataLaw, CriticalError> {
    let too_few = || CriticalError::TooFewSizes {
        group: series[0].group_name(),
        sizes: points::mean_by_size(series).len(),
        rising: false,
    };
    let measured = points::data_sizes(series);
    let fitted = Fitted::new(series, estimator).ok_or_else(too_few)?;
    let mut wanted: Vec<(f64, bool)> = measured.iter().map(|&d| (d, true)).collect();
    wanted.extend(
        predict
            .iter()
            .filter(|d| !measured.contains(d))
            .map(|&d| (d, false)),
    );
    wanted.sort_by(|x, y| x.0.total_cmp(&y.0));
    let separate = PowerLaw::through_separate(series);
    let predictions = wanted
        .iter()
        .map(|&(d, m)| Prediction::new(&fitted, separate.as_ref(), d, m))
        .collect();

    let (least, most) = match measured[..] {
        [only] => (only, 2.0 * only),
        _ => (measured[0], measured[measured.len() - 1]),
    };
    let exponent = |joint: &Joint| match joint.critical_size(least) {
        0.0 => 0.0,
        size => (joint.critical_size(most) / size).ln() / (most / least).ln(),
    };
    let mut warnings = Vec::new();
    if measured.len() < 3 {
        warnings.push(format!(
            "{} data size(s): the effect of data on the loss is not resolved; 3 or more are needed",
            measured.len()
        ));
    }
    let Joint { law, cost } = fitted.joint;
    if law.a == 0.0 {
        warnings.push("larger models are no better here; there is no critical size".into());
    } else if law.alpha < 0.1 {
        warnings.push(format!("alpha is {:.3}, below 0.1", law.alpha));
    }
    if law.alpha > 0.99 * ALPHA_RANGE.1 {
        warnings.push(format!(
            "alpha is {:.1}, the largest that is looked for: a few sizes decide it",
            law.alpha
        ));
    }
    if fitted.residual > 0.03 {
        warnings.push(format!(
            "the law misses the points by {:.1}% (root mean square)",
            100.0 * fitted.residual
        ));
    }
    let miss = cost.worst_miss(series);
    if miss > size_cost::GOOD {
        warnings.push(format!(
            "model bytes are not a smooth function of size and data: off by up to {:.1}%",
            100.0 * miss
        ));
    }
    Ok(DataLaw {
        convention: series[0].convention.clone(),
        regime: series[0].regime.clone(),
        source: series[0].source.clone(),
        variant: series[0].variant.clone(),
        exponent: exponent(&fitted.joint),
        exponent_ci95: bootstrap::interval(fitted.resampled.iter().map(exponent).collect()),
        free_exponent: separate.map(|law| law.exponent),
        predictions,
        left_out: LeftOut::test(series, &measured, estimator),
        warnings,
        residual: fitted.residual,
        law,
        model_cost: cost,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::critical::joint::law::tests::{TRUTH, sampled};

    #[test]
    fn where_size_buys_nothing_the_critical_size_is_zero_and_stays_so() {
        let law = JointLaw { a: 0.0, ..TRUTH };
        let points = sampled(&law, &[1e5, 1e6, 1e7]);
        let found = &data_laws(&points, &[], &Estimator::default()).unwrap()[0];
        assert_eq!((found.law.a, found.exponent), (0.0, 0.0), "{}", found.law);
        assert!(found.warnings[0].contains("no critical size"));
    }

    #[test]
    fn smaller_data_foretell_the_largest() {
        let points = sampled(&TRUTH, &[1e5, 1e6, 1e7]);
        let estimator = Estimator {
            resamples: 20,
            ..Estimator::default()
        };
        let laws = data_laws(&points, &[1e9], &estimator).unwrap();
        let law = &laws[0];
        assert!((law.exponent - 1.0 / 1.35).abs() < 1e-3);
        assert!((law.free_exponent.unwrap() - 1.0 / 1.35).abs() < 1e-3);
        let out = law.left_out.as_ref().unwrap();
        assert!(out.octaves.abs() < 0.01 && out.regret < 1e-4, "{out:?}");
        let free = out.free.as_ref().unwrap();
        assert!(free.octaves.abs() < 0.01 && free.regret < 1e-4, "{out:?}");
        let far = law.predictions.last().unwrap();
        let exact = (0.35 * 40.0 * 1e9 / 16.0f64).powf(1.0 / 1.35);
        assert!(!far.measured && (far.n_star / exact).log2().abs() < 0.01);
        assert!((far.free_n_star.unwrap() / exact).log2().abs() < 0.01);
    }
}
