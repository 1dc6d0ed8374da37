//! `brevity selftest`: whether this CPU computes the same bits as every other.

use std::io::Write;

use anyhow::Result;
use brevity_kernels::selftest;
use brevity_kernels::simd::Path;

/// Runs every kernel on fixed inputs, with each instruction set of this CPU, and
/// compares the results bit by bit with recorded ones.
#[derive(clap::Args)]
pub struct Args {}

/// Runs `brevity selftest`.
///
/// # Errors
/// The first group of kernels whose bits differ.
pub fn run(Args {}: Args) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for path in Path::ALL {
        if !path.available() {
            writeln!(out, "{path:?}: not on this CPU")?;
            continue;
        }
        Path::set(path);
        let hash = selftest::run()?;
        writeln!(
            out,
            "{path:?}: all kernels compute the recorded bits, {hash:016x}"
        )?;
    }
    Ok(())
}
