//! `brevity sweep status|cancel|collect`: a sweep that others run.

use super::Report;
use crate::console;
use crate::exit::Usage;
use anyhow::Result;
use brevity_lab::sweep::{
    self, JobStates, Status, SweepFolder, cancel, collect, job_states, submissions,
};
use brevity_task::chain;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// What is done with a sweep that others run.
#[derive(clap::Subcommand)]
pub enum Manage {
    /// Say how each trial stands, by its folder and the scheduler
    Status {
        /// Folder of the sweep
        folder: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End the jobs that were submitted for a sweep; what is done is kept
    Cancel {
        /// Folder of the sweep
        folder: PathBuf,
    },
    /// Gather the results and write the report, also of an unfinished sweep
    Collect {
        /// Folder of the sweep
        folder: PathBuf,
        /// Do so again every so many seconds, until all trials are done, or twice in a row
        /// none runs or waits for a job
        #[arg(long, value_name = "SECONDS")]
        every: Option<u64>,
        /// Print results as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs one of them.
///
/// # Errors
/// A folder that holds no sweep; a scheduler that refuses; after `collect`, trials that
/// are not done.
pub fn run(manage: Manage) -> Result<()> {
    match manage {
        Manage::Status { folder, json } => {
            let status = status(&SweepFolder::new(folder))?;
            let mut out = console::stdout()?;
            if json {
                serde_json::to_writer_pretty(&mut out, &status)?;
                writeln!(out)?;
            } else {
                write!(out, "{status}")?;
            }
            Ok(())
        }
        Manage::Cancel { folder } => {
            let folder = SweepFolder::new(folder);
            let all = submissions(&folder)?;
            if all.is_empty() {
                let folder = folder.root().display();
                return Err(Usage(format!("nothing was submitted in {folder}")).into());
            }
            for submission in &all {
                cancel(submission)?;
            }
            Ok(writeln!(
                console::stdout()?,
                "{} submissions cancelled",
                all.len()
            )?)
        }
        Manage::Collect {
            folder,
            every,
            json,
        } => {
            let folder = SweepFolder::new(folder);
            let mut idle = 0;
            loop {
                let manifest = folder.manifest()?;
                collect(&folder, &manifest)?;
                Report::default().write(&folder, json)?;
                let status = status(&folder)?;
                idle = if status.is_active() { 0 } else { idle + 1 };
                let verdict = status.verdict();
                match every {
                    // A single look may fall between two trials of a task.
                    Some(seconds) if verdict.is_err() && idle < 2 => {
                        std::thread::sleep(Duration::from_secs(seconds));
                    }
                    _ => return Ok(verdict?),
                }
            }
        }
    }
}

fn status(folder: &SweepFolder) -> Result<Status> {
    let manifest = folder.manifest()?;
    Ok(Status::of(folder, &manifest, jobs(folder)?.as_ref())?)
}

/// What the scheduler says, if the folder was submitted to one that answers.
fn jobs(folder: &SweepFolder) -> Result<Option<JobStates>> {
    let all = submissions(folder)?;
    if all.is_empty() {
        return Ok(None);
    }
    match job_states(&all) {
        Ok(states) => Ok(Some(states)),
        Err(error) => {
            let root = sweep::quote(&folder.root().display().to_string());
            console::note(format_args!(
                "brevity: {}; what follows is from {root} alone",
                chain(&error)
            ));
            Ok(None)
        }
    }
}
