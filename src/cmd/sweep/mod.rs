//! `brevity sweep`: train and score every trial of a config, here or by a scheduler.

mod execute;
mod finish;
mod manage;
mod options;
mod schedule;
mod target;

pub(super) use execute::execute;
pub(super) use finish::Report;
pub(super) use options::{Common, Trials};
pub(super) use schedule::Scheduling;
pub(super) use target::Target;

use crate::console;
use anyhow::Result;
use brevity_lab::sweep::{self, DryRun, Kind, RunOptions, SweepFolder};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Options of `brevity sweep`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    manage: Option<manage::Manage>,
    /// The experiment, a TOML file such as configs/quickstart.toml; or the folder of a
    /// sweep, to run what it was given before
    #[arg(required = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    trials: Trials,
    #[command(flatten)]
    scheduling: Scheduling,
    #[command(flatten)]
    common: Common,
}

/// Runs `brevity sweep`.
///
/// # Errors
/// A config that cannot be used, a sweep that cannot start, has failed trials,
/// or was stopped.
pub fn run(args: Args) -> Result<()> {
    if let Some(manage) = args.manage {
        return manage::run(manage);
    }
    let config = args.config.unwrap_or_default();
    run_trials(
        Kind::TwoPart,
        &config,
        &args.trials,
        &args.scheduling,
        &args.common,
        &Report::default(),
    )
}

/// Runs the trials of a config or folder, or has a scheduler run them.
///
/// # Errors
/// As [`run`].
pub(super) fn run_trials(
    kind: Kind,
    config: &Path,
    trials: &Trials,
    scheduling: &Scheduling,
    common: &Common,
    report: &Report,
) -> Result<()> {
    let options = trials.options(common)?;
    if trials.dry_run {
        let target = Target::open(common, config, kind, true, &options)?;
        return dry_run(&target, &options, common.json);
    }
    if scheduling.is_wanted() {
        scheduling.refuse(options.is_shared(), config)?;
        let target = Target::open(common, config, kind, false, &options)?;
        return scheduling.run(&target, trials, common);
    }
    let target = Target::open(common, config, kind, false, &options)?;
    let summary = execute(common, &target, &options)?;
    if options.is_task() {
        let (done, skipped) = (summary.done, summary.skipped);
        console::note(format_args!(
            "{done} trials done here, {skipped} were done before"
        ));
        match common.json {
            true => print_states(&target.folder, true)?,
            false => note_collect(&target.folder, "when all trials are done"),
        }
    } else if options.shard.is_some() {
        print_states(&target.folder, common.json)?;
    } else {
        report.write(&target.folder, common.json)?;
    }
    Ok(summary.verdict()?)
}

/// The states and scores of all trials: a part of a sweep writes no report of the whole.
fn print_states(folder: &SweepFolder, json: bool) -> Result<()> {
    let rows = sweep::rows(folder, &folder.manifest()?)?;
    let mut out = console::stdout()?;
    if json {
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", sweep::table(&rows))?;
        note_collect(folder, "when all shards have ended");
    }
    Ok(())
}

/// Says what writes the results that other commands read.
fn note_collect(folder: &SweepFolder, when: &str) {
    let root = sweep::quote(&folder.root().display().to_string());
    console::note(format_args!("{when}: brevity sweep collect {root}"));
}

/// Shows what an experiment would do.
fn dry_run(target: &Target, options: &RunOptions, json: bool) -> Result<()> {
    let dry = DryRun::new(&target.folder, &target.manifest, options)?;
    let mut out = console::stdout()?;
    if json {
        serde_json::to_writer_pretty(&mut out, &dry.rows())?;
        writeln!(out)?;
    } else {
        write!(out, "{dry}")?;
    }
    Ok(())
}
