//! Options and outcome of a run of a sweep.

use super::error::SweepError;
use super::folder::Failure;
use super::manifest::Trial;
use std::fmt;
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
    /// Run this shard only.
    pub shard: Option<Shard>,
    /// The device, as provenance records it.
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

/// The outcome of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Trials that this run finished.
    pub done: usize,
    /// Trials that earlier runs finished.
    pub skipped: usize,
    /// Trials that failed in this run or before, with the reason.
    pub failed: Vec<(String, Failure)>,
    /// Trials left unfinished because a stop was requested.
    pub interrupted: usize,
    /// Trials that another shard is running.
    pub elsewhere: usize,
}

impl Summary {
    /// `Ok` if the sweep is complete, apart from trials that other shards are running.
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
