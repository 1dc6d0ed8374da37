//! Candidates of a selection that are exactly as long as each other, but for other bytes and
//! other seeds.

use brevity_length::{AxisValue, Description, Regime, Row, Scored, TrainedOn};
use brevity_stats::random::normal;
use brevity_stats::selection::{Options, rank};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use rayon::prelude::*;

/// True ties.
pub struct Tied {
    pub candidates: usize,
    pub seeds: u64,
    /// Correlation of the differences between neighbouring blocks.
    pub correlation: f64,
    /// Standard deviation between seeds, as a share of the length.
    pub noise: f64,
}

/// Those of the suite: candidates, seeds, correlation, noise.
pub fn all() -> Vec<Tied> {
    let mut all = Vec::new();
    for seeds in [1, 3, 5] {
        for correlation in [0.0, 0.5, 0.8] {
            for candidates in [2, 5] {
                all.push(Tied {
                    candidates,
                    seeds,
                    correlation,
                    noise: 0.003,
                });
            }
        }
    }
    all
}

const BLOCKS: usize = 64;
/// Bits of a block, on average.
const BITS: f64 = 1e6;

impl Tied {
    /// One sweep: `candidates` widths, as many rows of each as seeds.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<Row> {
        let hard: Vec<f64> = (0..BLOCKS).map(|_| 1.0 + 0.1 * normal(rng)).collect();
        let mut rows = Vec::new();
        for candidate in 0..self.candidates {
            let mut last = normal(rng);
            let own: Vec<f64> = (0..BLOCKS)
                .map(|_| {
                    let rest = (1.0 - self.correlation * self.correlation).sqrt();
                    last = self.correlation * last + rest * normal(rng);
                    last
                })
                .collect();
            for seed in 0..self.seeds {
                let lucky = 1.0 + self.noise * normal(rng);
                let blocks = hard.iter().zip(&own).map(|(hard, own)| {
                    let of_seed = 0.003 * normal(rng);
                    (BITS * (hard * lucky + 0.01 * own + of_seed)).round() as u64
                });
                rows.push(row(candidate, seed, blocks.collect()));
            }
        }
        rows
    }

    /// How many of `runs` draws have all of their intervals about 0.
    pub fn held(&self, runs: usize, resamples: usize) -> usize {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let drawn: Vec<Vec<Row>> = (0..runs).map(|_| self.draw(&mut rng)).collect();
        let options = Options {
            resamples,
            ..Options::default()
        };
        let held = drawn.par_iter().filter(|rows| {
            let ranking = &rank(rows, &options)[0];
            let intervals = ranking.candidates[1..].iter().map(|c| c.behind_ci95);
            intervals
                .into_iter()
                .all(|ci| ci.is_some_and(|[low, high]| low <= 0.0 && 0.0 <= high))
        });
        held.count()
    }
}

fn row(candidate: usize, seed: u64, blocks: Vec<u64>) -> Row {
    let bits: u64 = blocks.iter().sum();
    let bytes = 1_000_000;
    let scored = Scored {
        bytes,
        hash: "tied".into(),
    };
    let parameters = 10_000;
    let found = Description::two_part(
        Regime::InSample,
        scored,
        bits as f64,
        bits / 8,
        parameters,
        bytes,
    );
    Row {
        id: Some(format!("{candidate}-{seed}")),
        axes: [("model.width", AxisValue::Integer(candidate as i64))]
            .into_iter()
            .collect(),
        seed: Some(seed),
        parameters,
        data: TrainedOn {
            source: "tied".into(),
            bytes,
            hash: "tied".into(),
        },
        score: Some(found.with_blocks(blocks).into()),
        ..Row::default()
    }
}
