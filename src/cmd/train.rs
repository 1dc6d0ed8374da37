//! `brevity train`: train and score one model.

use super::sweep::{Common, Target, execute};
use crate::console;
use crate::exit::Usage;
use anyhow::Result;
use brevity_lab::sweep::{self, Kind};
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
    let mut options = args.common.options()?;
    options.retry_failed = true;
    let target = Target::open(&args.common, &args.config, Kind::TwoPart, false, &options)?;
    let count = target.manifest.trials.len();
    if count != 1 {
        let told = args.config.display();
        let one = one_alone(&target);
        return Err(Usage(format!(
            "{told} has {count} trials: run them with `brevity sweep`, or one with {one}"
        ))
        .into());
    }
    execute(&args.common, &target, &options)?.verdict()?;
    let folder = &target.folder;
    let manifest = folder.manifest()?;
    let rows = sweep::rows(folder, &manifest)?;
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

/// The options that run one trial of several.
fn one_alone(target: &Target) -> String {
    if target.first.is_empty() {
        let id = &target.manifest.trials[0].id;
        return format!("`brevity sweep` and --trial {id}");
    }
    let sets = target.first.iter();
    let sets = sets.map(|set| format!("--set {}", sweep::quote(set)));
    sets.collect::<Vec<_>>().join(" ")
}
