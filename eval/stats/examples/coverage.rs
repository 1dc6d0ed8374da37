//! Whether the intervals hold: ladders and selections whose truth is known, drawn as real
//! ones deviate from a law.
//!
//! ```text
//! cargo run --release -p brevity-stats --example coverage [DRAWS] [WORD OF A SCENARIO]
//! ```
//!
//! Prints three tables: critical sizes of one data size, critical sizes foretold at ten times
//! the data, and true ties of a selection.

#[path = "../tests/it/larger_data.rs"]
mod larger_data;
#[path = "../tests/it/others.rs"]
mod others;
#[path = "../tests/it/scenarios.rs"]
mod scenarios;
#[path = "../tests/it/tied.rs"]
mod tied;

use brevity_stats::critical::Estimator;
use scenarios::{Class, median, simulate};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let runs = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(300);
    let word = arguments.next().unwrap_or_default();
    critical_sizes(runs, &word);
    foretold(runs, &word);
    ties(runs, &word);
}

fn percent(count: usize, runs: usize) -> f64 {
    100.0 * count as f64 / runs as f64
}

/// The median width, or a dash where there are none.
fn width(octaves: &[f64]) -> String {
    match octaves.is_empty() {
        true => "-".into(),
        false => format!("{:.2}", median(octaves)),
    }
}

fn critical_sizes(runs: usize, word: &str) {
    let estimator = Estimator {
        resamples: 60,
        ..Estimator::default()
    };
    println!(
        "| {:43} | bias | covers | envelope | within 0.5% | width | env. width | warned | false confidence |",
        "one data size"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    let all = scenarios::all().into_iter().chain(others::others());
    for scenario in all.filter(|s| s.name.contains(word)) {
        let out = simulate(&scenario, runs, &estimator);
        let share = |count| percent(count, runs);
        println!(
            "| {:43} | {:+.3} | {:.1}% | {:.0}% | {:.0}% | {} | {} | {:.1}% | {:.1}% |",
            scenario.name,
            out.bias,
            share(out.covered),
            share(out.enveloped),
            share(out.near),
            width(&out.widths),
            width(&out.envelopes),
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

fn foretold(runs: usize, word: &str) {
    let estimator = Estimator {
        resamples: 240,
        ..Estimator::default()
    };
    // Each draw fits twenty joint laws and resamples them.
    let runs = runs.div_ceil(8);
    println!("\n| ten times the data | bias | covers | width | warned | false confidence |");
    println!("|---|---:|---:|---:|---:|---:|");
    for truth in larger_data::all().iter().filter(|t| t.name.contains(word)) {
        let out = truth.simulate(runs, &estimator);
        let share = |count| percent(count, runs);
        println!(
            "| {}{} | {:+.3} | {:.1}% | {:.2} | {:.1}% | {:.1}% |",
            truth.name,
            if truth.term.is_some() {
                ""
            } else {
                " (not offered)"
            },
            out.bias,
            share(out.covered),
            median(&out.widths),
            share(out.warned),
            share(out.false_confidence),
        );
    }
}

fn ties(runs: usize, word: &str) {
    println!("\n| true ties: candidates | seeds | correlation of blocks | all intervals hold |");
    println!("|---:|---:|---:|---:|");
    for tied in tied::all().iter().filter(|_| "ties".contains(word)) {
        println!(
            "| {} | {} | {} | {:.1}% |",
            tied.candidates,
            tied.seeds,
            tied.correlation,
            percent(tied.held(runs, 400), runs),
        );
    }
}
