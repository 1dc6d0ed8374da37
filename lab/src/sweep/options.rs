//! How to run a sweep, and what came of it.

use super::error::SweepError;
use super::folder::Failure;
use super::manifest::Trial;
use std::fmt;
use std::str::FromStr;

/// A part of a sweep: every `of`-th trial, from the `number`-th (from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 1.
    pub number: usize,
    /// How many parts there are.
    pub of: usize,
}

impl Shard {
    /// Whether a trial belongs to this part.
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
    /// Trials at a time; by default as many as there are threads, up to 8.
    pub jobs: Option<usize>,
    /// Threads for all of them together.
    pub threads: usize,
    /// Continue interrupted trials.
    pub resume: bool,
    /// Try failed trials again.
    pub retry_failed: bool,
    /// Do a part only.
    pub shard: Option<Shard>,
    /// The device that provenance names.
    pub device: String,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            jobs: None,
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
            resume: false,
            retry_failed: false,
            shard: None,
            device: "flex".into(),
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Trials that were done by this run.
    pub done: usize,
    /// Trials that were done before.
    pub skipped: usize,
    /// Trials that failed now or before, with the reason.
    pub failed: Vec<(String, Failure)>,
    /// Trials that are not done because the run was asked to stop.
    pub interrupted: usize,
    /// Trials that another shard is working at.
    pub elsewhere: usize,
}

impl Summary {
    /// Whether the sweep is complete, as an error where it is not. What other
    /// shards work at is not missed.
    ///
    /// # Errors
    /// [`SweepError::Stopped`] or [`SweepError::Failed`].
    pub fn verdict(&self) -> Result<(), SweepError> {
        if self.interrupted > 0 {
            let left = self.interrupted;
            return Err(SweepError::Stopped { left });
        }
        if self.failed.is_empty() {
            return Ok(());
        }
        let message = |(id, failure): &(String, Failure)| (id.clone(), failure.message.clone());
        Err(SweepError::Failed {
            trials: self.done + self.skipped + self.failed.len(),
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
