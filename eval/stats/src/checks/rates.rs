//! Where the learning rate is best at each size, and what it is worth.

use serde::{Deserialize, Serialize};

use super::pairs::{Series, alike, checked, gain, varied};
use brevity_length::Row;

/// Best of several learning rates at one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestRate {
    /// Which bytes, and their relation to those trained on.
    pub series: String,
    /// Parameters of the model.
    pub parameters: u64,
    /// The learning rate with the lowest raw rate.
    pub learning_rate: f64,
    /// How many were tried.
    pub tried: usize,
    /// Largest share of the adjusted rate that any of them takes off that of the
    /// ladder's own, by any convention: weights may be cheaper to store where the raw
    /// rate is not the lowest. Where the sweep varies rates, the ladder's own is the
    /// one that loses least at the size where it loses most.
    pub gain: f64,
}

pub(super) const RATE: &str = "train.learning_rate";

/// The rates that were tried at one size.
struct Size<'a> {
    series: String,
    parameters: u64,
    /// The rate that the others check.
    own: Option<f64>,
    tried: Vec<(&'a Row, f64)>,
}

impl<'a> Size<'a> {
    /// The row with the lowest raw rate.
    fn best(&self) -> (&'a Row, f64) {
        let raw = |(row, _): &&(&Row, f64)| row.raw().unwrap_or(f64::INFINITY);
        let best = self.tried.iter().min_by(|x, y| raw(x).total_cmp(&raw(y)));
        *best.expect("a size has three rows or more")
    }

    /// The most that another rate gains over `rate`; nothing is known of one not tried.
    fn gain_over(&self, rate: f64) -> Option<f64> {
        let (own, _) = self.tried.iter().find(|(_, tried)| *tried == rate)?;
        let gains = self.tried.iter().filter_map(|(row, _)| gain(own, row));
        gains.reduce(f64::max)
    }
}

/// The best rate of every size at which three or more were tried, smallest first.
pub(super) fn best_rates(rows: &[&Row]) -> Vec<BestRate> {
    let sizes = sizes(rows);
    let mut found: Vec<BestRate> = sizes
        .iter()
        .filter_map(|size| {
            let own = size.own.or_else(|| common(&sizes, &size.series))?;
            Some(BestRate {
                series: size.series.clone(),
                parameters: size.parameters,
                learning_rate: size.best().1,
                tried: size.tried.len(),
                gain: size.gain_over(own)?,
            })
        })
        .collect();
    found.sort_by_key(|best| best.parameters);
    found
}

fn sizes<'a>(rows: &[&'a Row]) -> Vec<Size<'a>> {
    let series = Series::new(rows);
    let mut sizes = Vec::new();
    let mut seen: Vec<&Row> = Vec::new();
    for &first in rows.iter().filter(|row| row.check.is_none()) {
        if seen.iter().any(|s| alike(s, first, |k| k == RATE)) {
            continue;
        }
        seen.push(first);
        let (mut own, mut tried) = (None, varied(first, rows, RATE));
        for &row in rows {
            match checked(row, rows) {
                Some((base, check)) if base == first && check.key == RATE => {
                    if !tried.iter().any(|(_, rate)| *rate == check.from) {
                        tried.push((base, check.from));
                    }
                    tried.push((row, check.to));
                    own = Some(check.from);
                }
                _ => {}
            }
        }
        if tried.len() >= 3 {
            sizes.push(Size {
                series: series.of(first),
                parameters: first.parameters,
                own,
                tried,
            });
        }
    }
    sizes
}

/// The one rate for all sizes of a series that loses least where it loses most.
fn common(sizes: &[Size<'_>], series: &str) -> Option<f64> {
    let of_series = || sizes.iter().filter(|size| size.series == series);
    let loss = |rate: f64| {
        let losses = of_series().map(|size| size.gain_over(rate).unwrap_or(f64::INFINITY));
        losses.fold(0.0, f64::max)
    };
    let rates = of_series().flat_map(|size| size.tried.iter().map(|(_, rate)| *rate));
    rates.min_by(|&x, &y| loss(x).total_cmp(&loss(y)))
}
