//! The suite of `examples/coverage.rs` in short: what the intervals promise, on ladders
//! whose truth is known.

use brevity_stats::critical::Estimator;

use crate::scenarios::{Class, all, median, simulate};

const RUNS: usize = 24;

#[test]
fn intervals_hold_or_something_is_said() {
    let estimator = Estimator {
        resamples: 0,
        ..Estimator::default()
    };
    for scenario in all() {
        let out = simulate(&scenario, RUNS, &estimator);
        eprintln!(
            "{}: covers {} of {RUNS}, envelope {}, warned {}, bias {:+.3}, width {:.2} ({:.2})",
            scenario.name,
            out.covered,
            out.enveloped,
            out.warned,
            out.bias,
            median(&out.widths),
            median(&out.envelopes),
        );
        let name = scenario.name;
        assert!(out.false_confidence <= 5, "{name}: {:?}", out.warnings);
        match scenario.class {
            Class::Clean => assert!(out.covered >= 19 && out.warned <= 5, "{name}"),
            Class::Offered => assert!(out.covered >= 18, "{name}"),
            Class::Misspecified => {}
            Class::Few => assert_eq!(out.warned, RUNS, "{name}"),
        }
    }
}
