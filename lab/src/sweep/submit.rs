//! Submission of a sweep to a scheduler, once.

use super::engines::{SlurmScripts, write_hq_job, write_slurm_scripts};
use super::error::SweepError;
use super::folder::SweepFolder;
use super::index::Index;
use super::jobs::{self, SchedulerKind, Submission, submissions};
use super::manifest::{FORMAT, Manifest};
use super::plan::Plan;
use super::scheduler::{self, JobState};
use brevity_files::OwnedFolder;
use std::path::PathBuf;

/// What was written for a scheduler.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// Two scripts for `sbatch`.
    Slurm(SlurmScripts),
    /// A file for `hq job submit-file`.
    Hq(PathBuf),
}

/// Freezes a sweep in its folder: the manifest and the config, which all tasks read, and
/// no hints of earlier tasks. With no `config`, it is frozen already.
///
/// # Errors
/// A folder that another config made or that is not writable, or that a sweep without
/// shards uses.
pub fn freeze(
    folder: &SweepFolder,
    manifest: &Manifest,
    config: Option<&str>,
) -> Result<Manifest, SweepError> {
    let _lock = folder.lock(true)?;
    let frozen = match config {
        Some(config) => folder.claim(manifest, config)?,
        None => manifest.clone(),
    };
    if frozen.format != FORMAT {
        // Paths of earlier formats are those of the config, perhaps relative.
        folder.write_manifest(&frozen)?;
    }
    Index::of(folder).reset()?;
    Ok(frozen)
}

/// Writes what a scheduler is given.
///
/// # Errors
/// As [`Plan::of`]; files that cannot be written; options that are none.
pub fn prepare(
    plan: &Plan,
    scheduler: SchedulerKind,
    most_tasks: usize,
    extra: &[String],
) -> Result<Prepared, SweepError> {
    match scheduler {
        SchedulerKind::Slurm => write_slurm_scripts(plan, most_tasks, extra).map(Prepared::Slurm),
        SchedulerKind::Hq => write_hq_job(plan).map(Prepared::Hq),
    }
}

/// Submits what was prepared and records the jobs in the folder.
///
/// # Errors
/// A folder whose jobs still wait or run; a scheduler that is not there, does not answer
/// or refuses.
pub fn submit(folder: &SweepFolder, prepared: &Prepared) -> Result<Submission, SweepError> {
    // One at a time: the second sees the jobs of the first.
    let _one = OwnedFolder::take(folder.root().join("index"))?;
    refuse_second(folder)?;
    let submission = match prepared {
        Prepared::Slurm(scripts) => scheduler::submit_slurm(scripts)?,
        Prepared::Hq(file) => scheduler::submit_hq(file)?,
    };
    jobs::record(folder, submission.clone())?;
    Ok(submission)
}

fn refuse_second(folder: &SweepFolder) -> Result<(), SweepError> {
    let earlier = submissions(folder)?;
    let states = scheduler::job_states(&earlier)?;
    let active = |state: &JobState| matches!(state, JobState::Queued | JobState::Running);
    match states.iter().find(|(_, state)| active(state)) {
        None => Ok(()),
        Some((job, _)) => Err(SweepError::Usage(format!(
            "{} was submitted already, and job {job} is not over: see `brevity sweep status`, \
             or end it with `brevity sweep cancel`",
            folder.root().display()
        ))),
    }
}
