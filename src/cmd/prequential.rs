//! `brevity prequential`: code lengths of models that learn the data after coding it.

use super::loss_log::Log;
use super::sweep::{Common, Kind, Trials, dry_run};
use crate::console;
use anyhow::Result;
use brevity_lab::experiments::prequential::Prequential;
use brevity_lab::sweep;
use std::io::Write;
use std::path::PathBuf;

/// For each trial of a config, measures the prequential code length: each byte is
/// scored by a model that has learned only from the bytes before it. With --log, takes
/// it from the loss log of a run of any program that saw its data once.
///
/// `brevity sweep` accepts the same config and ignores `[prequential]`; give the
/// folder of that sweep with --beside to see both codes in one chart.
#[derive(clap::Args)]
pub struct Args {
    /// The experiment, a TOML file such as configs/prequential.toml
    #[arg(required_unless_present = "log", conflicts_with = "log")]
    config: Option<PathBuf>,
    #[command(flatten)]
    log: Log,
    /// Folder of a sweep over the same models and data, to compare with
    #[arg(long, value_name = "SWEEP")]
    beside: Option<PathBuf>,
    #[command(flatten)]
    trials: Trials,
    #[command(flatten)]
    common: Common,
}

/// Runs `brevity prequential`.
///
/// # Errors
/// A config that cannot be used, trials that failed or were stopped.
pub fn run(args: Args) -> Result<()> {
    let config = match (&args.log.log, &args.config) {
        (Some(log), _) => return args.log.print(log, args.common.json),
        (None, Some(config)) => config,
        (None, None) => unreachable!("one of them is required"),
    };
    args.log.refuse()?;
    let (experiment, folder) = args.common.open(config, Kind::Prequential)?;
    let options = args.trials.options(&args.common)?;
    if args.trials.dry_run {
        return dry_run(&args.common, &experiment, &folder, options.threads);
    }
    let (manifest, summary) = args.common.execute(&experiment, &folder, &options)?;
    let rows = sweep::rows(&folder, &manifest)?;
    let report = Prequential::of_folder(folder.root(), args.beside.as_deref())?;
    let page = report.write(folder.root())?;
    let mut out = console::stdout()?;
    if args.common.json {
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{}\n{}", report.text().trim_end(), page.display())?;
    }
    Ok(summary.verdict()?)
}
