//! A joint law and a joint cost, fitted together and resampled together.

use rayon::prelude::*;

use super::{DataTerm, JointCost, JointLaw};
use crate::critical::{Estimator, Point, bootstrap, points};
use crate::random::{below, stream};

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
        let unknowns = match (points::data_sizes(cells).len(), law.term) {
            (1, _) => 3,
            (2, _) => 4,
            (_, DataTerm::Both) => 6,
            _ => 5,
        };
        let mut resampled = Vec::new();
        if n > unknowns {
            let misses = bootstrap::inflated(misses, unknowns);
            let cost_misses = cells.iter().map(|p| p.model_bytes / cost.bytes(p) - 1.0);
            let cost_misses = bootstrap::inflated(cost_misses.collect(), cost.unknowns());
            // Each resample is a two-dimensional search: fewer of them than for one data size.
            resampled = (0..estimator.resamples.div_ceil(8))
                .into_par_iter()
                .filter_map(|i| {
                    let mut rng = stream(estimator.seed, i);
                    let mut drawn = cells.to_vec();
                    for p in &mut drawn {
                        let r = misses[below(&mut rng, n)];
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

/// The unit of evidence: one mean over seeds for each size of model and of data.
fn cells(series: &[Point]) -> Vec<Point> {
    let same_data = |x: &Point, y: &Point| x.data_bytes == y.data_bytes;
    let by_data = points::collect(series, same_data);
    by_data
        .iter()
        .flat_map(|of| points::mean_by_size(of))
        .collect()
}
