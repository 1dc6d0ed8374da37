//! The gap between two code lengths of the same bytes, with its interval.

use crate::ties::{self, Runs};

/// An interval of a gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// 95% interval of the second's length less the first's.
    pub ci95: [f64; 2],
    /// Blocks that are drawn in one run, by their autocorrelation.
    pub run: usize,
}

/// The interval of `sum(second) - sum(first)` over other bytes of the same source: both are
/// code lengths of the same contiguous blocks, which are drawn together, in runs as long as
/// their autocorrelation demands. None for fewer than two blocks.
///
/// # Panics
/// If they are of other numbers of blocks.
///
/// ```
/// let first: Vec<f64> = (0..50).map(|i| 100.0 + f64::from(i % 5)).collect();
/// let second: Vec<f64> = (0..50).map(|i| 104.0 + f64::from(i % 3)).collect();
/// let found = brevity_stats::gap::interval(&first, &second, 500, 1).unwrap();
/// assert!(found.ci95[0] > 0.0 && found.ci95[1] < 250.0);
/// ```
#[must_use]
pub fn interval(first: &[f64], second: &[f64], resamples: usize, seed: u64) -> Option<Interval> {
    assert_eq!(first.len(), second.len(), "the same blocks");
    if first.len() < 2 {
        return None;
    }
    let total = |blocks: &[f64]| blocks.iter().sum::<f64>();
    let swapped = total(second) < total(first);
    let (short, long) = if swapped {
        (second, first)
    } else {
        (first, second)
    };
    let runs = [short, long].map(|blocks| Runs {
        model_bits: vec![0.0],
        blocks: vec![blocks.to_vec()],
    });
    let found = ties::compare(&runs, resamples, seed)?;
    let [low, high] = found.behind[1];
    Some(Interval {
        ci95: if swapped { [-high, -low] } else { [low, high] },
        run: found.run,
    })
}
