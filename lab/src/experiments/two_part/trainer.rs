//! A trainer that trains in the current process.

use crate::sweep::{DataCache, Job, Step, Trainer, WorkError};
use brevity_length::Training;
use brevity_measure::MeasureError;
use brevity_train::Control;
use brevity_train::DeviceKind;
use brevity_train::Metrics;
use brevity_train::Outcome;
use brevity_train::Progress;
use brevity_train::TrainSetup;
use std::path::Path;

/// Trains with [`brevity_train::run`].
#[derive(Debug)]
pub struct LocalTrainer<'a> {
    data: &'a DataCache,
    device: DeviceKind,
}

impl<'a> LocalTrainer<'a> {
    /// A trainer that takes its bytes from `data`.
    pub fn new(data: &'a DataCache, device: DeviceKind) -> LocalTrainer<'a> {
        LocalTrainer { data, device }
    }
}

impl Trainer for LocalTrainer<'_> {
    fn train(&self, job: &Job<'_>) -> Result<Step<Training>, WorkError> {
        let config = &job.trial.config;
        let split = self.data.of(job.trial)?;
        let beside = match self.data.beside(config.score.code, &split.train, job.stop) {
            Err(MeasureError::Stopped) => return Ok(Step::Interrupted),
            beside => beside?,
        };
        let setup = TrainSetup {
            spec: config.model.clone(),
            config: config.train.clone(),
            seed: config.seed,
            device: self.device,
            beside,
        };
        let progress = |at: Progress<'_>| {
            job.advance(
                at.done as f64 / at.of as f64,
                at.bits_per_byte.unwrap_or_default(),
            );
        };
        let control = Control {
            stop: job.stop,
            progress: &progress,
        };
        let data = &split.train;
        let hash = data.blake3().to_owned();
        match brevity_train::run_hashed(&setup, &data.bytes, hash, &job.folder, &control)? {
            Outcome::Interrupted { .. } => Ok(Step::Interrupted),
            Outcome::Finished { metrics, .. } => Ok(Step::Done(report(&metrics, &job.folder)?)),
        }
    }
}

/// The training report of a finished training.
fn report(last: &Metrics, folder: &Path) -> Result<Training, WorkError> {
    let path = folder.join("metrics.jsonl");
    let text = std::fs::read_to_string(&path)?;
    // A stream, so that errors have the number of the line.
    let lines = serde_json::Deserializer::from_str(&text).into_iter();
    let lines: Result<Vec<Metrics>, _> = lines.collect();
    let lines = lines.map_err(|error| format!("{}: {error}", path.display()))?;
    let before = lines.iter().map(|line| (line.step, line.bytes));
    let before = std::iter::once((0, 0)).chain(before);
    // Every line has the speed since the line before it, so the sum excludes
    // interruptions.
    let mut seconds = 0.0;
    let (mut bits, mut steps) = (0.0, 0);
    for (line, (step, bytes)) in lines.iter().zip(before) {
        seconds += line.bytes.saturating_sub(bytes) as f64 / line.bytes_per_second;
        if line.step > last.step - last.step.div_ceil(10) {
            let since = line.step.saturating_sub(step);
            bits += line.loss * since as f64;
            steps += since;
        }
    }
    Ok(Training {
        steps: Some(last.step),
        bytes: Some(last.bytes),
        // Mean loss over the last tenth, each step's before its own update.
        loss: Some(bits / steps.max(1) as f64),
        wall_seconds: Some(seconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_line_of_metrics_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let last = Metrics {
            step: 20,
            bytes: 100,
            loss: 2.0,
            lr: 0.1,
            grad_norm: 1.0,
            bytes_per_second: 50.0,
        };
        let line = serde_json::to_string(&last).unwrap();
        let path = folder.path().join("metrics.jsonl");
        std::fs::write(&path, format!("{line}\n{line}\n")).unwrap();
        assert_eq!(report(&last, folder.path()).unwrap().steps, Some(20));
        std::fs::write(&path, format!("{line}\n{{\"step\": 40}}\n")).unwrap();
        let error = report(&last, folder.path()).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        assert!(error.contains("line 2"), "{error}");
    }
}
