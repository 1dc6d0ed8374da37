//! How many trials the adaptive plan takes of ladders that are measured already, and
//! where its critical sizes lie: `cargo run --release -p brevity-stats --example adaptive
//! [POINTS.csv [PRECISION [BUDGET]]]`, by default of docs/prose.csv, 0.1 octaves, half of the
//! cost. The cost of a
//! trial is taken to be parameters times bytes.

use brevity_stats::critical::{
    CriticalSize, Estimator, Point, critical_sizes,
    points::{collect, read_csv},
};
use brevity_stats::design::{Candidate, Decision, Goal, decide};
use std::collections::HashSet;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let file = args.next().unwrap_or("docs/prose.csv".into());
    let precision = args.next().map_or(Ok(0.1), |p| p.parse())?;
    let budget = args.next().map_or(Ok(0.5), |p| p.parse())?;
    let goal = Goal { precision, budget };
    let points = read_csv(Path::new(&file), 2.0)?;
    let (mut inside, mut all, mut shares) = (0, 0, Vec::new());
    for ladder in collect(&points, same_ladder) {
        let mut seeds: Vec<u64> = ladder.iter().map(|p| p.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let mut counts = vec![1, seeds.len()];
        counts.dedup();
        for count in counts {
            let seeds = &seeds[..count];
            let ladder: Vec<Point> = ladder
                .iter()
                .filter(|p| seeds.contains(&p.seed))
                .cloned()
                .collect();
            let (used, share) = follow(&ladder, goal);
            let estimator = Estimator::default();
            let (Ok(full), Ok(found)) = (
                critical_sizes(&ladder, &estimator),
                critical_sizes(&used, &estimator),
            ) else {
                continue;
            };
            shares.push(share);
            for (full, found) in full.iter().zip(&found) {
                let held = full
                    .ci95
                    .is_some_and(|[low, high]| (low..=high).contains(&found.n_star));
                inside += u32::from(held);
                all += 1;
                println!(
                    "{:44} {count} seeds  all {}  plan {} by {} of {} trials  {:3.0}% of the cost  {}",
                    full.name(),
                    shown(full),
                    shown(found),
                    trials(&used),
                    trials(&ladder),
                    100.0 * share,
                    if held { "inside" } else { "outside" }
                );
            }
        }
    }
    shares.sort_by(f64::total_cmp);
    let median = shares.get(shares.len() / 2).copied().unwrap_or(f64::NAN);
    println!(
        "{inside} of {all} critical sizes inside the interval of all trials; \
         median share of the cost {:.0}%",
        100.0 * median
    );
    Ok(())
}

/// How many models the points are of.
fn trials(points: &[Point]) -> usize {
    let models: HashSet<(u64, u64)> = points
        .iter()
        .map(|p| (p.parameters.to_bits(), p.seed))
        .collect();
    models.len()
}

/// One ladder has the same bytes; its conventions are measured of the same trials.
fn same_ladder(x: &Point, y: &Point) -> bool {
    x.source == y.source
        && x.variant == y.variant
        && x.data_bytes == y.data_bytes
        && x.regime == y.regime
}

/// The points that the plan would have measured, and the share of the cost.
fn follow(ladder: &[Point], goal: Goal) -> (Vec<Point>, f64) {
    let trials = collect(ladder, |x, y| {
        x.parameters == y.parameters && x.seed == y.seed
    });
    let mut candidates: Vec<Candidate> = trials
        .iter()
        .map(|t| Candidate {
            parameters: t[0].parameters,
            cost: t[0].parameters,
            done: false,
        })
        .collect();
    let mut used = Vec::new();
    let data_bytes = ladder[0].data_bytes;
    while let Decision::Train(next) =
        decide(data_bytes, &used, &candidates, goal, &Estimator::default())
    {
        candidates[next].done = true;
        used.extend(trials[next].iter().cloned());
    }
    let cost = |done: bool| -> f64 {
        let counted = candidates.iter().filter(|c| c.done || !done);
        counted.map(|c| c.cost).sum()
    };
    (used, cost(true) / cost(false))
}

fn shown(found: &CriticalSize) -> String {
    let [low, high] = found.ci95.unwrap_or([f64::NAN; 2]);
    format!(
        "{:6.1}K ({:.1}K to {:.1}K)",
        found.n_star / 1e3,
        low / 1e3,
        high / 1e3
    )
}
