//! `brevity contamination`: how leaked test data change each measure.

use super::sweep::{Common, Kind, Trials, dry_run};
use crate::console;
use anyhow::Result;
use brevity_lab::experiments::contamination::Contamination;
use brevity_lab::experiments::two_part::measure_baselines;
use std::io::Write;
use std::path::PathBuf;

/// Trains models on data into which a test set has leaked, and reports what each
/// measure and each leak detector shows.
///
/// The config's table `contamination` defines the experiments. Runs are resumed
/// and sharded like sweeps.
#[derive(clap::Args)]
pub struct Args {
    /// The experiment, a TOML file such as configs/contamination.toml
    config: PathBuf,
    #[command(flatten)]
    trials: Trials,
    #[command(flatten)]
    common: Common,
}

/// Runs `brevity contamination`.
///
/// # Errors
/// A config that cannot be used, trials that failed or were stopped.
pub fn run(args: Args) -> Result<()> {
    let (experiment, folder) = args.common.open(&args.config, Kind::Contamination)?;
    let options = args.trials.options(&args.common)?;
    if args.trials.dry_run {
        return dry_run(&args.common, &experiment, &folder, options.threads);
    }
    let (_, summary) = args.common.execute(&experiment, &folder, &options)?;
    for message in measure_baselines(folder.root())? {
        console::note(format_args!("brevity: {message}"));
    }
    let found = Contamination::of_folder(folder.root())?;
    let page = found.write(folder.root())?;
    let mut out = console::stdout()?;
    if args.common.json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{}\n{}", found.text().trim_end(), page.display())?;
    }
    Ok(summary.verdict()?)
}
