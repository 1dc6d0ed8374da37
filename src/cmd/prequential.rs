//! `brevity prequential`: code lengths of models that learn the data after coding it.

use super::loss_log::Log;
use super::sweep::{Common, Report, Scheduling, Trials, run_trials};
use crate::exit::Usage;
use anyhow::{Result, bail};
use brevity_lab::sweep::Kind;
use std::path::PathBuf;

/// For each trial of a config, measures the prequential code length: each byte is
/// scored by a model that has learned only from the bytes before it. With --log, takes
/// it from the loss log of a run of any program that saw its data once.
///
/// `brevity sweep` accepts the same config and ignores `[prequential]`; give the
/// folder of that sweep with --beside to see both codes in one chart.
#[derive(clap::Args)]
pub struct Args {
    /// The experiment, a TOML file such as configs/prequential.toml; or the folder of one,
    /// to run what it was given before
    config: Option<PathBuf>,
    #[command(flatten)]
    log: Log,
    /// Folder of a sweep over the same models and data, to compare with
    #[arg(long, value_name = "SWEEP")]
    beside: Option<PathBuf>,
    #[command(flatten)]
    trials: Trials,
    #[command(flatten)]
    scheduling: Scheduling,
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
        (None, None) => bail!(Usage(
            "give a config, the folder of one, or the loss log of any program with --log FILE"
                .into()
        )),
    };
    args.log.refuse()?;
    let report = Report {
        beside: args.beside,
    };
    run_trials(
        Kind::Prequential,
        config,
        &args.trials,
        &args.scheduling,
        &args.common,
        &report,
    )
}
