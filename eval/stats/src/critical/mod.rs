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
//! The unit of evidence is the size: seeds are averaged. The 95% interval is a likelihood
//! interval of the size means, averaged over the scatter that sizes may have. It allows for
//! a term `B (N/D)^beta` whether or not the points show one clearly. Beside it are
//!
//! - the *envelope*, which adds the N* of further laws that the points do not reject;
//! - the sizes whose rate is within 0.5% and 1% of the best one;
//! - a cross-check that assumes no law (Akima's interpolant), with an interval of its own;
//! - warnings where the number should not be trusted.
//!
//! At N* the model's share of the description is alpha times the
//! reducible share. [`joint`] fits all data sizes at once and predicts N* for other sizes;
//! [`prior`] estimates N* where nothing was measured.
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
mod estimate;
mod interval;
pub mod joint;
mod ladder;
mod law;
mod near;
pub mod points;
pub mod prior;
mod profile;
mod solve;
mod spread;
mod table;
mod warnings;

use serde::{Deserialize, Serialize};

pub use bend::Bend;
pub use cost::ModelCost;
pub use joint::{DataTerm, JointCost, JointLaw};
pub use ladder::{LackOfFit, Scatter};
pub use law::{Law, Share};
pub use near::Near;
pub use points::Point;

pub use bootstrap::interval;

pub(crate) use estimate::falling_part;
use estimate::one_size;
pub(crate) use table::once;

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
    /// Relative errors beyond this count linearly in fits over several data sizes.
    pub huber: f64,
}

/// Default of [`Estimator::huber`]: about the noise between seeds.
pub const HUBER: f64 = 0.01;

impl Default for Estimator {
    fn default() -> Self {
        Self {
            resamples: 2000,
            seed: 1,
            huber: HUBER,
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
    /// The sizes whose adjusted rate is within 0.5% and within 1% of the best one. The
    /// optimum is broad, and any of these is a good choice.
    #[serde(default)]
    pub near: Vec<Near>,
    /// Parameters at which coded plus model bytes are least.
    pub n_star: f64,
    /// 95% interval of `n_star`, over laws with and without a term in N/D. With fewer than
    /// five sizes it is that of `akima_n_star`; nothing with fewer than three.
    pub ci95: Option<[f64; 2]>,
    /// `ci95`, extended by the N* of further laws that the points do not reject: larger
    /// models fall behind by up to 4% of the loss per octave because they were trained too
    /// little, or alpha changes by 0.04 per decade. Nothing with fewer than five sizes.
    #[serde(default)]
    pub envelope: Option<[f64; 2]>,
    /// Adjusted rate at `n_star`: (coded + model bytes) / data bytes.
    pub rate: f64,
    /// Exponent of the law.
    pub alpha: f64,
    /// Minimum of the interpolated points, which assumes no law.
    pub akima_n_star: Option<f64>,
    /// 95% interval of `akima_n_star`.
    #[serde(default)]
    pub akima_ci95: Option<[f64; 2]>,
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
    /// How sizes and seeds scatter about the law.
    pub scatter: Scatter,
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
