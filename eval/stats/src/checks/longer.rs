//! What training longer gains.

use serde::{Deserialize, Serialize};

use super::pairs::{Series, checked, gain, varied};
use brevity_length::{AxisValue, Row};

/// Adjusted rate of one model trained once and about twice as long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doubled {
    /// Which bytes, and their relation to those trained on.
    pub series: String,
    /// Parameters of the model.
    pub parameters: u64,
    /// Longer over shorter training.
    pub factor: f64,
    /// Share of the adjusted rate that the longer run removes, by the convention
    /// where that is most.
    pub gain: f64,
}

const LENGTHS: [&str; 3] = ["train.epochs", "train.steps", "train.bytes"];

/// Every pair of runs of which one is about twice as long, smallest models first.
pub(super) fn doubled(rows: &[&Row]) -> Vec<Doubled> {
    let mut pairs: Vec<(&Row, &Row, f64)> = Vec::new();
    for &row in rows {
        if let Some((base, check)) = checked(row, rows) {
            if LENGTHS.contains(&check.key.as_str()) {
                pairs.push((base, row, check.to / check.from));
            }
            continue;
        }
        for key in LENGTHS {
            if let Some(length) = row.axes.get(key).and_then(AxisValue::as_f64) {
                let others = varied(row, rows, key).into_iter();
                pairs.extend(others.map(|(long, to)| (row, long, to / length)));
            }
        }
    }
    let series = Series::new(rows);
    let mut found: Vec<Doubled> = pairs
        .into_iter()
        .filter(|(.., factor)| (1.8..=2.5).contains(factor))
        .filter_map(|(short, long, factor)| {
            Some(Doubled {
                series: series.of(short),
                parameters: short.parameters,
                factor,
                gain: gain(short, long)?,
            })
        })
        .collect();
    found.sort_by_key(|d| d.parameters);
    found
}
