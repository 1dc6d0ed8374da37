//! The law over model size and data size, to predict N* where nobody trained:
//! [`JointLaw`] with the critical sizes, intervals and tests that follow from it.
//! Predictions are averaged over forms of the law, by how well each predicted larger data
//! from smaller.
//!
//! Where the data's term does not depend on N, the joint law says
//! `N*(D) = (alpha A D / (8 b))^(1/(1+alpha))`: the critical size grows with
//! the data as a power `1/(1+alpha)`. Where it is `B (N/D)^beta` it bends that power a
//! little, and with `beta = 1` not at all.

use serde::{Deserialize, Serialize};

use super::{CriticalError, Estimator, Point, bootstrap, cost as size_cost, points};
use brevity_length::format::{bytes, count};
use fit::{Fitted, Joint};
use foretell::Forms;
use power::{Measured, PowerLaw};

mod compute;
mod cost;
mod fit;
mod foretell;
mod huber;
mod law;
mod left_out;
mod loss;
mod parameters;
mod power;
mod prediction;

pub use compute::ComputeExponent;
pub use cost::JointCost;
pub use foretell::{FittedForm, Form};
pub use law::{DataTerm, JointLaw};
pub use left_out::{FreeForetold, LeftOut};
pub use loss::{LossLeftOut, PredictedLoss};
pub use parameters::Parameter;
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
    /// The fitted law, of the form that misses the points by least.
    pub law: JointLaw,
    /// Its numbers with their intervals.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// The forms that predictions are averaged over.
    #[serde(default)]
    pub forms: Vec<Form>,
    /// Relative errors beyond this count linearly in the fit.
    #[serde(default)]
    pub huber: f64,
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
    /// The power of `N D` that N grows with where the loss is least at a fixed `N D`, by the
    /// fitted law.
    #[serde(default)]
    pub compute: ComputeExponent,
    /// The same through the least loss of each budget, without a law.
    #[serde(default)]
    pub compute_by_budget: ComputeExponent,
    /// N* at the measured data sizes and at those asked for.
    pub predictions: Vec<Prediction>,
    /// The test on the largest data size, where there are two or more.
    pub left_out: Option<LeftOut>,
    /// The same of the loss, where the points below suffice for a law.
    #[serde(default)]
    pub left_out_loss: Option<LossLeftOut>,
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
    each_data_law(all, predict, estimator)?
        .into_iter()
        .collect()
}

/// As [`data_laws`], but each series has its own law or the reason why there is none.
///
/// # Errors
///
/// When there are no points, or one holds an impossible value.
pub fn each_data_law(
    all: &[Point],
    predict: &[f64],
    estimator: &Estimator,
) -> Result<Vec<Result<DataLaw, CriticalError>>, CriticalError> {
    points::check(all)?;
    let series = points::collect(all, Point::same_series);
    Ok(series
        .iter()
        .map(|series| one_series(series, predict, estimator))
        .collect())
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
    let sizes = points::data_sizes(series);
    let fitted = Fitted::closest(series, estimator).ok_or_else(too_few)?;
    let mut wanted: Vec<(f64, bool)> = sizes.iter().map(|&d| (d, true)).collect();
    wanted.extend(
        predict
            .iter()
            .filter(|d| !sizes.contains(d))
            .map(|&d| (d, false)),
    );
    wanted.sort_by(|x, y| x.0.total_cmp(&y.0));
    let measured = power::separate(series);
    let separate = PowerLaw::through(&measured);
    let forms = Forms::new(series, &measured, estimator);
    let predictions: Vec<Prediction> = wanted
        .iter()
        .map(|&(d, m)| Prediction::new(&fitted, &forms, separate.as_ref(), d, m))
        .collect();

    let (least, most) = match sizes[..] {
        [only] => (only, 2.0 * only),
        _ => (sizes[0], sizes[sizes.len() - 1]),
    };
    let exponent = |joint: &Joint| match joint.critical_size(least) {
        0.0 => 0.0,
        size => (joint.critical_size(most) / size).ln() / (most / least).ln(),
    };
    let left_out = LeftOut::test(series, &measured, &sizes, estimator);
    let left_out_loss = LossLeftOut::test(series, estimator);
    let parameters = parameters::of(&fitted);
    let mut warnings = Vec::new();
    if sizes.len() < 3 {
        warnings.push(format!(
            "{} data size(s): the effect of data on the loss is not resolved; 3 or more are needed",
            sizes.len()
        ));
    }
    warn_of_the_law(&fitted, &parameters, series, &mut warnings);
    warn_of_the_left_out(left_out.as_ref(), &mut warnings);
    warn_of_the_loss(left_out_loss.as_ref(), &mut warnings);
    warn_of_contradictions(&fitted, &measured, &mut warnings);
    Ok(DataLaw {
        convention: series[0].convention.clone(),
        regime: series[0].regime.clone(),
        source: series[0].source.clone(),
        variant: series[0].variant.clone(),
        exponent: exponent(&fitted.joint),
        exponent_ci95: bootstrap::interval(fitted.resampled.iter().map(exponent).collect()),
        free_exponent: separate.map(|law| law.exponent),
        compute: ComputeExponent::new(&fitted),
        compute_by_budget: ComputeExponent::by_budget(series),
        predictions,
        left_out,
        left_out_loss,
        warnings,
        residual: fitted.residual,
        law: fitted.joint.law,
        model_cost: fitted.joint.cost,
        parameters,
        forms: forms.forms,
        huber: estimator.huber,
    })
}

fn warn_of_the_law(
    fitted: &Fitted,
    parameters: &[Parameter],
    series: &[Point],
    warnings: &mut Vec<String>,
) {
    let Joint { law, cost } = &fitted.joint;
    if law.a == 0.0 {
        warnings.push("larger models are no better here; there is no critical size".into());
    } else if law.alpha < 0.1 {
        warnings.push(format!("alpha is {:.3}, below 0.1", law.alpha));
    }
    for p in parameters.iter().filter(|p| p.at_bound && law.a > 0.0) {
        // The theory's own value is no accident.
        if law.term == DataTerm::ParametersPerByte && p.name == "beta" && p.value > 0.99 {
            continue;
        }
        warnings.push(format!(
            "{} is {:.3}, at the end of what is looked for: the points do not tell it",
            p.name, p.value
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
}

fn warn_of_the_left_out(test: Option<&LeftOut>, warnings: &mut Vec<String>) {
    let Some((test, [low, high])) = test.and_then(|test| Some((test, test.contradicted()?))) else {
        return;
    };
    warnings.push(format!(
        "the smaller data predict N* of {} as {} to {}, and it is {}: do not trust predictions \
         for larger data",
        bytes(test.data_bytes),
        count(low),
        count(high),
        count(test.measured_n_star)
    ));
}

fn warn_of_the_loss(test: Option<&LossLeftOut>, warnings: &mut Vec<String>) {
    let Some(test) = test else { return };
    let missed = test.points.iter().filter(|point| !point.held).count();
    // One in twenty is outside by chance.
    if missed * 10 > test.points.len() {
        warnings.push(format!(
            "of the {} losses measured at {} of data, {missed} are outside of what the smaller data predict",
            test.points.len(),
            bytes(test.data_bytes)
        ));
    }
}

/// The law of all data sizes and that of one should agree on the points of that one.
///
/// An interval of one data size can be short by luck, as it rests on one or two degrees of
/// freedom, and a series has several. Sizes scatter about alike at all amounts of data, so each
/// is taken to reach at least as far as the median one.
fn warn_of_contradictions(fitted: &Fitted, measured: &[Measured], warnings: &mut Vec<String>) {
    let reach = |of: &Measured| {
        let envelope = of.envelope?;
        Some([of.n_star / envelope[0], envelope[1] / of.n_star])
    };
    let usual = [0, 1].map(|side| {
        let mut all: Vec<f64> = measured
            .iter()
            .filter_map(|of| Some(reach(of)?[side]))
            .collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(1.0)
    });
    for of in measured {
        let Some([down, up]) = reach(of) else {
            continue;
        };
        let (low, high) = (of.n_star / down.max(usual[0]), of.n_star * up.max(usual[1]));
        let all = fitted.resampled.iter();
        let resampled = all
            .map(|joint| joint.critical_size(of.data_bytes))
            .collect();
        let joint = bootstrap::interval(resampled)
            .unwrap_or([fitted.joint.critical_size(of.data_bytes); 2]);
        if joint[1] < low || joint[0] > high {
            warnings.push(format!(
                "{}: by the law of all data sizes N* is {} to {}, by its own models {} to {}",
                bytes(of.data_bytes),
                count(joint[0]),
                count(joint[1]),
                count(low),
                count(high)
            ));
        }
    }
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
