//! A joint law and a joint cost, fitted together and resampled together.

use rayon::prelude::*;

use super::{JointCost, JointLaw};
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
    /// Nothing when there are fewer than three model sizes.
    pub(super) fn new(series: &[Point], estimator: &Estimator) -> Option<Self> {
        let law = JointLaw::fit(series)?;
        let cost = JointCost::fit(series)?;
        let bits = |p: &Point| law.bits_per_byte(p.parameters, p.data_bytes);
        let misses: Vec<f64> = series
            .iter()
            .map(|p| p.bits_per_byte / bits(p) - 1.0)
            .collect();
        let n = misses.len();
        let residual = (misses.iter().map(|r| r * r).sum::<f64>() / n as f64).sqrt();
        let unknowns = [3, 4, 5][points::data_sizes(series).len().min(3) - 1];
        let mut resampled = Vec::new();
        if n > unknowns {
            let misses = bootstrap::inflated(misses, unknowns);
            let cost_misses = series.iter().map(|p| p.model_bytes / cost.bytes(p) - 1.0);
            let cost_misses = bootstrap::inflated(cost_misses.collect(), cost.unknowns());
            // Each resample is a two-dimensional search: fewer of them than for one data size.
            resampled = (0..estimator.resamples.div_ceil(5))
                .into_par_iter()
                .filter_map(|i| {
                    let mut rng = stream(estimator.seed, i);
                    let mut drawn = series.to_vec();
                    for p in &mut drawn {
                        let r = misses[below(&mut rng, n)];
                        let m = cost_misses[below(&mut rng, n)];
                        p.bits_per_byte = bits(p) * (1.0 + r).max(1e-3);
                        p.model_bytes = cost.bytes(p) * (1.0 + m).max(1e-3);
                    }
                    Some(Joint {
                        law: law.refit(&drawn)?,
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
