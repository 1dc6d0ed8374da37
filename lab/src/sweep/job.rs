//! The interfaces between a sweep and its trainer, scorer and observer.

use super::folder::State;
use super::manifest::Trial;
use brevity_length::{Score, Training};
use brevity_task::Stop;
use std::error::Error;
use std::path::{Path, PathBuf};

/// The error of a trial.
pub type WorkError = Box<dyn Error + Send + Sync>;

/// How the training or scoring of a trial ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// Complete.
    Done(T),
    /// Stopped on request; the files needed to continue are saved.
    Interrupted,
}

/// One running trial.
pub struct Job<'a> {
    /// The trial.
    pub trial: &'a Trial,
    /// Its folder, with `metrics.jsonl`, `checkpoint/`, `model.safetensors`.
    pub folder: PathBuf,
    /// Threads of the pool that the trial runs in.
    pub threads: usize,
    /// Set to request a stop as soon as it is safe.
    pub stop: &'a Stop,
    pub(super) observer: &'a dyn Observer,
}

impl Job<'_> {
    /// Whether a stop was requested.
    pub fn stopped(&self) -> bool {
        self.stop.is_set()
    }

    /// Reports training progress: `done` from 0 to 1, and the loss in bits per byte.
    pub fn advance(&self, done: f64, bits_per_byte: f64) {
        self.observer.advanced(self.trial, done, bits_per_byte);
    }
}

/// Trains a trial's model, continuing from the folder's checkpoint if there is one.
/// When training is complete, `model.safetensors` is in the folder.
pub trait Trainer: Sync {
    /// Trains the model and returns the training report.
    ///
    /// # Errors
    /// Any error that makes this one trial fail.
    fn train(&self, job: &Job<'_>) -> Result<Step<Training>, WorkError>;
}

/// Scores a trained model.
pub trait Scorer: Sync {
    /// One score for each regime of the trial's config, in order.
    ///
    /// # Errors
    /// Any error that makes this one trial fail.
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Score>>, WorkError>;
}

/// Receives the events of a sweep, from its worker threads.
pub trait Observer: Sync {
    /// A trial starts; `resumed` if it was started before.
    fn started(&self, trial: &Trial, resumed: bool) {
        let _ = (trial, resumed);
    }
    /// Training progress of a trial: `done` from 0 to 1, and the loss in bits per byte.
    fn advanced(&self, trial: &Trial, done: f64, bits_per_byte: f64) {
        let _ = (trial, done, bits_per_byte);
    }
    /// A file of a trial was damaged or missing; it and the files derived from it will be made
    /// again.
    fn repaired(&self, trial: &Trial, path: &Path) {
        let _ = (trial, path);
    }
    /// Something worth a line that stops nothing.
    fn noted(&self, line: &str) {
        let _ = line;
    }
    /// A trial ended in this state.
    fn ended(&self, trial: &Trial, state: &State) {
        let _ = (trial, state);
    }
}

/// An observer that ignores every event.
pub struct Unobserved;

impl Observer for Unobserved {}

/// The trainer, scorer and observer of a sweep.
pub struct Work<'a> {
    /// Trains the models.
    pub trainer: &'a dyn Trainer,
    /// Scores the models.
    pub scorer: &'a dyn Scorer,
    /// Receives the events.
    pub observer: &'a dyn Observer,
}
