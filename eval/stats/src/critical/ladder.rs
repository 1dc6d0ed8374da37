//! The models of one data size as evidence: one mean a size, and how much sizes and
//! seeds scatter.

use serde::{Deserialize, Serialize};

use super::Point;
use crate::distribution::f_tail;

/// Sizes scatter by about this much beyond their seeds in ladders of this project
/// (docs/results.md). It is assumed where there are too few sizes to estimate it.
const SIZE_EFFECT: f64 = 0.005;

/// Mean losses by size, and what is known of the noise between seeds.
#[derive(Clone)]
pub(super) struct Ladder {
    /// `ln N`, increasing.
    pub(super) log_size: Vec<f64>,
    /// Mean bits per byte over the seeds.
    pub(super) loss: Vec<f64>,
    /// Weight of a relative error of that mean; about 1.
    pub(super) weight: Vec<f64>,
    /// Bytes described.
    pub(super) data_bytes: f64,
    seeds: Vec<usize>,
    /// Relative standard deviation between seeds, with its degrees of freedom.
    seed_noise: Option<(f64, usize)>,
}

/// How the points scatter about the law, as shares of the loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scatter {
    /// Distinct sizes.
    pub sizes: usize,
    /// Standard deviation of a size about the law, without what its seeds explain;
    /// nothing with as many unknowns as sizes.
    pub size_sd: Option<f64>,
    /// Standard deviation between the seeds of one size; nothing with one seed each.
    pub seed_sd: Option<f64>,
    /// Whether sizes scatter more than their seeds explain.
    pub lack_of_fit: Option<LackOfFit>,
}

/// The F test of size means about the law against the noise between seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LackOfFit {
    /// Mean square of sizes over that of seeds.
    pub f: f64,
    /// Probability of so large an F where the law holds exactly.
    pub p: f64,
    /// Degrees of freedom of both.
    pub degrees: [usize; 2],
}

impl Ladder {
    /// Means of the points by size, all of one data size.
    pub(super) fn new(group: &[Point]) -> Self {
        let mut sorted: Vec<&Point> = group.iter().collect();
        sorted.sort_by(|x, y| x.parameters.total_cmp(&y.parameters));
        let (mut squares, mut degrees) = (0.0, 0);
        let mut ladder = Self {
            log_size: Vec::new(),
            loss: Vec::new(),
            weight: Vec::new(),
            data_bytes: group[0].data_bytes,
            seeds: Vec::new(),
            seed_noise: None,
        };
        for same in sorted.chunk_by(|x, y| x.parameters == y.parameters) {
            let count = same.len();
            let mean = same.iter().map(|p| p.bits_per_byte).sum::<f64>() / count as f64;
            squares += same
                .iter()
                .map(|p| (p.bits_per_byte / mean - 1.0).powi(2))
                .sum::<f64>();
            degrees += count - 1;
            ladder.log_size.push(same[0].parameters.ln());
            ladder.loss.push(mean);
            ladder.weight.push(1.0);
            ladder.seeds.push(count);
        }
        if degrees > 0 {
            ladder.seed_noise = Some(((squares / degrees as f64).sqrt(), degrees));
        }
        ladder
    }

    pub(super) fn sizes(&self) -> usize {
        self.loss.len()
    }

    /// Mean of one over the number of seeds.
    fn per_seed(&self) -> f64 {
        self.seeds.iter().map(|&n| 1.0 / n as f64).sum::<f64>() / self.sizes() as f64
    }

    /// What the sum of squared relative errors of the means about a law of so many
    /// unknowns says of the scatter.
    pub(super) fn scatter(&self, squares: f64, unknowns: usize) -> Scatter {
        let free = self.sizes().saturating_sub(unknowns);
        let mean_square = (free > 0).then(|| squares / free as f64);
        let seeds = self.seed_noise;
        let from_seeds = seeds.map(|(sd, _)| sd * sd * self.per_seed());
        Scatter {
            sizes: self.sizes(),
            size_sd: mean_square.map(|s| (s - from_seeds.unwrap_or(0.0)).max(0.0).sqrt()),
            seed_sd: seeds.map(|(sd, _)| sd),
            lack_of_fit: mean_square.zip(from_seeds).zip(seeds).and_then(
                |((size, seed), (_, degrees))| {
                    let f = size / seed;
                    f.is_finite().then(|| LackOfFit {
                        f,
                        p: f_tail(f, free as f64, degrees as f64),
                        degrees: [free, degrees],
                    })
                },
            ),
        }
    }

    /// Weighs sizes by what their number of seeds is worth beside the scatter of sizes;
    /// all alike where each has as many.
    pub(super) fn weigh(&mut self, scatter: &Scatter) {
        let (Some(size), Some(seed)) = (scatter.size_sd, scatter.seed_sd) else {
            return;
        };
        let variance = |n: usize| size * size + seed * seed / n as f64;
        let mean = size * size + seed * seed * self.per_seed();
        if mean > 0.0 {
            for (weight, &seeds) in self.weight.iter_mut().zip(&self.seeds) {
                *weight = mean / variance(seeds);
            }
        }
    }

    /// Sizes and mean losses.
    pub(super) fn pairs(&self) -> Vec<(f64, f64)> {
        let sizes = self.log_size.iter().map(|x| x.exp());
        sizes.zip(self.loss.iter().copied()).collect()
    }

    /// Variance of a size's mean about a law that misses the means by so much, with the
    /// degrees of freedom behind it. With fewer than three sizes more than unknowns, two
    /// degrees come from what is expected: the noise of the seeds, and [`SIZE_EFFECT`].
    pub(super) fn variance(&self, squares: f64, unknowns: usize) -> (f64, f64) {
        let free = self.sizes().saturating_sub(unknowns) as f64;
        if free >= 3.0 {
            return (squares / free, free);
        }
        let seeds = self
            .seed_noise
            .map_or(0.0, |(sd, _)| sd * sd * self.per_seed());
        let expected = SIZE_EFFECT * SIZE_EFFECT + seeds;
        ((squares + 2.0 * expected) / (free + 2.0), free + 2.0)
    }

    /// Whether the largest model codes in more bits than the one before, by this share.
    pub(super) fn largest_rises(&self, by: f64) -> bool {
        match self.loss[..] {
            [.., before, last] => last > before * (1.0 + by),
            _ => false,
        }
    }

    /// The ladder without its largest size.
    pub(super) fn without_largest(&self) -> Self {
        let mut rest = self.clone();
        rest.log_size.pop();
        rest.loss.pop();
        rest.weight.pop();
        rest.seeds.pop();
        rest
    }
}
