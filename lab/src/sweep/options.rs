//! Options and outcome of a run of a sweep.

use super::error::SweepError;
use super::folder::Failure;
use super::machine;
use super::manifest::{Manifest, Trial};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// A shard of a sweep: every `of`-th trial, from the `number`-th (from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Number of the shard, from 1.
    pub number: usize,
    /// Number of shards.
    pub of: usize,
}

impl Shard {
    /// Whether a trial belongs to this shard.
    pub fn has(&self, trial: &Trial) -> bool {
        trial.index % self.of == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text
            .split_once('/')
            .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if 1 <= number && number <= of => Ok(Shard { number, of }),
            _ => Err(format!(
                "`{text}` is not a shard: write i/n with i from 1 to n"
            )),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// How to run a sweep.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Trials to run at once; by default as many as there are threads, up to 8.
    pub jobs: Option<usize>,
    /// Threads of all trials together.
    pub threads: usize,
    /// Continue interrupted trials.
    pub resume: bool,
    /// Try failed trials again.
    pub retry_failed: bool,
    /// Run this shard only; with `any`, the place in the longest-first order at which to
    /// look first.
    pub shard: Option<Shard>,
    /// Run any trial that nobody runs, the longest first, until none is left. Such a
    /// process shares the folder with others, continues interrupted trials, and leaves
    /// the results to who collects them.
    pub any: bool,
    /// Run these trials only, by id; otherwise as `any`.
    pub only: Vec<String>,
    /// The device, as provenance records it.
    pub device: String,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            jobs: None,
            threads: machine::cores(),
            resume: false,
            retry_failed: false,
            shard: None,
            any: false,
            only: Vec::new(),
            device: "flex".into(),
        }
    }
}

impl RunOptions {
    /// Whether this is one of many processes that a scheduler starts.
    pub fn is_task(&self) -> bool {
        self.any || !self.only.is_empty()
    }

    /// Whether other processes may run trials of the same folder.
    pub fn is_shared(&self) -> bool {
        self.is_task() || self.shard.is_some()
    }

    /// The trials of a sweep that this run takes: those that are asked for by id, or those
    /// of its shard.
    ///
    /// # Errors
    /// An id that no trial of the sweep in `root` has.
    pub(super) fn trials<'a>(
        &self,
        manifest: &'a Manifest,
        root: &Path,
    ) -> Result<Vec<&'a Trial>, SweepError> {
        let is = |trial: &Trial, id: &String| trial.id == *id;
        let known = |id: &&String| manifest.trials.iter().any(|trial| is(trial, id));
        if let Some(id) = self.only.iter().find(|id| !known(id)) {
            let root = root.display();
            return Err(SweepError::Usage(format!("{root} has no trial `{id}`")));
        }
        let mine = |trial: &&Trial| match self.only.is_empty() {
            true => self.any || self.shard.is_none_or(|shard| shard.has(trial)),
            false => self.only.iter().any(|id| is(trial, id)),
        };
        Ok(manifest.trials.iter().filter(mine).collect())
    }

    /// Whether interrupted trials are continued.
    pub(super) fn resumes(&self) -> bool {
        self.resume || self.is_task()
    }
}

/// The outcome of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Trials that this run finished.
    pub done: usize,
    /// Trials that earlier runs finished; with `any`, also those that failed before.
    pub skipped: usize,
    /// Trials that failed in this run or before, with the reason.
    pub failed: Vec<(String, Failure)>,
    /// Trials left unfinished because a stop was requested.
    pub interrupted: usize,
    /// Trials that other processes work on, with the process.
    pub elsewhere: Vec<(String, String)>,
}

impl Summary {
    /// Adds what a further part of the sweep came to.
    pub(super) fn add(&mut self, more: Summary) {
        self.done += more.done;
        self.skipped += more.skipped;
        self.failed.extend(more.failed);
        self.interrupted += more.interrupted;
        self.elsewhere.extend(more.elsewhere);
    }

    /// `Ok` if every trial that was asked for is done.
    ///
    /// # Errors
    /// [`SweepError::Stopped`], [`SweepError::Failed`] or [`SweepError::Elsewhere`].
    pub fn verdict(&self) -> Result<(), SweepError> {
        if self.interrupted > 0 {
            let left = self.interrupted;
            return Err(SweepError::Stopped { left });
        }
        if self.failed.is_empty() {
            return match self.elsewhere.is_empty() {
                true => Ok(()),
                false => Err(SweepError::Elsewhere {
                    running: self.elsewhere.clone(),
                }),
            };
        }
        let message = |(id, failure): &(String, Failure)| (id.clone(), failure.message.clone());
        Err(SweepError::Failed {
            trials: self.done + self.skipped + self.failed.len() + self.elsewhere.len(),
            failed: self.failed.iter().map(message).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_counted_from_one() {
        let shard: Shard = "2/3".parse().unwrap();
        assert_eq!((shard.number, shard.of), (2, 3));
        assert_eq!(shard.to_string(), "2/3");
        for bad in ["0/3", "4/3", "1", "a/b", "1/0", "-1/2"] {
            assert!(bad.parse::<Shard>().unwrap_err().contains(bad));
        }
    }
}
