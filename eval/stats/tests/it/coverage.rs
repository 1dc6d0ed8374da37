//! The suite of `examples/coverage.rs` in short: what the intervals promise, where the truth
//! is known.

use brevity_stats::critical::{DataTerm, Estimator};

use crate::others::others;
use crate::scenarios::{Class, all, median, simulate};
use crate::{larger_data, tied};

const RUNS: usize = 24;

#[test]
fn intervals_hold_or_something_is_said() {
    let estimator = Estimator {
        resamples: 0,
        ..Estimator::default()
    };
    for scenario in all().into_iter().chain(others()) {
        let out = simulate(&scenario, RUNS, &estimator);
        eprintln!(
            "{}: covers {} of {RUNS}, envelope {}, within 0.5% {}, warned {}, bias {:+.3}, width {:.2} ({:.2})",
            scenario.name,
            out.covered,
            out.enveloped,
            out.near,
            out.warned,
            out.bias,
            median(&out.widths),
            median(&out.envelopes),
        );
        let name = &scenario.name;
        assert!(out.false_confidence <= 5, "{name}: {:?}", out.warnings);
        match scenario.class {
            Class::Clean => assert!(out.covered >= 19 && out.warned <= 5, "{name}"),
            Class::Offered => assert!(out.covered >= 18, "{name}"),
            Class::Misspecified => {}
            Class::Few => assert_eq!(out.warned, RUNS, "{name}"),
        }
    }
}

#[test]
fn what_is_foretold_of_ten_times_the_data_holds_the_truth() {
    let estimator = Estimator {
        resamples: 80,
        ..Estimator::default()
    };
    const RUNS: usize = 6;
    for truth in larger_data::all().iter().filter(|t| t.term.is_some()) {
        let out = truth.simulate(RUNS, &estimator);
        eprintln!(
            "{}: covers {} of {RUNS}, warned {}, bias {:+.3}, width {:.2}",
            truth.name,
            out.covered,
            out.warned,
            out.bias,
            median(&out.widths)
        );
        assert!(
            out.covered >= 4 && out.false_confidence <= 2,
            "{}",
            truth.name
        );
        assert!(out.bias.abs() < 0.15, "{}: {}", truth.name, out.bias);
        if truth.term != Some(DataTerm::Both) {
            assert!(out.right_form >= 4, "{}: {}", truth.name, out.right_form);
        }
    }
}

#[test]
fn true_ties_are_held_by_all_intervals_at_once() {
    const RUNS: usize = 200;
    for tied in tied::all().iter().filter(|tied| tied.seeds > 1) {
        let held = tied.held(RUNS, 200);
        let name = format!(
            "{} candidates, {} seeds, {}",
            tied.candidates, tied.seeds, tied.correlation
        );
        eprintln!("{name}: {held} of {RUNS}");
        assert!(held >= 178, "{name}: {held} of {RUNS}");
    }
}
