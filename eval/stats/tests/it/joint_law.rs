//! The joint law against simulated ladders of both of its forms.

use crate::noise::normal;
use brevity_stats::critical::{
    DataTerm, Estimator, JointLaw, ModelCost, Point,
    joint::{DataLaw, data_laws},
};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

/// As fitted to English prose in-sample, two bytes a parameter.
const BY_HEART: JointLaw = JointLaw {
    e: 1.69,
    a: 82.0,
    alpha: 0.50,
    term: DataTerm::ParametersPerByte,
    b: -0.84,
    beta: 0.78,
};

/// As of models that see their data once.
const ONE_PASS: JointLaw = JointLaw {
    e: 1.2,
    a: 20.0,
    alpha: 0.30,
    term: DataTerm::Bytes,
    b: 30.0,
    beta: 0.35,
};

/// Five sizes a factor of two apart at each of four sizes of data, three seeds, with 1% of
/// noise.
fn ladders(law: &JointLaw, rng: &mut ChaCha8Rng) -> Vec<Point> {
    let mut points = Vec::new();
    for data in [1e5, 1e6, 4e6, 1e7] {
        let middle = law.critical_size(&ModelCost::per_parameter(2.0), data);
        for step in -2..=2 {
            for seed in 0..3 {
                let n = (middle * 2f64.powi(step)).round();
                let bits = law.bits_per_byte(n, data) * (1.0 + 0.01 * normal(rng));
                points.push(Point {
                    seed,
                    ..Point::new(n, data, bits)
                });
            }
        }
    }
    points
}

fn fitted(points: &[Point], resamples: usize) -> DataLaw {
    let estimator = Estimator { resamples, seed: 1 };
    data_laws(points, &[1e8], &estimator).unwrap().remove(0)
}

#[test]
fn intervals_of_what_was_not_measured_cover_it() {
    const RUNS: usize = 30;
    for (law, form) in [(BY_HEART, "by heart"), (ONE_PASS, "one pass")] {
        let exact = law.critical_size(&ModelCost::per_parameter(2.0), 1e8);
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let (mut inside, mut right_form, mut octaves) = (0, 0, 0.0);
        for _ in 0..RUNS {
            let found = fitted(&ladders(&law, &mut rng), 500);
            let far = found.predictions.last().unwrap();
            let [low, high] = far.ci95.unwrap();
            inside += usize::from(low <= exact && exact <= high);
            right_form += usize::from(found.law.term == law.term);
            octaves += (far.n_star / exact).log2() / RUNS as f64;
        }
        eprintln!("{form}: {inside} inside, {right_form} of the right form, bias {octaves:+.3}");
        assert!(inside * 10 >= RUNS * 8, "{form}: {inside} of {RUNS}");
        assert!(right_form * 10 >= RUNS * 8, "{form}: {right_form}");
        assert!(octaves.abs() < 0.1, "{form}: {octaves}");
    }
}
