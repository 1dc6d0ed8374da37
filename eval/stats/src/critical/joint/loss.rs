//! The loss at the largest data size, predicted from the others.
//!
//! N* of a data size needs several models there. Tables of models that were trained on ever
//! other amounts have none, but each of their losses can be predicted. As with N*, the forms of
//! the law are averaged by how well each predicted larger data from smaller, and those misses
//! are what the interval is made of.

use serde::{Deserialize, Serialize};

use super::{
    DataTerm, JointLaw,
    fit::{cells, unknowns},
    foretell::points_below,
};
use crate::critical::{Estimator, Point, points};
use crate::distribution::student_quantile;

/// How well the smaller data sizes predict the losses at the largest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossLeftOut {
    /// The data size that was left out.
    pub data_bytes: f64,
    /// Each model size measured there.
    pub points: Vec<PredictedLoss>,
}

/// A loss that was predicted and measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedLoss {
    /// Parameters of the model.
    pub parameters: f64,
    /// The loss measured, bits per byte, mean over seeds.
    pub measured: f64,
    /// The loss predicted.
    pub predicted: f64,
    /// Its 95% interval, for one more measurement.
    pub ci95: [f64; 2],
    /// Whether the measured loss is in that interval.
    pub held: bool,
}

/// Data sizes, the largest first, that the forms are asked for beforehand.
const ASKED: usize = 6;

/// Points that a fit needs beyond its unknowns.
const SPARE: usize = 3;

/// A miss of so much of the loss is no evidence against a form.
const BLUR: f64 = 0.01;

/// Relative error of a loss beyond the data, where no form could be asked for a smaller one.
const UNASKED: f64 = 0.02;

impl LossLeftOut {
    /// Leaves out the largest data size; nothing where the points below are too few.
    pub(super) fn test(series: &[Point], estimator: &Estimator) -> Option<Self> {
        let cells = cells(series);
        let sizes = points::data_sizes(&cells);
        let (&largest, rest) = sizes.split_last()?;
        // One amount of data says nothing of the effect of more.
        if rest.len() < 2 {
            return None;
        }
        let kept = points_below(&cells, largest);
        let forms = fits(&kept, None, estimator);
        if forms.is_empty() {
            return None;
        }
        let asked: Vec<Vec<Vec<f64>>> = rest
            .iter()
            .rev()
            .take(ASKED)
            .filter_map(|&size| misses(&kept, size, &forms, estimator))
            .collect();
        let weights = weights(&asked, forms.len());
        let (variance, degrees) = spread(&asked, &weights, &forms, &kept);
        let points = cells.iter().filter(|p| p.data_bytes == largest);
        let points = points.map(|p| {
            let logs: Vec<f64> = forms.iter().map(|law| log_loss(law, p)).collect();
            let mean = average(&logs, &weights);
            let apart: f64 = logs
                .iter()
                .zip(&weights)
                .map(|(log, weight)| weight * (log - mean).powi(2))
                .sum();
            let room = student_quantile(0.05, degrees) * (variance + apart).sqrt();
            let ci95 = [(mean - room).exp(), (mean + room).exp()];
            PredictedLoss {
                parameters: p.parameters,
                measured: p.bits_per_byte,
                predicted: mean.exp(),
                ci95,
                held: ci95[0] <= p.bits_per_byte && p.bits_per_byte <= ci95[1],
            }
        });
        Some(Self {
            data_bytes: largest,
            points: points.collect(),
        })
    }
}

/// Each form that the points suffice for; from the laws of `start` alone where there are some.
fn fits(points: &[Point], start: Option<&[JointLaw]>, estimator: &Estimator) -> Vec<JointLaw> {
    let data_sizes = points::data_sizes(points).len();
    let enough = |term| points.len() >= unknowns(data_sizes, term) + SPARE;
    match start {
        Some(laws) => laws
            .iter()
            .filter(|law| enough(law.term))
            .filter_map(|law| law.refit(points, estimator.huber))
            .collect(),
        None => [DataTerm::Bytes, DataTerm::ParametersPerByte, DataTerm::Both]
            .into_iter()
            .filter(|&term| enough(term))
            .filter_map(|term| JointLaw::fit_as(points, term, estimator.huber))
            .collect(),
    }
}

/// By how much each form, fitted to the points below a data size, misses those at it: the
/// logarithm of measured over predicted, by form and point. Nothing where a form has too few
/// points for that.
fn misses(
    points: &[Point],
    data_bytes: f64,
    forms: &[JointLaw],
    estimator: &Estimator,
) -> Option<Vec<Vec<f64>>> {
    let below = points_below(points, data_bytes);
    if points::data_sizes(&below).len() < 3 {
        return None;
    }
    let laws = fits(&below, Some(forms), estimator);
    let at: Vec<&Point> = points
        .iter()
        .filter(|p| p.data_bytes == data_bytes)
        .collect();
    let of = |law: &JointLaw| {
        let misses = at.iter().map(|p| p.bits_per_byte.ln() - log_loss(law, p));
        misses.collect()
    };
    (laws.len() == forms.len()).then(|| laws.iter().map(of).collect())
}

/// Weights of the forms by the likelihood of their misses; alike where there are none.
fn weights(asked: &[Vec<Vec<f64>>], forms: usize) -> Vec<f64> {
    let squares = |form: usize| -> f64 {
        let all = asked.iter().flat_map(|misses| &misses[form]);
        all.map(|miss| (miss / BLUR).powi(2)).sum()
    };
    let all: Vec<f64> = (0..forms).map(squares).collect();
    let least = all.iter().copied().fold(f64::INFINITY, f64::min);
    let likely: Vec<f64> = all.iter().map(|s| (-0.5 * (s - least)).exp()).collect();
    let sum: f64 = likely.iter().sum();
    likely.iter().map(|l| l / sum).collect()
}

/// Variance of the logarithm of a loss about the average of the forms, with its degrees of
/// freedom: by what was missed, and at least as much as the points scatter about the laws.
fn spread(
    asked: &[Vec<Vec<f64>>],
    weights: &[f64],
    forms: &[JointLaw],
    points: &[Point],
) -> (f64, f64) {
    let scatter = points.iter().map(|p| {
        let logs: Vec<f64> = forms.iter().map(|law| log_loss(law, p)).collect();
        (p.bits_per_byte.ln() - average(&logs, weights)).powi(2)
    });
    let most = forms.iter().map(|law| {
        let data_sizes = points::data_sizes(points).len();
        unknowns(data_sizes, law.term)
    });
    let free = points.len() - most.max().unwrap_or(0);
    let scatter = scatter.sum::<f64>() / free as f64;
    let missed: Vec<f64> = asked
        .iter()
        .map(|misses| {
            let count = misses[0].len();
            let of = (0..count).map(|i| {
                let all: Vec<f64> = misses.iter().map(|form| form[i]).collect();
                average(&all, weights).powi(2)
            });
            of.sum::<f64>() / count as f64
        })
        .collect();
    if missed.is_empty() {
        return (scatter + UNASKED * UNASKED, (free as f64).min(3.0));
    }
    let mean = missed.iter().sum::<f64>() / missed.len() as f64;
    (mean.max(scatter), (missed.len() as f64).max(2.0))
}

fn average(values: &[f64], weights: &[f64]) -> f64 {
    values.iter().zip(weights).map(|(v, w)| v * w).sum()
}

fn log_loss(law: &JointLaw, point: &Point) -> f64 {
    law.bits_per_byte(point.parameters, point.data_bytes)
        .max(f64::MIN_POSITIVE)
        .ln()
}
