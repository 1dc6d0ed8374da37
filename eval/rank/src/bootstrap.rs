//! Intervals over other documents of the same kind.

use brevity_stats::random::{below, stream};

/// Draws.
const DRAWS: usize = 2000;

/// Documents of one byte set under some models.
pub(crate) struct Documents<'a> {
    /// Bytes of each document.
    pub bytes: &'a [f64],
    /// Bits of each document, by model.
    pub bits: &'a [Vec<f64>],
}

/// Bits per byte of each model in each draw of documents, `[model][draw]`. The same
/// documents are drawn for all models, and in runs where neighbours are alike, as pieces
/// of one text are. Draws of different `set` are independent. None for fewer than two
/// documents.
pub(crate) fn draw(documents: &Documents<'_>, set: usize) -> Option<Vec<Vec<f64>>> {
    let count = documents.bytes.len();
    if count < 2 {
        return None;
    }
    let run = run(documents);
    let mut drawn = vec![Vec::with_capacity(DRAWS); documents.bits.len()];
    for i in 0..DRAWS {
        let mut rng = stream(set as u64 + 1, i);
        let mut chosen = Vec::with_capacity(count + run);
        while chosen.len() < count {
            let start = below(&mut rng, count);
            chosen.extend((start..start + run).map(|at| at % count));
        }
        chosen.truncate(count);
        let bytes: f64 = chosen.iter().map(|&at| documents.bytes[at]).sum();
        for (model, drawn) in documents.bits.iter().zip(&mut drawn) {
            let bits: f64 = chosen.iter().map(|&at| model[at]).sum();
            drawn.push(bits / bytes.max(1.0));
        }
    }
    Some(drawn)
}

/// The 95% interval about an estimate from draws of it: Student's, by the draws' spread,
/// since a few documents spread less than all there are. `count` is the number of documents.
pub(crate) fn interval(estimate: f64, draws: &[f64], count: usize) -> [f64; 2] {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let degrees = (count as f64 - 1.0).max(1.0);
    // Deviations from the mean of the same documents are too small.
    let half = student(degrees) * (variance * (degrees + 1.0) / degrees).sqrt();
    [estimate - half, estimate + half]
}

/// The 97.5% point of Student's distribution: Cornish and Fisher's expansion, within 1% from
/// three degrees of freedom on, tabulated below.
fn student(degrees: f64) -> f64 {
    const Z: f64 = 1.959_964;
    if degrees < 3.0 {
        return if degrees < 2.0 { 12.706 } else { 4.303 };
    }
    let (z3, z5, z7) = (Z.powi(3), Z.powi(5), Z.powi(7));
    let first = (z3 + Z) / 4.0;
    let second = (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / 96.0;
    let third = (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * Z) / 384.0;
    Z + first / degrees + second / degrees.powi(2) + third / degrees.powi(3)
}

/// Documents that are drawn in one run, by the autocorrelation of neighbours (Politis and
/// White 2004 for a first-order process, circular blocks), the mean over models.
fn run(documents: &Documents<'_>) -> usize {
    let count = documents.bytes.len();
    let rate = |model: &Vec<f64>| -> Vec<f64> {
        let pairs = model.iter().zip(documents.bytes);
        pairs.map(|(bits, bytes)| bits / bytes.max(1.0)).collect()
    };
    let rhos: Vec<f64> = documents.bits.iter().map(|m| lag_one(&rate(m))).collect();
    let rho = rhos.iter().sum::<f64>() / rhos.len().max(1) as f64;
    let rho = rho.clamp(0.0, 0.95);
    let ideal = (6.0 * count as f64).cbrt() * (rho / (1.0 - rho * rho)).powf(2.0 / 3.0);
    (ideal.ceil() as usize).clamp(1, (count / 3).max(1))
}

fn lag_one(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let square: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let products = values.windows(2).map(|p| (p[0] - mean) * (p[1] - mean));
    match square > 0.0 {
        true => products.sum::<f64>() / square,
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_stats::random::normal;

    #[test]
    fn students_points_are_those_of_tables() {
        for (degrees, point) in [(2.0, 4.303), (3.0, 3.182), (9.0, 2.262), (99.0, 1.984)] {
            assert!((student(degrees) / point - 1.0).abs() < 0.01, "{degrees}");
        }
    }

    /// How often the interval covers the mean of documents whose neighbours have this
    /// correlation.
    fn covered(count: usize, rho: f64) -> f64 {
        let times = 150;
        let inside = (0..times).filter(|&i| {
            let mut rng = stream(99, i);
            let mut last = normal(&mut rng);
            let mut next = || {
                last = rho * last + (1.0 - rho * rho).sqrt() * normal(&mut rng);
                2000.0 * (2.0 + 0.1 * last)
            };
            let bits = vec![(0..count).map(|_| next()).collect::<Vec<f64>>()];
            let bytes = vec![2000.0; count];
            let documents = Documents {
                bytes: &bytes,
                bits: &bits,
            };
            let estimate = bits[0].iter().sum::<f64>() / bytes.iter().sum::<f64>();
            let drawn = draw(&documents, 0).expect("documents");
            let [low, high] = interval(estimate, &drawn[0], count);
            low <= 2.0 && 2.0 <= high
        });
        inside.count() as f64 / times as f64
    }

    #[test]
    fn intervals_cover() {
        for (count, rho) in [(5, 0.0), (40, 0.0), (100, 0.5)] {
            let share = covered(count, rho);
            assert!((0.88..=0.99).contains(&share), "{count} {rho}: {share}");
        }
    }
}
