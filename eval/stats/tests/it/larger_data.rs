//! Ladders at several data sizes, whose N* at ten times the largest is known.

use brevity_stats::critical::{DataTerm, Estimator, Point, joint::data_laws};
use brevity_stats::random::normal;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use rayon::prelude::*;

/// A law of N and D in bits per byte, with its name and, where it is one of those offered, the
/// term of its data.
pub struct LargerData {
    pub name: &'static str,
    pub term: Option<DataTerm>,
    pub law: fn(f64, f64) -> f64,
}

pub fn all() -> Vec<LargerData> {
    let of = |name, term, law| LargerData { name, term, law };
    vec![
        of("one pass, B D^-beta", Some(DataTerm::Bytes), |n, d| {
            1.2 + 20.0 * n.powf(-0.30) + 30.0 * d.powf(-0.35)
        }),
        of(
            "prose in-sample, B (N/D)^beta",
            Some(DataTerm::ParametersPerByte),
            |n, d| 1.70 + 84.0 * n.powf(-0.50) - 0.84 * (n / d).powf(0.78),
        ),
        of(
            "prose held-out, B (N/D)^beta",
            Some(DataTerm::ParametersPerByte),
            |n, d| 1.48 + 16.0 * n.powf(-0.28) + 1.25 * (n / d).powf(0.98),
        ),
        of("both terms", Some(DataTerm::Both), |n, d| {
            1.2 + 30.0 * n.powf(-0.35) + 8.0 * d.powf(-0.25) + 0.8 * n / d
        }),
        of("Kaplan's form", None, |n, d| {
            2.0 * ((3e4 / n).powf(0.3 / 0.4) + 3e5 / d).powf(0.4)
        }),
        of("alpha falls by 0.04 a decade", None, |n, d| {
            let alpha = 0.375 - 0.04 * (n / 2e4).log10();
            1.35 + 36.5 * 2e4f64.powf(-0.375) * (n / 2e4).powf(-alpha) + 30.0 * d.powf(-0.35)
        }),
    ]
}

/// Data sizes measured, and the one foretold.
const MEASURED: [f64; 4] = [1e5, 1e6, 4e6, 1e7];
const FORETOLD: f64 = 1e8;

#[derive(Default)]
pub struct Foretold {
    pub covered: usize,
    pub warned: usize,
    /// The closest form is that of the truth.
    pub right_form: usize,
    /// Truth outside of the interval, and nothing said.
    pub false_confidence: usize,
    /// Octaves, on average.
    pub bias: f64,
    /// Octaves, by run.
    pub widths: Vec<f64>,
}

impl LargerData {
    /// N* at two bytes a parameter.
    pub fn truth(&self, data_bytes: f64) -> f64 {
        let total = |x: f64| data_bytes * (self.law)(x.exp(), data_bytes) / 8.0 + 2.0 * x.exp();
        let (mut low, mut high) = (100f64.ln(), 1e8f64.ln());
        for _ in 0..200 {
            let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if total(a) < total(b) {
                high = b
            } else {
                low = a
            }
        }
        low.exp()
    }

    /// Five sizes a factor of two apart about each N*, three seeds; sizes scatter by 0.5% and
    /// seeds by 0.2%.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<Point> {
        let mut points = Vec::new();
        for data in MEASURED {
            let middle = self.truth(data);
            for step in -2..=2 {
                let n = (middle * 2f64.powi(step)).round();
                let size = 0.005 * normal(rng);
                for seed in 0..3 {
                    let bits = (self.law)(n, data) * (1.0 + size + 0.002 * normal(rng));
                    points.push(Point {
                        seed,
                        ..Point::new(n, data, bits)
                    });
                }
            }
        }
        points
    }

    /// What is foretold of many draws.
    pub fn simulate(&self, runs: usize, estimator: &Estimator) -> Foretold {
        let truth = self.truth(FORETOLD);
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let drawn: Vec<Vec<Point>> = (0..runs).map(|_| self.draw(&mut rng)).collect();
        let found: Vec<_> = drawn
            .par_iter()
            .filter_map(|points| data_laws(points, &[FORETOLD], estimator).ok()?.pop())
            .collect();
        let mut out = Foretold::default();
        for law in found {
            let far = &law.predictions[law.predictions.len() - 1];
            let inside = far.ci95.is_some_and(|[l, h]| l <= truth && truth <= h);
            out.covered += usize::from(inside);
            out.right_form += usize::from(self.term == Some(law.law.term));
            out.warned += usize::from(!law.warnings.is_empty());
            out.false_confidence += usize::from(!inside && law.warnings.is_empty());
            out.bias += (far.n_star / truth).log2() / runs as f64;
            out.widths.extend(far.ci95.map(|[l, h]| (h / l).log2()));
        }
        out
    }
}
