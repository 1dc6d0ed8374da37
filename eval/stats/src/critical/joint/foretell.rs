//! N* where nobody trained, averaged over the forms of the law by how well each has
//! predicted larger data from smaller.
//!
//! The forms fit the points about equally well and predict different N*. So
//! each form predicts N* at every data size that has two or more below it (the
//! rolling origin of forecasting), and is weighted by the likelihood of what was measured.
//! These errors also say how far a form goes wrong for each decade beyond its data, which the
//! scatter about the law does not contain; the interval includes them.

use serde::{Deserialize, Serialize};

use super::{
    DataTerm, JointLaw,
    compute::ComputeExponent,
    fit::Fitted,
    parameters::{self, Parameter},
    power::{self, Measured, PowerLaw},
};
use crate::critical::{Estimator, Point, bootstrap, points};
use crate::distribution::student_quantile;
use crate::random::{normal, stream};

/// One form of the law beside the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Form {
    /// The term of the data, or `power law of N*`.
    pub name: String,
    /// Its weight in the average; all sum to 1.
    pub weight: f64,
    /// Octaves by which it missed N* of each larger data size, predicted from those below.
    pub missed: Vec<f64>,
    /// Its numbers; nothing for the power law of N*.
    #[serde(default)]
    pub fitted: Option<FittedForm>,
}

/// One form fitted to all points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedForm {
    /// The law.
    pub law: JointLaw,
    /// Its numbers with their intervals.
    pub parameters: Vec<Parameter>,
    /// The power of `N D` that N grows with where the loss is least at a fixed `N D`.
    pub compute: ComputeExponent,
    /// Root mean square of the relative residuals.
    pub residual: f64,
}

impl FittedForm {
    fn new(fitted: &Fitted) -> Self {
        Self {
            law: fitted.joint.law,
            parameters: parameters::of(fitted),
            compute: ComputeExponent::new(fitted),
            residual: fitted.residual,
        }
    }
}

/// Error of a predicted N* that is assumed before any is measured, octaves per decade.
const ERROR: f64 = 0.08;

/// A miss of so many octaves is no evidence against a form.
const BLUR: f64 = 0.1;

/// A form as a source of N*.
enum Says {
    Law(Fitted),
    Power(PowerLaw, Vec<PowerLaw>),
}

impl Says {
    fn at(&self, data_bytes: f64) -> f64 {
        match self {
            Self::Law(fitted) => fitted.joint.critical_size(data_bytes),
            Self::Power(law, _) => law.at(data_bytes),
        }
    }

    fn resampled(&self, data_bytes: f64) -> Vec<f64> {
        match self {
            Self::Law(fitted) => {
                let all = fitted.resampled.iter();
                all.map(|joint| joint.critical_size(data_bytes)).collect()
            }
            Self::Power(_, all) => all.iter().map(|law| law.at(data_bytes)).collect(),
        }
    }
}

/// All forms that the points of a series allow, and what they are worth.
pub(super) struct Forms {
    says: Vec<Says>,
    pub(super) forms: Vec<Form>,
    /// Largest data size measured.
    largest: f64,
    /// Octaves of error for each decade, with the degrees of freedom behind it.
    error: (f64, f64),
    seed: u64,
}

impl Forms {
    /// Fits each form, and lets each predict the larger data sizes.
    pub(super) fn new(series: &[Point], measured: &[Measured], estimator: &Estimator) -> Self {
        let all = fit_all(series, measured, estimator);
        let sizes = points::data_sizes(series);
        let quiet = Estimator {
            resamples: 0,
            ..estimator.clone()
        };
        let mut forms: Vec<Form> = all
            .iter()
            .map(|(name, says)| Form {
                name: (*name).to_owned(),
                weight: 0.0,
                missed: Vec::new(),
                fitted: match says {
                    Says::Law(fitted) => Some(FittedForm::new(fitted)),
                    Says::Power(..) => None,
                },
            })
            .collect();
        // The error of the average of those that could say anything, for each decade.
        let mut errors = Vec::new();
        for m in 2..sizes.len() {
            let Some(truth) = measured.iter().find(|of| of.data_bytes == sizes[m]) else {
                continue;
            };
            let below: Vec<Point> = points_below(series, sizes[m]);
            let known: Vec<Measured> = measured
                .iter()
                .filter(|of| of.data_bytes < sizes[m])
                .copied()
                .collect();
            let mut misses = Vec::new();
            for (name, says) in fit_all(&below, &known, &quiet) {
                let miss = (says.at(sizes[m]) / truth.n_star).log2();
                if let (true, Some(form)) = (
                    miss.is_finite(),
                    forms.iter_mut().find(|form| form.name == name),
                ) {
                    form.missed.push(miss);
                    misses.push(miss);
                }
            }
            if !misses.is_empty() {
                let mean = misses.iter().sum::<f64>() / misses.len() as f64;
                errors.push(mean / (sizes[m] / sizes[m - 1]).log10());
            }
        }
        weigh(&mut forms);
        let squares: f64 = errors.iter().map(|e| e * e).sum();
        let count = errors.len() as f64 + 1.0;
        Self {
            says: all.into_iter().map(|(_, says)| says).collect(),
            forms,
            largest: sizes.last().copied().unwrap_or(f64::NAN),
            error: (((ERROR * ERROR + squares) / count).sqrt(), count),
            seed: estimator.seed,
        }
    }

    /// The average of the forms in the logarithm, and its 95% interval.
    pub(super) fn at(&self, data_bytes: f64) -> (f64, Option<[f64; 2]>) {
        let weighed = || self.forms.iter().map(|form| form.weight).zip(&self.says);
        let mean: f64 = weighed()
            .map(|(w, says)| w * says.at(data_bytes).ln())
            .sum();
        let decades = (data_bytes / self.largest).log10().max(0.0);
        let (error, degrees) = self.error;
        let factor = student_quantile(0.05, degrees) / 1.96;
        let spread = decades * error * factor * std::f64::consts::LN_2;
        let mut rng = stream(self.seed, usize::MAX / 2);
        let mut drawn: Vec<f64> = Vec::new();
        for (weight, says) in weighed() {
            let resampled = says.resampled(data_bytes);
            if resampled.is_empty() {
                continue;
            }
            // As many draws of each as its weight demands, over and over its resamples.
            for i in 0..(4000.0 * weight).round() as usize {
                let jitter = spread * normal(&mut rng);
                drawn.push(resampled[i % resampled.len()] * jitter.exp());
            }
        }
        drawn.retain(|n| n.is_finite());
        (mean.exp(), bootstrap::interval(drawn))
    }
}

/// Weights by the likelihood of the misses; alike where there are none. A form that could
/// say less is judged by the mean of its squares.
fn weigh(forms: &mut [Form]) {
    let most = forms
        .iter()
        .map(|form| form.missed.len())
        .max()
        .unwrap_or(0) as f64;
    for form in &mut *forms {
        let squares: f64 = form.missed.iter().map(|m| (m / BLUR).powi(2)).sum();
        form.weight = match form.missed.len() {
            0 if most > 0.0 => 0.0,
            0 => 1.0,
            count => (-0.5 * most * squares / count as f64).max(-700.0).exp(),
        };
    }
    let sum: f64 = forms.iter().map(|form| form.weight).sum();
    let count = forms.len() as f64;
    for form in forms {
        form.weight = if sum > 0.0 {
            form.weight / sum
        } else {
            1.0 / count
        };
    }
}

fn fit_all(
    series: &[Point],
    measured: &[Measured],
    estimator: &Estimator,
) -> Vec<(&'static str, Says)> {
    let terms = [DataTerm::Bytes, DataTerm::ParametersPerByte, DataTerm::Both];
    let mut all: Vec<(&'static str, Says)> = terms
        .into_iter()
        .filter_map(|term| {
            let fitted = Fitted::of_form(series, term, estimator)?;
            (fitted.joint.law.a > 0.0).then(|| (term.name(), Says::Law(fitted)))
        })
        .collect();
    if let Some(law) = PowerLaw::through(measured) {
        let draws = power::resampled(measured, estimator);
        all.push(("power law of N*", Says::Power(law, draws)));
    }
    all
}

pub(super) fn points_below(series: &[Point], data_bytes: f64) -> Vec<Point> {
    let below = series.iter().filter(|p| p.data_bytes < data_bytes);
    below.cloned().collect()
}
