//! `brevity train`: train and score one model.

use super::sweep::{Common, Kind};
use crate::console;
use crate::exit::Usage;
use anyhow::Result;
use brevity_lab::sweep;
use std::io::Write;
use std::path::PathBuf;

/// Options of `brevity train`.
#[derive(clap::Args)]
pub struct Args {
    /// The experiment, a TOML file that describes one trial
    config: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Runs `brevity train`: a sweep of one trial, which is tried again if it had
/// failed.
///
/// # Errors
/// A config that cannot be used or has more than one trial, a training that
/// failed or was stopped.
pub fn run(args: Args) -> Result<()> {
    let (experiment, folder) = args.common.open(&args.config, Kind::TwoPart)?;
    if experiment.trials.len() != 1 {
        return Err(Usage(format!(
            "{} has {} trials: run them with `brevity sweep`, or pick one with --set",
            args.config.display(),
            experiment.trials.len()
        ))
        .into());
    }
    let mut options = args.common.options()?;
    options.retry_failed = true;
    let (manifest, summary) = args.common.execute(&experiment, &folder, &options)?;
    summary.verdict()?;
    let rows = sweep::rows(&folder, &manifest)?;
    let mut out = console::stdout()?;
    if args.common.json {
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", sweep::table(&rows))?;
        let model = folder.trial(&manifest.trials[0]).join(brevity_train::MODEL);
        writeln!(out, "\n{}", model.display())?;
    }
    Ok(())
}
