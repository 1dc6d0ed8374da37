//! What a sweep asks of those who train, score and watch.

use super::folder::State;
use super::manifest::Trial;
use brevity_length::{Score, Training};
use brevity_task::Stop;
use std::error::Error;
use std::path::PathBuf;

/// What went wrong in a trial.
pub type WorkError = Box<dyn Error + Send + Sync>;

/// How a step of a trial ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// It is complete.
    Done(T),
    /// It was asked to stop and left what is needed to continue.
    Interrupted,
}

/// One trial on its way.
pub struct Job<'a> {
    /// What to do.
    pub trial: &'a Trial,
    /// Where it lies: `metrics.jsonl`, `checkpoint/`, `model.safetensors`.
    pub folder: PathBuf,
    /// Threads of the pool that this runs in.
    pub threads: usize,
    /// Set when the work is to stop as soon as it is safe.
    pub stop: &'a Stop,
    pub(super) observer: &'a dyn Observer,
}

impl Job<'_> {
    /// Whether to stop.
    pub fn stopped(&self) -> bool {
        self.stop.is_set()
    }

    /// Tells how far the training is: `done` of 1, at `bits_per_byte`.
    pub fn advance(&self, done: f64, bits_per_byte: f64) {
        self.observer.advanced(self.trial, done, bits_per_byte);
    }
}

/// Trains a trial's model. If the folder holds a checkpoint, it continues
/// there; when it is done, `model.safetensors` lies in the folder.
pub trait Trainer: Sync {
    /// Trains, and reports on the training.
    ///
    /// # Errors
    /// Whatever stops this one trial.
    fn train(&self, job: &Job<'_>) -> Result<Step<Training>, WorkError>;
}

/// Scores a trained model.
pub trait Scorer: Sync {
    /// One score for each regime of the trial's config, in order.
    ///
    /// # Errors
    /// Whatever stops this one trial.
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Score>>, WorkError>;
}

/// Watches a sweep. Calls come from the threads that work.
pub trait Observer: Sync {
    /// A trial begins; `resumed` if it began before.
    fn started(&self, trial: &Trial, resumed: bool) {
        let _ = (trial, resumed);
    }
    /// A trial's training is at `done` of 1.
    fn advanced(&self, trial: &Trial, done: f64, bits_per_byte: f64) {
        let _ = (trial, done, bits_per_byte);
    }
    /// A trial ended, in this state.
    fn ended(&self, trial: &Trial, state: &State) {
        let _ = (trial, state);
    }
}

/// An observer that looks away.
pub struct Unobserved;

impl Observer for Unobserved {}

/// Who does the work of a sweep, and who watches it.
pub struct Work<'a> {
    /// Trains.
    pub trainer: &'a dyn Trainer,
    /// Scores.
    pub scorer: &'a dyn Scorer,
    /// Watches.
    pub observer: &'a dyn Observer,
}
