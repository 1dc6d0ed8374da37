//! How often the interval of N* holds where an adaptive plan stopped on its width:
//! `cargo run --release -p brevity-stats --example stopped [LADDERS]`, by default 300.
//!
//! Twelve sizes, half an octave apart, about a true N*; losses by a law, with 0.5 or 1% of
//! scatter between sizes; one seed; two bytes a parameter.

use brevity_stats::critical::{Estimator, Point, critical_sizes};
use brevity_stats::design::{Candidate, Decision, Goal, decide};
use brevity_stats::random::normal;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

const BYTES: f64 = 1e6;
const SIZES: i32 = 12;
const E: f64 = 1.35;
const A: f64 = 36.5;
const ALPHA: f64 = 0.375;

fn main() {
    let ladders = std::env::args().nth(1).and_then(|a| a.parse().ok());
    let ladders: u32 = ladders.unwrap_or(300);
    // Two bytes a parameter: the slope of bits per byte is that of the model's.
    let truth = (ALPHA * A * BYTES / 16.0).powf(1.0 / (1.0 + ALPHA));
    println!("precision  budget  scatter   held  stopped on width  of these held");
    for (precision, budget, scatter) in [(0.1, 1.0, 0.005), (0.2, 1.0, 0.01), (0.1, 0.5, 0.005)] {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let goal = Goal { precision, budget };
        let (mut held, mut stopped, mut stopped_and_held) = (0, 0, 0);
        for _ in 0..ladders {
            let points: Vec<Point> = (0..SIZES)
                .map(|i| {
                    let n = (truth * (0.5 * f64::from(i) - 2.75).exp2()).round();
                    let loss = (E + A * n.powf(-ALPHA)) * (1.0 + scatter * normal(&mut rng));
                    Point::new(n, BYTES, loss)
                })
                .collect();
            let (end, ci95) = follow(&points, goal);
            let holds = ci95.is_some_and(|[low, high]| low <= truth && truth <= high);
            held += u32::from(holds);
            stopped += u32::from(end == Decision::Enough);
            stopped_and_held += u32::from(end == Decision::Enough && holds);
        }
        let percent = |part: u32, of: u32| 100.0 * f64::from(part) / f64::from(of.max(1));
        println!(
            "{precision:9} {budget:7} {scatter:8} {:5.1}% {:16.1}% {:13.1}%",
            percent(held, ladders),
            percent(stopped, ladders),
            percent(stopped_and_held, stopped)
        );
    }
}

/// Follows the plan through a ladder: how it ends, and the interval that it then gives.
fn follow(points: &[Point], goal: Goal) -> (Decision, Option<[f64; 2]>) {
    let estimator = Estimator {
        resamples: 0,
        ..Estimator::default()
    };
    let mut candidates: Vec<Candidate> = points
        .iter()
        .map(|p| Candidate {
            parameters: p.parameters,
            cost: p.parameters,
            done: false,
        })
        .collect();
    loop {
        let done = points.iter().zip(&candidates).filter(|(_, c)| c.done);
        let done: Vec<Point> = done.map(|(p, _)| p.clone()).collect();
        match decide(BYTES, &done, &candidates, goal, &estimator) {
            Decision::Train(next) => candidates[next].done = true,
            end => {
                let found = critical_sizes(&done, &estimator);
                return (end, found.ok().and_then(|f| f.first()?.ci95));
            }
        }
    }
}
