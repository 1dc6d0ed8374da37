//! Trials that train a model and trials that are prequential codes, in one sweep.

use super::job::{Job, Scorer, Step, Trainer, WorkError};
use brevity_length::{Score, Training};

/// Gives a trial with `[prequential]` to one, any other trial to the other.
#[derive(Clone, Copy, Debug)]
pub struct ByKind<T> {
    /// Does trials that train a model and score it.
    pub two_part: T,
    /// Does trials that price bytes while they are learned.
    pub prequential: T,
}

impl<T> ByKind<T> {
    fn of(&self, job: &Job<'_>) -> &T {
        match job.trial.config.prequential {
            None => &self.two_part,
            Some(_) => &self.prequential,
        }
    }
}

impl Trainer for ByKind<&dyn Trainer> {
    fn train(&self, job: &Job<'_>) -> Result<Step<Training>, WorkError> {
        self.of(job).train(job)
    }
}

impl Scorer for ByKind<&dyn Scorer> {
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Score>>, WorkError> {
        self.of(job).score(job)
    }
}
