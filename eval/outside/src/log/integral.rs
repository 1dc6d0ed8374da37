//! The integral of a loss over the data, and what is not known of it.

use brevity_stats::distribution::student_quantile;

/// Losses at increasing places.
#[derive(Clone, Debug, Default)]
pub(super) struct Curve {
    lines: Vec<usize>,
    at: Vec<f64>,
    bits: Vec<f64>,
}

/// A stretch without losses.
pub(super) struct Gap {
    pub line: usize,
    pub from: f64,
    pub to: f64,
    /// Its length over that of its longer neighbour.
    pub times: f64,
}

/// So many times as long as both neighbours, a stretch is a gap.
const GAP: f64 = 5.0;

impl Curve {
    pub fn push(&mut self, line: usize, at: f64, bits: f64) {
        self.lines.push(line);
        self.at.push(at);
        self.bits.push(bits);
    }

    pub fn len(&self) -> usize {
        self.at.len()
    }

    pub fn end(&self) -> f64 {
        self.at.last().copied().unwrap_or(0.0)
    }

    /// How far a loss is from the one before.
    fn step(&self, i: usize) -> f64 {
        (self.bits[i] - self.bits[i - 1]).abs()
    }

    /// The stretch that ends at each loss.
    fn stretches(&self) -> Vec<f64> {
        let before = std::iter::once(&0.0).chain(&self.at);
        self.at.iter().zip(before).map(|(b, a)| b - a).collect()
    }

    /// Whether the stretch that ends at a loss is a gap, and of how many times.
    fn times(&self, stretches: &[f64], i: usize) -> Option<f64> {
        let before = i.checked_sub(1).map_or(0.0, |i| stretches[i]);
        let after = stretches.get(i + 1).copied().unwrap_or(0.0);
        // The first loss may be of the very first batch.
        let usual = if i == 1 { after } else { before.max(after) };
        let times = stretches[i] / usual;
        (usual > 0.0 && times > GAP).then_some(times)
    }

    /// The first gap.
    pub fn gap(&self) -> Option<Gap> {
        let stretches = self.stretches();
        (0..self.len()).find_map(|i| {
            Some(Gap {
                times: self.times(&stretches, i)?,
                line: self.lines[i],
                from: self.at[i] - stretches[i],
                to: self.at[i],
            })
        })
    }
}

/// The integral from 0, and its range. `most` is what a unit costs without a model;
/// `averaged` says that losses are means of the stretches before them.
///
/// Between two losses of single batches the rule is the trapezoid's. What it misses by the
/// curve's bend is told from every second loss (Richardson), by the noise of batches from
/// second differences. Before the first loss a falling convex curve lies between that loss
/// and the straight line from `most`; in a gap, between the losses at its ends.
pub(super) fn integrate(curve: &Curve, most: Option<f64>, averaged: bool) -> (f64, [f64; 2]) {
    let stretches = curve.stretches();
    let pairs = || stretches.iter().zip(&curve.bits);
    if averaged {
        let bits = pairs().map(|(length, bits)| length * bits).sum();
        return (bits, [bits, bits]);
    }
    let first = stretches[0] * curve.bits[0];
    let line = stretches[0] * (most.unwrap_or(curve.bits[0]) + curve.bits[0]) / 2.0;
    let start = [first.min(line), first.max(line)];
    let trapezoid =
        |a: usize, b: usize| (curve.at[b] - curve.at[a]) * (curve.bits[a] + curve.bits[b]) / 2.0;
    let last = curve.len() - 1;
    let fine: f64 = (0..last).map(|i| trapezoid(i, i + 1)).sum();
    let coarse: f64 = (0..last)
        .step_by(2)
        .map(|i| trapezoid(i, (i + 2).min(last)))
        .sum();
    let bend = (coarse - fine).abs() / 3.0;
    let mut gaps = 0.0;
    for i in 1..curve.len() {
        if curve.times(&stretches, i).is_some() {
            gaps += stretches[i] * curve.step(i) / 2.0;
        }
    }
    // Two losses do not tell noise from bend: what is between them is unknown.
    let noise = noise(curve).unwrap_or_else(|| stretches[last] * curve.step(last) / 2.0);
    let spread = bend + gaps + noise;
    let bits = fine + (start[0] + start[1]) / 2.0;
    let least = (fine + start[0] - spread).max(0.0);
    (bits, [least, fine + start[1] + spread])
}

/// Half of the 95% interval of the trapezoids by the noise of single batches, where three
/// losses or more tell it: a loss less the mean of its neighbours has one and a half times
/// the variance of the noise.
fn noise(curve: &Curve) -> Option<f64> {
    let inner = 1..curve.len().saturating_sub(1);
    let count = inner.len() as f64;
    if inner.is_empty() {
        return None;
    }
    let (mut squares, mut weights) = (0.0, 0.0);
    for i in inner {
        let share = (curve.at[i] - curve.at[i - 1]) / (curve.at[i + 1] - curve.at[i - 1]);
        let between = curve.bits[i - 1] * (1.0 - share) + curve.bits[i + 1] * share;
        squares += (curve.bits[i] - between).powi(2);
        weights += ((curve.at[i + 1] - curve.at[i - 1]) / 2.0).powi(2);
    }
    let error = (squares / count / 1.5 * weights).sqrt();
    Some(student_quantile(0.05, count) * error)
}
