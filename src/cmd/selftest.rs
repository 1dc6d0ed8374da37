//! `brevity selftest`: whether this CPU computes the same bits as every other.

use std::io::Write;

use crate::console;
use anyhow::Result;
use brevity_kernels::selftest;
use brevity_kernels::simd::InstructionSet;

/// Runs every kernel on fixed inputs, with each instruction set of this CPU, and
/// compares the results bit by bit with recorded ones.
#[derive(clap::Args)]
pub struct Args {}

/// Runs `brevity selftest`.
///
/// # Errors
/// The first group of kernels whose bits differ.
pub fn run(Args {}: Args) -> Result<()> {
    let mut out = console::stdout()?;
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
