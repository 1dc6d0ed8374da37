//! The law over model size and data size, to predict N* where nobody trained:
//! [`JointLaw`] with the critical sizes, intervals and tests that follow from it.
//!
//! Where the data's term does not depend on N, the joint law says
//! `N*(D) = (alpha A D / (8 b))^(1/(1+alpha))`: the critical size grows with
//! the data as a power `1/(1+alpha)`. Where it is `B (N/D)^beta` it bends that power a
//! little, and with `beta = 1` not at all.

use serde::{Deserialize, Serialize};

use super::{
    CriticalError, CriticalSize, Estimator, JointCost, JointLaw, Point, bootstrap, cost,
    joint_fit::{Fitted, Joint},
    law::ALPHA_RANGE,
    one_size, points,
    power::PowerLaw,
};

/// N* at one data size according to the joint law.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Bytes described.
    pub data_bytes: f64,
    /// Parameters at which the description is shortest.
    pub n_star: f64,
    /// The same on the power law through the separate fits, which does not need the
    /// joint law to hold; nothing with fewer than two data sizes.
    pub free_n_star: Option<f64>,
    /// 95% interval of `n_star`.
    pub ci95: Option<[f64; 2]>,
    /// Adjusted rate there.
    pub rate: f64,
    /// Whether models were trained at this data size.
    pub measured: bool,
}

/// How well the smaller data sizes foretell the largest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The data size that was left out.
    pub data_bytes: f64,
    /// N* foretold from the others.
    pub predicted_n_star: f64,
    /// 95% interval of the foretold value.
    pub ci95: Option<[f64; 2]>,
    /// N* of the points that were left out, as [`critical_sizes`](super::critical_sizes)
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
    let separate = through_separate(series);
    let predictions = wanted
        .iter()
        .map(|&(d, m)| prediction(&fitted, d, m, separate.as_ref()))
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
    if miss > cost::GOOD {
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
        left_out: leave_largest_out(series, &measured, estimator),
        warnings,
        residual: fitted.residual,
        law,
        model_cost: cost,
    })
}

fn prediction(
    fitted: &Fitted,
    data_bytes: f64,
    measured: bool,
    separate: Option<&PowerLaw>,
) -> Prediction {
    let n_star = fitted.joint.critical_size(data_bytes);
    let all = fitted.resampled.iter();
    let Joint { law, cost } = fitted.joint;
    Prediction {
        data_bytes,
        n_star,
        free_n_star: separate.map(|law| law.at(data_bytes)),
        ci95: bootstrap::interval(all.map(|joint| joint.critical_size(data_bytes)).collect()),
        rate: law.bits_per_byte(n_star, data_bytes) / 8.0
            + cost.at(data_bytes).bytes(n_star) / data_bytes,
        measured,
    }
}

fn leave_largest_out(series: &[Point], measured: &[f64], estimator: &Estimator) -> Option<LeftOut> {
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
    let foretold = prediction(&fitted, largest, false, through_separate(&kept).as_ref());
    let measured = by_itself(series, largest)?;
    let octaves = |n: f64| (n / measured.n_star).log2();
    let rate =
        |n: f64| measured.law.bits_per_byte(n) / 8.0 + measured.model_cost.bytes(n) / largest;
    let regret = |n: f64| rate(n) / measured.rate - 1.0;
    Some(LeftOut {
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

fn at_data_size(series: &[Point], data_bytes: f64) -> Vec<Point> {
    series
        .iter()
        .filter(|p| p.data_bytes == data_bytes)
        .cloned()
        .collect()
}

/// The critical size of one data size, as if there were no others.
fn by_itself(series: &[Point], data_bytes: f64) -> Option<CriticalSize> {
    let estimator = Estimator {
        resamples: 0,
        ..Estimator::default()
    };
    let found = one_size(&at_data_size(series, data_bytes), &estimator).ok()?;
    (found.law.a > 0.0).then_some(found)
}

/// The power law through N* of each data size alone.
fn through_separate(series: &[Point]) -> Option<PowerLaw> {
    let sizes = points::data_sizes(series).into_iter();
    let optima: Vec<_> = sizes
        .filter_map(|d| by_itself(series, d).map(|found| (d, found.n_star)))
        .collect();
    PowerLaw::through(&optima)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::critical::joint_law::tests::{TRUTH, sampled};

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
