//! Whether the intervals of the critical size hold: ladders whose truth is known, drawn as
//! real ones deviate from a law.
//!
//! ```text
//! cargo run --release -p brevity-stats --example coverage [LADDERS] [WORD OF A SCENARIO]
//! ```

#[path = "../tests/it/scenarios.rs"]
mod scenarios;

use brevity_stats::critical::Estimator;
use scenarios::{Class, all, median, simulate};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let runs = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(300);
    let word = arguments.next().unwrap_or_default();
    let estimator = Estimator {
        resamples: 60,
        ..Estimator::default()
    };
    println!(
        "| {:43} | bias | covers | envelope | width | env. width | warned | false confidence |",
        "scenario"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for scenario in all().iter().filter(|s| s.name.contains(&word)) {
        let out = simulate(scenario, runs, &estimator);
        let share = |count: usize| 100.0 * count as f64 / runs as f64;
        println!(
            "| {:43} | {:+.3} | {:.0}% | {:.0}% | {:.2} | {:.2} | {:.0}% | {:.1}% |",
            scenario.name,
            out.bias,
            share(out.covered),
            share(out.enveloped),
            median(&out.widths),
            median(&out.envelopes),
            share(out.warned),
            share(out.false_confidence),
        );
        if !word.is_empty() || scenario.class == Class::Clean {
            for (warning, count) in &out.warnings {
                eprintln!("    {:.1}%: {warning}", share(*count));
            }
        }
    }
}
