//! The critical size: where one more parameter stops paying for itself.
//!
//! Given measured points (parameters N, data bytes D, bits per byte L, model
//! bytes), [`critical_sizes`] fits `L(N) = E + A N^-alpha` for each data size and
//! gives the N* that minimises coded bytes plus model bytes, in closed form:
//!
//! ```text
//! D L(N)/8 + b N   is least at   N* = (alpha A D / (8 b))^(1/(1+alpha))
//! ```
//!
//! with a 95% interval by residual bootstrap, a cross-check that assumes no law
//! (Akima's interpolant), and warnings where the number should not be trusted.
//! At N* the model's share of the description is alpha times the reducible
//! share. [`joint`] fits all data sizes at once and predicts N* for others;
//! [`prior`] guesses where nothing was measured.
//!
//! A parabola through the adjusted rate in log N is not offered: the curve is
//! not a parabola (a power falls on the left, a line rises on the right), and
//! the fit is biased by most of an octave; a test shows it.
//!
//! ```
//! use brevity_stats::critical::{Estimator, Point, critical_sizes};
//!
//! let points: Vec<Point> = (0..8)
//!     .map(|i| 1e4 * 2f64.powi(i))
//!     .map(|n| Point::new(n, 1e6, 2.0 + 60.0 * n.powf(-0.4)))
//!     .collect();
//! let found = critical_sizes(&points, &Estimator::default())?;
//! assert!((found[0].n_star / 25_770.0 - 1.0).abs() < 0.02);
//! # Ok::<(), brevity_stats::critical::CriticalError>(())
//! ```

mod akima;
mod bend;
mod bootstrap;
mod cost;
pub mod joint;
mod law;
pub mod points;
pub mod prior;
mod solve;

use serde::{Deserialize, Serialize};

pub use bend::Bend;
pub use cost::ModelCost;
pub use joint::{DataTerm, JointCost, JointLaw};
pub use law::Law;
pub use points::Point;

pub use bootstrap::interval;

use akima::Akima;

/// Why no critical size can be given.
#[derive(Debug, thiserror::Error)]
pub enum CriticalError {
    /// Too few sizes for three unknowns.
    #[error(
        "{group}: {sizes} distinct model sizes{}; the law has three unknowns and needs at least 3, better 6",
        if *.rising { " below which the raw rate does not rise again" } else { "" }
    )]
    TooFewSizes {
        /// Data size, regime and convention.
        group: String,
        /// Distinct sizes there are.
        sizes: usize,
        /// Whether larger ones are left out, as the raw rate rises again there.
        rising: bool,
    },
    /// A value that no measurement can have.
    #[error("point {index}: {field} is {value}; it must be a positive finite number")]
    BadPoint {
        /// Place in the list, from 0.
        index: usize,
        /// Name of the field.
        field: &'static str,
        /// What it holds.
        value: f64,
    },
    /// There is nothing to fit.
    #[error("no points: no finished trial has a score")]
    Empty,
    /// The table of points cannot be read.
    #[error("{file}: line {line}: {problem}")]
    Table {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong, and what is expected.
        problem: String,
    },
    /// The file cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Settings of the estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimator {
    /// Resamples of the bootstrap.
    pub resamples: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Default for Estimator {
    fn default() -> Self {
        Self {
            resamples: 2000,
            seed: 1,
        }
    }
}

/// The critical size at one data size, under one convention and regime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CriticalSize {
    /// Bytes described.
    pub data_bytes: f64,
    /// How model bytes are counted: `fp16`, `stored`, ...
    pub convention: String,
    /// `in-sample`, `held-out`, ...; empty when the points do not say.
    pub regime: String,
    /// Where the data came from; empty when the points do not say.
    pub source: String,
    /// Settings other than size that set this ladder apart; usually empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Parameters at which coded plus model bytes are least.
    pub n_star: f64,
    /// 95% interval of `n_star`; nothing with fewer than four points.
    pub ci95: Option<[f64; 2]>,
    /// Adjusted rate at `n_star`: (coded + model bytes) / data bytes.
    pub rate: f64,
    /// Exponent of the law.
    pub alpha: f64,
    /// Minimum of the interpolated points, which assumes no law.
    pub akima_n_star: Option<f64>,
    /// Reasons to distrust the number, in words.
    pub warnings: Vec<String>,
    /// The fitted law, bits per byte.
    pub law: Law,
    /// Model bytes against parameters.
    pub model_cost: ModelCost,
    /// Model bytes over all bytes at `n_star`.
    pub model_share: f64,
    /// Bytes that a larger model could still remove, over all bytes, at `n_star`.
    /// With the same bytes for each parameter, `model_share = alpha * reducible_share`.
    pub reducible_share: f64,
    /// Points that the law was fitted to.
    pub points: usize,
    /// Root mean square of the relative residuals.
    pub residual: f64,
    /// Smallest and largest size measured.
    pub grid: [f64; 2],
    /// Laws of the resamples, for drawing the band.
    #[serde(skip)]
    pub band: Vec<Law>,
}

impl CriticalSize {
    /// Source, data size, regime and convention in words, those that are known.
    #[must_use]
    pub fn name(&self) -> String {
        group_name(
            &self.source,
            self.data_bytes,
            &[&self.regime, &self.variant, &self.convention],
        )
    }
}

/// Source, data size and what else is known of a group, in words.
pub(crate) fn group_name(source: &str, data_bytes: f64, more: &[&str]) -> String {
    let size = brevity_length::format::bytes(data_bytes);
    let named: Vec<&str> = [source, &size]
        .into_iter()
        .chain(more.iter().copied())
        .filter(|part| !part.is_empty())
        .collect();
    named.join(", ")
}

/// Estimates for every (source, regime, convention, data size) among the points.
///
/// # Errors
///
/// When there are no points, one holds an impossible value, or a group has fewer
/// than three sizes.
pub fn critical_sizes(
    points: &[Point],
    estimator: &Estimator,
) -> Result<Vec<CriticalSize>, CriticalError> {
    each_critical_size(points, estimator)?.into_iter().collect()
}

/// As [`critical_sizes`], but each group has its own estimate or the reason why
/// there is none.
///
/// # Errors
///
/// When there are no points, or one holds an impossible value.
pub fn each_critical_size(
    points: &[Point],
    estimator: &Estimator,
) -> Result<Vec<Result<CriticalSize, CriticalError>>, CriticalError> {
    points::check(points)?;
    let groups = points::groups(points).into_iter();
    Ok(groups.map(|group| one_size(&group, estimator)).collect())
}

fn one_size(group: &[Point], estimator: &Estimator) -> Result<CriticalSize, CriticalError> {
    let mut warnings = Vec::new();
    let means = points::mean_by_size(group);
    let first = &group[0];
    let falling = falling_part(&means, &mut warnings);
    let usable = means.iter().filter(|p| p.parameters <= falling).count();
    let too_few = || CriticalError::TooFewSizes {
        group: first.group_name(),
        sizes: usable,
        rising: usable < means.len(),
    };
    let pairs: Vec<(f64, f64)> = group
        .iter()
        .filter(|p| p.parameters <= falling)
        .map(|p| (p.parameters, p.bits_per_byte))
        .collect();
    let law = Law::fit(&pairs).ok_or_else(too_few)?;
    let costs: Vec<(f64, f64)> = group
        .iter()
        .map(|p| (p.parameters, p.model_bytes))
        .collect();
    let model_cost = ModelCost::fit(&costs).ok_or_else(too_few)?;

    // Where larger models are no better, the smallest one is the best there is.
    let optimum = |law: &Law, cost: &ModelCost| match law.a == 0.0 {
        true => means[0].parameters,
        false => cost.optimum(law, first.data_bytes),
    };
    let n_star = optimum(&law, &model_cost);
    let band = bootstrap::laws(&law, &pairs, estimator);
    let resampled = bootstrap::costs(&model_cost, &costs, estimator, band.len());
    let optima = band.iter().zip(&resampled);
    let ci95 = interval(optima.map(|(law, cost)| optimum(law, cost)).collect());
    let akima_n_star = akima_optimum(&means, first.data_bytes);
    let residuals = law.relative_residuals(&pairs);
    let residual = (residuals.iter().map(|r| r * r).sum::<f64>() / residuals.len() as f64).sqrt();
    let coded = first.data_bytes * law.bits_per_byte(n_star) / 8.0;
    let model = model_cost.bytes(n_star);
    let reducible = first.data_bytes * law.a * n_star.powf(-law.alpha) / 8.0;
    let mut found = CriticalSize {
        data_bytes: first.data_bytes,
        convention: first.convention.clone(),
        regime: first.regime.clone(),
        source: first.source.clone(),
        variant: first.variant.clone(),
        n_star,
        ci95,
        rate: (coded + model) / first.data_bytes,
        alpha: law.alpha,
        akima_n_star,
        warnings,
        law,
        model_cost,
        model_share: model / (coded + model),
        reducible_share: reducible / (coded + model),
        points: pairs.len(),
        residual,
        grid: [means[0].parameters, means[means.len() - 1].parameters],
        band,
    };
    add_warnings(&mut found, model_cost.worst_miss(&costs));
    Ok(found)
}

/// The largest size before the loss rises again: a law that only falls says
/// nothing about an over-fitted model. One seed's noise (2%) is not a rise.
fn falling_part(means: &[Point], warnings: &mut Vec<String>) -> f64 {
    let mut best = &means[0];
    for point in means {
        if point.bits_per_byte < best.bits_per_byte {
            best = point;
        }
    }
    let last = &means[means.len() - 1];
    if last.bits_per_byte <= 1.02 * best.bits_per_byte {
        return last.parameters;
    }
    warnings.push(format!(
        "the raw rate rises beyond {} parameters (over-fitting or under-training there); \
         larger models are left out of the fit",
        brevity_length::format::count(best.parameters)
    ));
    best.parameters
}

/// Minimum of coded plus model bytes, both interpolated over log N.
fn akima_optimum(means: &[Point], data_bytes: f64) -> Option<f64> {
    let x: Vec<f64> = means.iter().map(|p| p.parameters.ln()).collect();
    let loss = Akima::new(x.clone(), means.iter().map(|p| p.bits_per_byte).collect())?;
    let model = Akima::new(x, means.iter().map(|p| p.model_bytes.ln()).collect())?;
    let (low, high) = loss.range();
    let total = |x: f64| data_bytes * loss.at(x) / 8.0 + model.at(x).exp();
    Some(law::minimise(total, low, high, 64 * means.len()).exp())
}

fn add_warnings(found: &mut CriticalSize, cost_miss: f64) {
    let [low, high] = found.grid;
    let name = brevity_length::format::count;
    let mut warn = |text: String| found.warnings.push(text);
    if found.law.a == 0.0 {
        warn("larger models are no better here; there is no critical size".into());
    } else if found.n_star <= low {
        warn(format!(
            "N* is at or below the smallest size measured ({}); measure smaller models",
            name(low)
        ));
    } else if found.n_star >= high {
        warn(format!(
            "N* is at or beyond the largest size measured ({}); measure larger models",
            name(high)
        ));
    }
    if let Some(other) = found.akima_n_star
        && found.law.a > 0.0
    {
        let octaves = (found.n_star / other).log2();
        if octaves.abs() > 0.25 {
            warn(format!(
                "the law and the interpolated points ({}) are {:.2} octaves apart",
                name(other),
                octaves.abs()
            ));
        }
    }
    if found.alpha < 0.1 {
        warn(format!(
            "alpha is {:.3}, below 0.1: the optimum is too flat to place",
            found.alpha
        ));
    }
    if found.points < 6 {
        warn(format!(
            "only {} points for three unknowns; the interval is not to be trusted",
            found.points
        ));
    }
    if found.residual > 0.03 {
        warn(format!(
            "the law misses the points by {:.1}% (root mean square)",
            100.0 * found.residual
        ));
    }
    if cost_miss > cost::GOOD {
        warn(format!(
            "model bytes are not a smooth function of size: off by up to {:.1}%",
            100.0 * cost_miss
        ));
    }
}
