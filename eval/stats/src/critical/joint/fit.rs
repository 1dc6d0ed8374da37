//! A joint law and a joint cost, fitted together and resampled together.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{DataTerm, JointCost, JointLaw};
use crate::critical::{Estimator, Point, bootstrap, points};
use crate::random::{below, normal, stream};

/// What a description of any size of data by any size of model takes.
#[derive(Clone, Copy)]
pub(super) struct Joint {
    pub(super) law: JointLaw,
    pub(super) cost: JointCost,
}

impl Joint {
    /// The size at which `data_bytes` and the model together are shortest.
    pub(super) fn critical_size(&self, data_bytes: f64) -> f64 {
        self.law
            .critical_size(&self.cost.at(data_bytes), data_bytes)
    }
}

/// A joint law and cost with their resamples.
pub(super) struct Fitted {
    pub(super) joint: Joint,
    pub(super) resampled: Vec<Joint>,
    /// Root mean square of the relative residuals of the law.
    pub(super) residual: f64,
}

impl Fitted {
    /// The form, of the two with as many unknowns, that misses the points by less. Nothing
    /// when there are fewer than three model sizes.
    pub(super) fn closest(series: &[Point], estimator: &Estimator) -> Option<Self> {
        let cells = cells(series);
        let law = JointLaw::fit(&cells, estimator.huber)?;
        Self::of(&cells, law, estimator)
    }

    /// A given form; nothing where there are too few data sizes for it.
    pub(super) fn of_form(series: &[Point], term: DataTerm, estimator: &Estimator) -> Option<Self> {
        let cells = cells(series);
        let law = JointLaw::fit_as(&cells, term, estimator.huber)?;
        Self::of(&cells, law, estimator)
    }

    fn of(cells: &[Point], law: JointLaw, estimator: &Estimator) -> Option<Self> {
        let cost = JointCost::fit(cells)?;
        let bits = |p: &Point| law.bits_per_byte(p.parameters, p.data_bytes);
        let misses: Vec<f64> = cells
            .iter()
            .map(|p| p.bits_per_byte / bits(p) - 1.0)
            .collect();
        let n = misses.len();
        let residual = (misses.iter().map(|r| r * r).sum::<f64>() / n as f64).sqrt();
        let unknowns = unknowns(points::data_sizes(cells).len(), law.term);
        let mut resampled = Vec::new();
        if n > unknowns {
            let misses = Misses::new(cells, misses, unknowns);
            let cost_misses = cells.iter().map(|p| p.model_bytes / cost.bytes(p) - 1.0);
            let cost_misses = bootstrap::inflated(cost_misses.collect(), cost.unknowns());
            // Each resample is a two-dimensional search: fewer of them than for one data size.
            resampled = (0..estimator.resamples.div_ceil(8))
                .into_par_iter()
                .filter_map(|i| {
                    let mut rng = stream(estimator.seed, i);
                    let mut drawn = cells.to_vec();
                    let drawn_misses = misses.draw(&mut rng);
                    for (p, r) in drawn.iter_mut().zip(drawn_misses) {
                        let m = cost_misses[below(&mut rng, n)];
                        p.bits_per_byte = bits(p) * (1.0 + r).max(1e-3);
                        p.model_bytes = cost.bytes(p) * (1.0 + m).max(1e-3);
                    }
                    Some(Joint {
                        law: law.refit(&drawn, estimator.huber)?,
                        cost: cost.refit(&drawn),
                    })
                })
                .collect();
        }
        Some(Self {
            joint: Joint { law, cost },
            resampled,
            residual,
        })
    }
}

/// How cells scatter about a law: a size of model has an effect of its own, common to all the
/// amounts of data that it was trained on, and each cell another.
struct Misses {
    /// What is left of each cell without the effect of its size.
    own: Vec<f64>,
    /// For each cell, the place of its size.
    size: Vec<usize>,
    /// Standard deviation of the effects of sizes; 0 where they show none.
    size_sd: f64,
    sizes: usize,
}

impl Misses {
    /// Fewest sizes with several amounts of data that an effect of sizes is looked for in.
    const SIZES: usize = 4;

    /// `misses` are the residuals of a law of so many unknowns, of each cell.
    fn new(cells: &[Point], misses: Vec<f64>, unknowns: usize) -> Self {
        let mut known: Vec<f64> = cells.iter().map(|p| p.parameters).collect();
        known.sort_by(f64::total_cmp);
        known.dedup();
        let place = |p: &Point| known.partition_point(|&n| n < p.parameters);
        let size: Vec<usize> = cells.iter().map(place).collect();
        let by_size: Vec<Vec<f64>> = (0..known.len())
            .map(|i| {
                let of = misses.iter().zip(&size).filter(|(_, at)| **at == i);
                of.map(|(miss, _)| *miss).collect()
            })
            .collect();
        let repeated: Vec<&Vec<f64>> = by_size.iter().filter(|of| of.len() > 1).collect();
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
        // The analysis of variance, one way.
        let (mut between, mut within, mut count) = (0.0, 0.0, 0.0);
        for of in &repeated {
            let centre = mean(of);
            between += of.len() as f64 * centre * centre;
            within += of.iter().map(|m| (m - centre).powi(2)).sum::<f64>();
            count += of.len() as f64;
        }
        let groups = repeated.len() as f64;
        let variance = if repeated.len() >= Self::SIZES {
            // The law has taken its share of what sizes differ by: alpha, A and E.
            let between = between / (groups - 2.0).max(1.0);
            let within = within / (count - groups);
            ((between - within) / (count / groups)).max(0.0)
        } else {
            0.0
        };
        let own = match variance > 0.0 {
            true => misses
                .iter()
                .zip(&size)
                .map(|(miss, &at)| match by_size[at].len() {
                    1 => *miss,
                    _ => miss - mean(&by_size[at]),
                })
                .collect(),
            false => misses,
        };
        Self {
            own: bootstrap::inflated(own, unknowns),
            size,
            size_sd: variance.sqrt() * bootstrap::inflation((groups - 2.0).max(2.0)),
            sizes: known.len(),
        }
    }

    /// A miss of each cell.
    fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let effects: Vec<f64> = (0..self.sizes)
            .map(|_| match self.size_sd > 0.0 {
                true => self.size_sd * normal(rng),
                false => 0.0,
            })
            .collect();
        let of = self.size.iter();
        of.map(|&at| effects[at] + self.own[below(rng, self.own.len())])
            .collect()
    }
}

/// Numbers that a form has to find with so many data sizes.
pub(super) fn unknowns(data_sizes: usize, term: DataTerm) -> usize {
    match (data_sizes, term) {
        (1, _) => 3,
        (2, _) => 4,
        (_, DataTerm::Both) => 6,
        _ => 5,
    }
}

/// The unit of evidence: one mean over seeds for each size of model and of data.
pub(super) fn cells(series: &[Point]) -> Vec<Point> {
    let same_data = |x: &Point, y: &Point| x.data_bytes == y.data_bytes;
    let by_data = points::collect(series, same_data);
    by_data
        .iter()
        .flat_map(|of| points::mean_by_size(of))
        .collect()
}
