//! What a trial needs: cores, memory, time.

use super::error::SweepError;
use super::folder::SweepFolder;
use super::manifest::{Manifest, Trial};
use super::speed::Speed;
use crate::config::ScoreCode;
use brevity_codec::Contexts;
use brevity_codec::archive::Options;
use brevity_model::Spec;
use brevity_train::TrainConfig;
use serde::Serialize;

/// Memory of a process that has not begun, in bytes.
const PROCESS: f64 = 24e6;

/// Bytes per parameter: weights, gradients and two moments of 4 bytes each.
const STATE: f64 = 16.0;

/// Copies of the data that training and scoring hold at once.
const COPIES: f64 = 3.0;

/// Passes of each regime over the scored bytes for its archives: one with the weights as
/// they are and one with stored weights, each written and decoded.
const ARCHIVES: f64 = 4.0;

/// Forward passes over the scored bytes for each regime: the exact length, and archives.
const PASSES: f64 = 1.0 + ARCHIVES;

/// Seconds that a trial takes beside its arithmetic: a process, files that are synced.
const AROUND: f64 = 1.0;

/// Seconds that context models of the default level take for a byte
/// (docs/results.md: 28 seconds for 10^7).
const CONTEXTS: f64 = 2.8e-6;

/// What one trial needs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Demand {
    /// Cores that it can use well.
    pub cpus: usize,
    /// The most memory held at once, in bytes.
    pub memory: u64,
    /// Duration on these cores, in seconds.
    pub seconds: f64,
}

/// How much of the estimates is measured, and by how much it moved them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Floating-point operations a second and core, in training and scoring.
    pub flops_per_second: f64,
    /// Finished trials that the speed was measured on; 0 if it is half the speed of a
    /// matrix product on this machine.
    pub timed: usize,
    /// The largest ratio of a measured peak of memory to its estimate; 1 if none was
    /// measured.
    pub memory_factor: f64,
    /// Finished trials whose peak of memory was measured.
    pub weighed: usize,
}

impl Calibration {
    /// Measures on the finished trials of a folder.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn of(folder: &SweepFolder, manifest: &Manifest) -> Result<Calibration, SweepError> {
        let (mut flops, mut core_seconds, mut timed) = (0.0, 0.0, 0);
        let (mut factor, mut weighed) = (0f64, 0);
        for trial in &manifest.trials {
            if !folder.is_done(trial) {
                continue;
            }
            let Some(score) = folder.score(trial)? else {
                continue;
            };
            let told = score.provenance;
            if let (Some(seconds), cores @ 1..) = (score.training.wall_seconds, told.threads) {
                let ours = seconds + told.score_seconds - beside(trial);
                if ours > 0.0 {
                    flops += work(trial);
                    core_seconds += ours * cores as f64;
                    timed += 1;
                }
            }
            if let Some(peak) = told.peak_memory {
                let threads = told.threads.try_into().unwrap_or(usize::MAX);
                factor = factor.max(peak as f64 / memory(trial, threads));
                weighed += 1;
            }
        }
        let measured = timed > 0 && core_seconds > 0.0;
        Ok(Calibration {
            flops_per_second: match measured {
                true => flops / core_seconds,
                false => Speed::assumed_per_core(),
            },
            timed: if measured { timed } else { 0 },
            memory_factor: if weighed > 0 { factor } else { 1.0 },
            weighed,
        })
    }

    /// What nothing was measured of: half the speed of a matrix product on this machine.
    pub(crate) fn assumed() -> Calibration {
        Calibration {
            flops_per_second: Speed::assumed_per_core(),
            timed: 0,
            memory_factor: 1.0,
            weighed: 0,
        }
    }

    /// What a trial needs; with `cpus` cores if they are given.
    pub fn demand(&self, trial: &Trial, cpus: Option<usize>) -> Demand {
        let threads = cpus.unwrap_or_else(|| cores(trial.parameters));
        let memory = memory(trial, threads);
        let mut demand = self.demand_of(work(trial), memory, trial.parameters, cpus);
        demand.seconds += beside(trial);
        demand
    }

    /// The same, of floating-point operations and bytes of memory.
    pub(crate) fn demand_of(
        &self,
        flops: f64,
        memory: f64,
        parameters: u64,
        cpus: Option<usize>,
    ) -> Demand {
        let cpus = cpus.unwrap_or_else(|| cores(parameters));
        Demand {
            cpus,
            memory: (memory * self.memory_factor) as u64,
            seconds: flops / self.flops_per_second / cpus as f64 + AROUND,
        }
    }
}

/// Cores that a training of this size uses well: the matrices of small models are too
/// small to split (`docs/scale.md`).
fn cores(parameters: u64) -> usize {
    match parameters {
        0..1_000_000 => 1,
        1_000_000..4_000_000 => 2,
        4_000_000..16_000_000 => 4,
        _ => 8,
    }
}

/// Floating-point operations of training and scoring.
fn work(trial: &Trial) -> f64 {
    let config = &trial.config;
    if config.prequential.is_some() {
        // The decoder learns all over again.
        return 2.0 * trial.flops;
    }
    let share = match config.score.verify {
        true => 1.0,
        // The exact length alone.
        false => 1.0 / PASSES,
    };
    trial.flops + share * scoring(&config.model, scored(trial))
}

/// Bytes that are scored, in all regimes.
fn scored(trial: &Trial) -> f64 {
    let bytes = trial.data.bytes.max(trial.data.holdout_bytes) as f64;
    trial.config.score.regimes.len() as f64 * bytes
}

/// Seconds that the context models of a mixture take, whatever the number of cores: once
/// over the bytes, and in each archive that is written and decoded.
fn beside(trial: &Trial) -> f64 {
    let bytes = (trial.data.bytes + trial.data.holdout_bytes) as f64;
    match (trial.config.score.code, trial.config.score.verify) {
        (ScoreCode::Model, _) => 0.0,
        (ScoreCode::Mixed, false) => CONTEXTS * bytes,
        (ScoreCode::Mixed, true) => CONTEXTS * (bytes + ARCHIVES * scored(trial)),
    }
}

/// Floating-point operations of the archives of so many bytes.
pub(crate) fn scoring(spec: &Spec, bytes: f64) -> f64 {
    PASSES * spec.flops_per_byte() / 3.0 * bytes
}

fn memory(trial: &Trial, threads: usize) -> f64 {
    let config = &trial.config;
    let data = trial.data.bytes + trial.data.holdout_bytes;
    let beside = match config.score.code {
        ScoreCode::Model => 0,
        ScoreCode::Mixed => {
            let Options { level, block, .. } = Options::default();
            Contexts::most_memory(data as usize, level, block, threads)
        }
    };
    held(&config.model, &config.train, data) + beside as f64
}

/// The most bytes held at once: the optimizer's state, the activations of a batch that
/// the backward pass needs, and `data` bytes of data as far as they are not mapped.
pub(crate) fn held(spec: &Spec, train: &TrainConfig, data: u64) -> f64 {
    let sequences = train.batch_sequences(spec);
    let tokens = sequences.saturating_mul(spec.context as u64) as f64;
    let floats = (spec.layers * (14 * spec.width + 3 * spec.hidden) + 3 * 256) as f64;
    PROCESS
        + STATE * spec.parameters() as f64
        + 4.0 * tokens * floats
        + COPIES * data.min(brevity_data::IN_MEMORY) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_grow_with_the_model() {
        assert_eq!(
            [9_999, 1_000_000, 5_000_000, 1 << 30].map(cores),
            [1, 2, 4, 8]
        );
    }
}
