//! The jobs that were submitted for a sweep: the file `jobs.json`.

use super::error::SweepError;
use super::files;
use super::folder::SweepFolder;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A scheduler that jobs are submitted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchedulerKind {
    /// Slurm.
    Slurm,
    /// HyperQueue.
    Hq,
}

/// One submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// To whom.
    pub scheduler: SchedulerKind,
    /// Id of the job with the trials.
    pub job: String,
    /// Id of the job that collects, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collector: Option<String>,
}

impl Submission {
    /// The ids of its jobs.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let ids = std::iter::once(&self.job).chain(&self.collector);
        ids.map(String::as_str)
    }
}

fn path(folder: &SweepFolder) -> PathBuf {
    folder.root().join("jobs.json")
}

/// The submissions of a folder, the oldest first.
///
/// # Errors
/// A file that cannot be read.
pub fn submissions(folder: &SweepFolder) -> Result<Vec<Submission>, SweepError> {
    Ok(files::read_json(&path(folder))?.unwrap_or_default())
}

/// Records a submission.
///
/// # Errors
/// Files that cannot be read or written.
pub(super) fn record(folder: &SweepFolder, new: Submission) -> Result<(), SweepError> {
    let mut all = submissions(folder)?;
    all.push(new);
    files::write_json(&path(folder), &all)
}
