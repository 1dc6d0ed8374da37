//! `brevity selftest`: whether this CPU computes what every other one does.

use std::io::Write;

use anyhow::Result;
use brevity_kernels::selftest;
use brevity_kernels::simd::InstructionSet;

/// Runs fixed inputs through every kernel, on each instruction set that this
/// CPU has, and compares the bits with the recorded ones.
#[derive(clap::Args)]
pub struct Args {}

/// Runs `brevity selftest`.
///
/// # Errors
/// The first group of kernels whose bits differ.
pub fn run(Args {}: Args) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for set in InstructionSet::ALL {
        if !set.is_supported() {
            writeln!(out, "{set:?}: not on this CPU")?;
            continue;
        }
        set.select();
        let hash = selftest::run()?;
        writeln!(
            out,
            "{set:?}: all kernels compute the recorded bits, {hash:016x}"
        )?;
    }
    Ok(())
}
