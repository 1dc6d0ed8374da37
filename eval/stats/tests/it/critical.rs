//! The estimator against simulated ladders whose critical size is known.
//!
//! The truth is the paper's in-sample curve at 1 GB and two bytes a parameter
//! (N* near 7.5M), sampled as one would measure it.

use brevity_stats::critical::{
    DataTerm, Estimator, HUBER, JointLaw, Law, ModelCost, Point, critical_sizes,
    each_critical_size,
    joint::data_laws,
    points::{parse_csv, read_csv},
};
use brevity_stats::random::normal;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

const DATA: f64 = 1e8;

fn truth() -> Law {
    Law {
        e: 0.08 * 8.79,
        a: 0.08 * 8.89 * 1e6f64.powf(0.324),
        alpha: 0.324,
        share: None,
    }
}

fn exact() -> f64 {
    ModelCost::per_parameter(2.0).optimum(&truth(), DATA)
}

/// One size per octave, 10K to 10M, `seeds` runs each with 1% of noise.
fn ladder(rng: &mut ChaCha8Rng, seeds: u64, noise: f64) -> Vec<Point> {
    let mut points = Vec::new();
    for i in 0..11 {
        for seed in 0..seeds {
            let n = 1e4 * 2f64.powi(i);
            let l = truth().bits_per_byte(n) * (1.0 + noise * normal(rng));
            points.push(Point {
                seed,
                ..Point::new(n, DATA, l)
            });
        }
    }
    points
}

fn mean_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let var = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, var.sqrt())
}

/// Vertex of the least-squares parabola of adjusted rate over log2 N.
fn parabola_vertex(points: &[Point]) -> f64 {
    let mean = points.iter().map(|p| p.parameters.log2()).sum::<f64>() / points.len() as f64;
    let mut s = [0.0; 5];
    let mut t = [0.0; 3];
    for p in points {
        let x = p.parameters.log2() - mean;
        for (k, s) in s.iter_mut().enumerate() {
            *s += x.powi(k as i32);
        }
        for (k, t) in t.iter_mut().enumerate() {
            *t += x.powi(k as i32) * p.adjusted_rate();
        }
    }
    // Cramer's rule for c0 + c1 x + c2 x^2.
    let det = |a: [[f64; 3]; 3]| {
        a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1])
            - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0])
            + a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0])
    };
    let c1 = det([[s[0], t[0], s[2]], [s[1], t[1], s[3]], [s[2], t[2], s[4]]]);
    let c2 = det([[s[0], s[1], t[0]], [s[1], s[2], t[1]], [s[2], s[3], t[2]]]);
    (mean - c1 / (2.0 * c2)).exp2()
}

#[test]
fn without_noise_there_is_no_bias_and_a_parabola_has_most_of_an_octave() {
    let points = ladder(&mut ChaCha8Rng::seed_from_u64(0), 1, 0.0);
    let found = &critical_sizes(&points, &Estimator::default()).unwrap()[0];
    let octaves = |n: f64| (n / exact()).log2();
    assert!(octaves(found.n_star).abs() < 1e-3, "law");
    assert!(octaves(found.akima_n_star.unwrap()).abs() < 0.03, "Akima");
    assert!(
        octaves(parabola_vertex(&points)) < -0.5,
        "parabola {}",
        octaves(parabola_vertex(&points))
    );
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    let identity = found.alpha * found.reducible_share;
    assert!(
        (found.model_share - identity).abs() < 1e-6,
        "model share = alpha x reducible"
    );
}

#[test]
fn with_noise_the_bias_is_small_and_the_interval_covers() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let estimator = Estimator {
        resamples: 200,
        ..Estimator::default()
    };
    let (mut law, mut akima, mut covered) = (Vec::new(), Vec::new(), 0);
    const RUNS: usize = 200;
    for _ in 0..RUNS {
        let points = ladder(&mut rng, 1, 0.01);
        let found = &critical_sizes(&points, &estimator).unwrap()[0];
        law.push((found.n_star / exact()).log2());
        akima.push((found.akima_n_star.unwrap() / exact()).log2());
        let [low, high] = found.ci95.unwrap();
        covered += usize::from(low <= exact() && exact() <= high);
    }
    let ((bias, sd), (akima_bias, akima_sd)) = (mean_sd(&law), mean_sd(&akima));
    println!(
        "law {bias:+.3} +- {sd:.3}, Akima {akima_bias:+.3} +- {akima_sd:.3} octaves, covered {covered}/{RUNS}"
    );
    assert!(bias.abs() < 0.02, "law {bias}");
    assert!(akima_bias.abs() < 0.05, "Akima {akima_bias}");
    assert!(
        (180..=199).contains(&covered),
        "covered {covered} of {RUNS}"
    );
}

#[test]
fn an_optimum_outside_of_the_grid_is_said_to_be() {
    let mut points = ladder(&mut ChaCha8Rng::seed_from_u64(0), 1, 0.0);
    points.truncate(5);
    let found = &critical_sizes(&points, &Estimator::default()).unwrap()[0];
    assert!(
        found
            .warnings
            .iter()
            .any(|w| w.contains("largest size measured"))
    );
}

#[test]
fn a_flat_law_is_said_to_be() {
    let flat: Vec<Point> = (0..8)
        .map(|i| 1e4 * 2f64.powi(i))
        .map(|n| Point::new(n, 1e6, 10.0 * n.powf(-0.05)))
        .collect();
    let found = &critical_sizes(&flat, &Estimator::default()).unwrap()[0];
    assert!(found.warnings.iter().any(|w| w.contains("below 0.1")));
}

#[test]
fn stored_bytes_that_vary_a_parameter_keep_the_optimum_exact() {
    let cost = |n: f64| 400.0 + 0.6 * n;
    let points: Vec<Point> = (0..11)
        .map(|i| 1e4 * 2f64.powi(i))
        .map(|n| Point {
            model_bytes: cost(n),
            convention: "stored".into(),
            ..Point::new(n, DATA, truth().bits_per_byte(n))
        })
        .collect();
    let found = &critical_sizes(&points, &Estimator::default()).unwrap()[0];
    let exact = ModelCost::per_parameter(0.6).optimum(&truth(), DATA);
    assert!((found.n_star / exact).log2().abs() < 1e-3);
}

#[test]
fn bad_points_are_refused() {
    let mut points = vec![Point::new(1000.0, 1e6, 3.0); 3];
    points[1].bits_per_byte = f64::NAN;
    let error = critical_sizes(&points, &Estimator::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("point 1: bits_per_byte is NaN")
    );
    let two = parse_csv(
        "parameters,data_bytes,raw_rate\n1,9,1\n2,9,1\n",
        "t.csv",
        2.0,
    )
    .unwrap();
    let error = critical_sizes(&two, &Estimator::default()).unwrap_err();
    assert!(
        error.to_string().contains("2 distinct model sizes"),
        "{error}"
    );
}

#[test]
fn a_series_that_cannot_be_fitted_leaves_the_others() {
    // At 1 kB the raw rate rises from the second size on; at 1 MB it falls.
    let text = "parameters,data_bytes,bits_per_byte\n\
                1000,1e3,4\n2000,1e3,3\n4000,1e3,5\n8000,1e3,6\n\
                1000,1e6,4\n2000,1e6,3\n4000,1e6,2.5\n8000,1e6,2.25\n";
    let points = parse_csv(text, "t.csv", 2.0).unwrap();
    let each = each_critical_size(&points, &Estimator::default()).unwrap();
    let [small, large] = &each[..] else { panic!() };
    let error = small.as_ref().unwrap_err().to_string();
    assert!(
        error.contains("2 distinct model sizes below which"),
        "{error}"
    );
    assert!(large.as_ref().unwrap().n_star > 1000.0);
}

#[test]
fn where_larger_models_are_no_better_the_smallest_is_the_optimum() {
    let text = "parameters,data_bytes,bits_per_byte\n\
                1000,1e4,8\n2000,1e4,8.001\n4000,1e4,8.002\n8000,1e4,8.003\n";
    let points = parse_csv(text, "t.csv", 2.0).unwrap();
    let found = &critical_sizes(&points, &Estimator::default()).unwrap()[0];
    assert_eq!(found.n_star, 1000.0);
    assert!((found.rate - 1.2).abs() < 0.01, "{}", found.rate);
}

#[test]
fn the_papers_figure_goes_through_the_same_estimator() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/paper-fig2.csv");
    let points = read_csv(path.as_ref(), 2.0).unwrap();
    assert_eq!(points.len(), 36);
    // Below 10M parameters, where the models of 100 MB do not memorise them.
    let below: Vec<Point> = points.into_iter().filter(|p| p.parameters < 1e7).collect();
    let found = critical_sizes(&below, &Estimator::default()).unwrap();
    let warned = |i: usize, text: &str| found[i].warnings.iter().any(|w| w.contains(text));
    assert!((found[0].n_star / 0.23e6).log2().abs() < 0.1);
    assert!(warned(0, "smallest size measured"));
    assert!((found[1].n_star / 1.3e6).log2().abs() < 0.1);
    assert!(found[1].warnings.is_empty());
    assert!((found[1].alpha - 0.32).abs() < 0.02);
    assert!(warned(2, "raw rate rises"));
}

#[test]
fn the_measured_ladders_of_prose_foretell_their_largest() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/prose.csv");
    let points = read_csv(path.as_ref(), 2.0).unwrap();
    // Intervals are not looked at.
    let estimator = Estimator {
        resamples: 0,
        ..Estimator::default()
    };
    let laws = data_laws(&points, &[], &estimator).unwrap();
    assert_eq!(laws.len(), 4);
    for law in laws {
        assert!(law.residual < 0.02, "{}", law.law);
        let left_out = law.left_out.unwrap();
        assert_eq!(left_out.data_bytes, 1e7);
        assert!(left_out.octaves.abs() < 0.25, "{left_out:?}");
        assert!(left_out.regret < 2e-3, "{left_out:?}");
        let foretold = left_out.free.unwrap();
        assert!(foretold.octaves.abs() < 0.2, "{foretold:?}");
        assert!(foretold.regret < 1e-3, "{foretold:?}");
    }
}

#[test]
fn prose_is_learned_by_heart_as_parameters_per_byte() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/prose.csv");
    let points = read_csv(path.as_ref(), 2.0).unwrap();
    let miss = |regime: &str, convention: &str, term| {
        let series: Vec<Point> = points
            .iter()
            .filter(|p| p.regime == regime && p.convention == convention)
            .cloned()
            .collect();
        let law = JointLaw::fit_as(&series, term, HUBER).unwrap();
        let squares = series.iter().map(|p| {
            let fitted = law.bits_per_byte(p.parameters, p.data_bytes);
            (p.bits_per_byte / fitted - 1.0).powi(2)
        });
        (squares.sum::<f64>() / series.len() as f64).sqrt()
    };
    for (regime, convention) in [
        ("held-out", "fp16"),
        ("held-out", "stored"),
        ("in-sample", "fp16"),
    ] {
        let by_bytes = miss(regime, convention, DataTerm::Bytes);
        let by_share = miss(regime, convention, DataTerm::ParametersPerByte);
        assert!(by_bytes > 0.07, "{regime}, {convention}: {by_bytes}");
        assert!(by_share < 0.014, "{regime}, {convention}: {by_share}");
    }
}

/// Models of two bits a parameter, each of which saves 1.6 bits of these very bytes: more than
/// the likelihood takes for possible, as the law does.
#[test]
fn an_optimum_that_the_interval_was_stretched_to_is_said_to_be() {
    let points: Vec<Point> = (0..7)
        .map(|i| {
            let n = 8e3 * 2f64.powi(i);
            let loss = 1.3 + 36.0 * n.powf(-0.375) - 1.6 * n / 1e6;
            Point {
                model_bytes: 0.25 * n,
                ..Point::new(n, 1e6, loss)
            }
        })
        .collect();
    let found = &critical_sizes(&points, &Estimator::default()).unwrap()[0];
    let said = |text: &str| found.warnings.iter().any(|warning| warning.contains(text));
    assert!(
        said("half of a parameter's stored bits are learned: the interval was stretched"),
        "{:?}",
        found.warnings
    );
}
