//! What must hold for any table of points. `eval/stats/tests/seeds.rs` runs this claim on
//! each seed.

use brevity_stats::critical::points::parse_csv;
use brevity_stats::critical::{Estimator, critical_sizes};

/// A table: refused with the file's name, or points that can be fitted or not.
pub fn table(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    match parse_csv(&text, "table.csv", 2.0) {
        Err(error) => assert!(error.to_string().contains("table.csv")),
        Ok(points) => {
            assert!(!points.is_empty());
            let estimator = Estimator {
                resamples: 5,
                ..Estimator::default()
            };
            if points.len() <= 64
                && let Ok(sizes) = critical_sizes(&points, &estimator)
            {
                for size in sizes {
                    assert!(size.n_star > 0.0 && !size.n_star.is_nan());
                }
            }
        }
    }
}
