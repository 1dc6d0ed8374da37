//! `brevity ablation`: the effect of each change in a sweep.

use super::select::scored;
use crate::console;
use crate::exit::Usage;
use std::io::Write;
use std::path::PathBuf;

use brevity_stats::ablation;
use brevity_task::chain;

/// Compares every trial of a sweep with a reference trial, seed by seed.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of a sweep, or its results.json
    sweep: PathBuf,
    /// Reference trial: its id, or the start of it [default: the first trial]
    #[arg(long, value_name = "ID")]
    base: Option<String>,
    /// Also compare adjusted rates, with model bytes counted as fp16 or stored
    #[arg(long, value_name = "NAME")]
    convention: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let rows = scored(&args.sweep, args.convention.as_deref())?;
    let found = ablation::ablations(&rows, args.base.as_deref())
        .map_err(|error| Usage(format!("{}: {}", args.sweep.display(), chain(&error))))?;
    let mut out = console::stdout()?;
    if args.json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        writeln!(out)?;
    } else {
        write!(
            out,
            "{}",
            brevity_lab::text::ablations(&found, args.convention.as_deref())
        )?;
    }
    Ok(())
}
