//! What must hold for any file of rows in a run's folder. `eval/stats/tests/seeds.rs` runs
//! this claim on each seed.

use brevity_length::parse;
use brevity_stats::critical::points::from_rows;
use brevity_stats::critical::{Estimator, each_critical_size};
use brevity_stats::selection;

/// `results.json`: refused with the file's name, or rows from which every claim can be
/// made or not.
pub fn rows(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let rows = match parse(&text, "results.json") {
        Err(error) => {
            assert!(error.to_string().contains("results.json"));
            return;
        }
        Ok(rows) => rows,
    };
    if rows.len() > 64 {
        return;
    }
    let estimator = Estimator {
        resamples: 5,
        ..Estimator::default()
    };
    let points = from_rows(&rows);
    let _ = each_critical_size(&points, &estimator);
    let _ = selection::rank(&rows, &selection::Options::default());
    let again = serde_json::to_string(&rows).expect("rows are plain data");
    assert_eq!(parse(&again, "results.json").expect("what was read"), rows);
}
