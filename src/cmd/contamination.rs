//! `brevity contamination`: how leaked test data change each measure.

use super::sweep::{Common, Report, Scheduling, Trials, run_trials};
use anyhow::Result;
use brevity_lab::sweep::Kind;
use std::path::PathBuf;

/// Trains models on data into which a test set has leaked, and reports what each
/// measure and each leak detector shows.
///
/// The config's table `contamination` defines the experiments. Runs are resumed
/// and sharded like sweeps.
#[derive(clap::Args)]
pub struct Args {
    /// The experiment, a TOML file such as configs/contamination.toml; or the folder of
    /// one, to run what it was given before
    config: PathBuf,
    #[command(flatten)]
    trials: Trials,
    #[command(flatten)]
    scheduling: Scheduling,
    #[command(flatten)]
    common: Common,
}

/// Runs `brevity contamination`.
///
/// # Errors
/// A config that cannot be used, trials that failed or were stopped.
pub fn run(args: Args) -> Result<()> {
    run_trials(
        Kind::Contamination,
        &args.config,
        &args.trials,
        &args.scheduling,
        &args.common,
        &Report::default(),
    )
}
