//! The critical size from a table of measured models.
//!
//! `cargo run --release --example critical_size -- TABLE.csv`; the table has the columns
//! `parameters`, `data_bytes` and `bits_per_byte`. Without an argument, it is that of
//! models of English prose in `docs/prose.csv`.

use brevity::stats::critical::points::read_csv;
use brevity::stats::critical::{Estimator, critical_sizes};
use std::path::PathBuf;

/// The bytes of a parameter: the convention `fp16`.
const BYTES_PER_PARAMETER: f64 = 2.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/prose.csv");
    let table = std::env::args_os().nth(1).unwrap_or(default.into());
    let points = read_csv(&PathBuf::from(table), BYTES_PER_PARAMETER)?;
    let estimator = Estimator {
        resamples: 200,
        ..Estimator::default()
    };
    for found in critical_sizes(&points, &estimator)? {
        println!(
            "{:.0} bytes, {}: N* = {:.0} parameters, rate {:.2}%, alpha {:.3}",
            found.data_bytes,
            found.convention,
            found.n_star,
            100.0 * found.rate,
            found.alpha
        );
        for warning in &found.warnings {
            println!("  {warning}");
        }
    }
    Ok(())
}
