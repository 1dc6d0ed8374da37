//! `--memory` and `--work`: how much decoding may take, and what it asks for.

use super::{files, units};
use anyhow::{Context, Result};
use brevity_codec::archive::{self, Demand, Models};
use brevity_lab::sweep::{clock, product_speed};
use indicatif::BinaryBytes;
use std::path::Path;

/// How much decoding an archive may take.
#[derive(clap::Args, Clone, Copy)]
pub struct Limits {
    /// Most memory for decoding, such as 16GiB; `none` is no limit
    #[arg(long, value_name = "BYTES", default_value = "8GiB", value_parser = memory)]
    memory: u64,
    /// Most operations of a model for decoding, such as 1e18; `none` is no limit. The
    /// default is a day at 10^11 a second
    #[arg(long, value_name = "OPERATIONS", default_value = "1e16", value_parser = work)]
    work: f64,
}

impl Default for Limits {
    fn default() -> Limits {
        let archive::Limits { memory, operations } = archive::Limits::default();
        Limits {
            memory,
            work: operations,
        }
    }
}

impl From<Limits> for archive::Limits {
    fn from(limits: Limits) -> archive::Limits {
        archive::Limits {
            memory: limits.memory,
            operations: limits.work,
        }
    }
}

fn memory(text: &str) -> Result<u64, String> {
    match text {
        "none" => Ok(u64::MAX),
        _ => units::some_bytes(text).map_err(|problem| format!("{problem}; `none` is no limit")),
    }
}

fn work(text: &str) -> Result<f64, String> {
    match (text, text.parse::<f64>()) {
        ("none", _) => Ok(f64::INFINITY),
        (_, Ok(operations)) if operations > 0.0 => Ok(operations),
        _ => Err("not a number of operations such as 1e18, nor `none`".into()),
    }
}

/// What decoding takes, in words; the time is that of this machine, estimated.
pub fn words(demand: &Demand) -> String {
    let memory = BinaryBytes(demand.memory);
    let threads = rayon::current_num_threads();
    let blocks = (threads / demand.threads.max(1)).clamp(1, demand.blocks.max(1));
    let mut seconds = demand.context_seconds / blocks as f64;
    let mut work = String::new();
    if demand.operations > 0.0 {
        // Steps of a few lanes reach about half of what large products do, products of a
        // matrix and one vector a seventh.
        let share = if demand.lanes < 4 { 0.15 } else { 0.5 };
        let busy = (demand.threads * blocks) as f64 / threads as f64;
        seconds += demand.operations / (share * busy * product_speed());
        work = format!("{:.1e} operations, ", demand.operations);
    }
    format!("up to {memory} of memory, {work}about {}", clock(seconds))
}

/// Work that takes longer than this is announced before it begins.
const LONG: f64 = 1e12;

/// Looks at a file before it is decoded, and says what that takes if it takes long.
///
/// # Errors
/// A file that is not an archive, or asks for more than is allowed.
pub fn announce(path: &Path, models: &Models, say: impl FnOnce(String)) -> Result<()> {
    let file = files::open_file(path)?;
    // A pipe can be read once: what it asks for is counted block by block.
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return Ok(());
    }
    // What is damaged is told by whoever decodes it.
    let Ok(inspection) = archive::inspect(std::io::BufReader::new(file)) else {
        return Ok(());
    };
    let context = || path.display().to_string();
    inspection.admit(models).with_context(context)?;
    let Some(demand) = inspection.demand(models).with_context(context)? else {
        return Ok(());
    };
    if demand.operations > LONG || demand.context_seconds > 60.0 {
        say(format!("{}: {}", path.display(), words(&demand)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(memory("16GiB"), Ok(1 << 34));
        assert_eq!(memory("1.5 GB"), Ok(1_500_000_000));
        assert_eq!(memory("4096"), Ok(4096));
        assert_eq!(memory("none"), Ok(u64::MAX));
        for text in ["", "GiB", "-1", "0", "nan", "1e30", "5 apples"] {
            assert!(memory(text).is_err(), "{text}");
        }
        assert_eq!(work("1e18"), Ok(1e18));
        for text in ["", "-1", "0", "nan", "much"] {
            assert!(work(text).is_err(), "{text}");
        }
    }
}
