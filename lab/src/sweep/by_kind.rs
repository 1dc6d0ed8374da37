//! One sweep with both two-part and prequential trials.

use super::job::{Job, Scorer, Step, Trainer, WorkError};
use brevity_length::{Score, Training};

/// Passes a trial with `[prequential]` to `prequential`, any other to `two_part`.
#[derive(Clone, Copy, Debug)]
pub struct ByKind<T> {
    /// For trials that train a model and score it.
    pub two_part: T,
    /// For trials that are prequential codes.
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
