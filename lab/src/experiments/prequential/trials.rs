//! Trials that are prequential codes: bytes are priced while a model learns them.

use super::config::{Mode, PrequentialConfig};
use crate::config::TrialConfig;
use crate::learned_length;
use crate::sweep::{DataCache, Job, Scorer, Step, Trainer, WorkError, files};
use brevity_codec::ScoreResult;
use brevity_length::{
    CurvePoint, Description, Evidence, Learning, Regime, Score, Scored, Training,
};
use brevity_measure::{Archives, Decoder, MeasureError, sums_of_blocks};
use brevity_model::Weights;
use brevity_train::Control;
use brevity_train::DeviceKind;
use brevity_train::MODEL;
use brevity_train::Progress;
use brevity_train::TrainSetup;
use brevity_train::online::{PrequentialLength, Recipe, blockwise, fixed, prequential};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;

/// File in a trial's folder with the lengths of a prequential code.
const LENGTHS: &str = "prequential.json";

/// Points kept of a curve for each doubling of the bytes.
const POINTS: f64 = 8.0;

/// Runs the prequential code of a trial; writes its lengths and the final model. Online
/// learning runs on the CPU; the models of blocks are trained on `device`.
#[derive(Debug)]
pub struct PrequentialTrainer<'a> {
    data: &'a DataCache,
    device: DeviceKind,
}

impl<'a> PrequentialTrainer<'a> {
    /// A trainer that takes its bytes from `data`.
    pub fn new(data: &'a DataCache, device: DeviceKind) -> PrequentialTrainer<'a> {
        PrequentialTrainer { data, device }
    }
}

/// Content of the file [`LENGTHS`].
#[derive(Debug, Serialize, Deserialize)]
struct Lengths {
    bits: f64,
    recipe_bytes: u64,
    /// Cumulative length, at eight points for each doubling of the bytes.
    curve: Vec<CurvePoint>,
    /// Cumulative length, where the bytes coded are a power of two, and at the end.
    doublings: Vec<CurvePoint>,
    /// Code lengths of contiguous parts of the file, in bits.
    block_bits: Vec<u64>,
}

impl Trainer for PrequentialTrainer<'_> {
    fn train(&self, job: &Job<'_>) -> Result<Step<Training>, WorkError> {
        let config = &job.trial.config;
        let table = table(config)?;
        let split = self.data.of(job.trial)?;
        let bytes = &split.described().bytes[..];
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
        let length = match table.mode {
            Mode::Online => prequential(&recipe(config, table)?, bytes, &control)?,
            Mode::Blocks => {
                let setup = TrainSetup {
                    spec: config.model.clone(),
                    config: config.train.clone(),
                    seed: config.seed,
                    device: self.device,
                    beside: None,
                };
                let folder = job.folder.join("checkpoint");
                let (online, first) = (&table.online, table.first_block);
                let recipe = declared(config)?;
                blockwise(&setup, online, first, bytes, recipe, &folder, &control)?
            }
        };
        let Some(length) = length else {
            return Ok(Step::Interrupted);
        };
        files::write_json(&job.folder.join(LENGTHS), &Lengths::of(&length))?;
        // The weights are written last: they mark the training as complete.
        length.weights.save(&job.folder.join(MODEL))?;
        Ok(Step::Done(Training {
            bytes: Some(bytes.len() as u64),
            loss: Some(length.bits_per_byte()),
            ..Training::default()
        }))
    }
}

fn table(config: &TrialConfig) -> Result<&PrequentialConfig, WorkError> {
    let table = config.prequential.as_ref();
    table.ok_or_else(|| "the trial has no [prequential]".into())
}

fn recipe(config: &TrialConfig, table: &PrequentialConfig) -> Result<Recipe, WorkError> {
    let online = table.online.clone();
    Ok(Recipe::new(
        config.model.clone(),
        config.seed,
        &config.train,
        online,
    )?)
}

/// Bytes of the recipe of block-wise training, which has no archive: seed, model and
/// the two tables as TOML.
fn declared(config: &TrialConfig) -> Result<u64, WorkError> {
    let declared = json!({
        "seed": config.seed,
        "model": config.model,
        "train": config.train.identity(),
        "prequential": config.prequential,
    });
    Ok(toml::to_string(&declared)?.len() as u64)
}

impl Lengths {
    fn of(length: &PrequentialLength) -> Lengths {
        let rounded = |bits: &f64| bits.round() as u64;
        let all = length.lengths.len() as u64;
        Lengths {
            bits: length.bits,
            recipe_bytes: length.recipe_bytes,
            curve: thinned(&length.curve, 2.0_f64.powf(1.0 / POINTS)),
            doublings: thinned(&length.curve, 2.0)
                .into_iter()
                .filter(|point| point.bytes == all || point.bytes >= 1024)
                .collect(),
            block_bits: sums_of_blocks(&length.lengths)
                .iter()
                .map(rounded)
                .collect(),
        }
    }
}

/// The points of the curve at which the number of bytes has grown by `factor`, and the
/// last point.
fn thinned(curve: &[CurvePoint], factor: f64) -> Vec<CurvePoint> {
    let mut out: Vec<CurvePoint> = Vec::new();
    for (i, point) in curve.iter().enumerate() {
        let due = out
            .last()
            .is_none_or(|last| point.bytes as f64 >= factor * last.bytes as f64);
        if due || i + 1 == curve.len() {
            out.push(*point);
        }
    }
    out
}

/// Scores prequential codes. With `score.verify`, the length of an online code is that
/// of a decoded archive, `archive/prequential.bvy`; block-wise codes have no archives
/// and stay estimates.
pub struct PrequentialScorer<'a> {
    data: &'a DataCache,
    decoder: &'a dyn Decoder,
}

impl<'a> PrequentialScorer<'a> {
    /// A scorer that takes its bytes from `data` and decodes archives with `decoder`.
    pub fn new(data: &'a DataCache, decoder: &'a dyn Decoder) -> PrequentialScorer<'a> {
        PrequentialScorer { data, decoder }
    }

    /// Coded bytes and recipe bytes of a decoded archive.
    fn archived(
        &self,
        job: &Job<'_>,
        recipe: Recipe,
        bytes: &[u8],
        model: &Path,
    ) -> Result<(u64, u64), WorkError> {
        let archives = Archives {
            folder: &job.folder.join("archive"),
            name: Regime::Prequential.name(),
            model,
            decoder: self.decoder,
        };
        let length = learned_length(recipe, bytes, &archives, job.stop)?;
        Ok((length.coded, length.rest))
    }

    fn score(&self, job: &Job<'_>) -> Result<Option<Score>, WorkError> {
        let config = &job.trial.config;
        let table = table(config)?;
        let split = self.data.of(job.trial)?;
        let bytes = &split.described().bytes[..];
        let path = job.folder.join(MODEL);
        let weights = Weights::load(&path)?;
        let lengths: Lengths = files::read_json(&job.folder.join(LENGTHS))?
            .ok_or_else(|| format!("the folder holds {MODEL} and no {LENGTHS}"))?;
        let Some(final_bits) = fixed(&weights, &table.online, bytes, job.stop)? else {
            return Ok(None);
        };
        let estimate = ScoreResult {
            bytes: bytes.len() as u64,
            bits: lengths.bits,
        };
        let verified = config.score.verify && table.mode == Mode::Online;
        let (coded, recipe) = match verified {
            true => self.archived(job, recipe(config, table)?, bytes, &path)?,
            false => (estimate.stream_bytes(), lengths.recipe_bytes),
        };
        let scored = Scored {
            bytes: bytes.len() as u64,
            hash: split.described().blake3().to_owned(),
        };
        let description = Description::prequential(scored, lengths.bits, coded, recipe)
            .evidence(match verified {
                true => Evidence::Decoded,
                false => Evidence::Estimate,
            })
            .with_blocks(lengths.block_bits);
        Ok(Some(Score {
            description,
            detected: None,
            learning: Some(Learning {
                mode: table.mode.name().to_owned(),
                final_bits,
                regret_bits: lengths.bits - final_bits,
                curve: lengths.curve,
                doublings: lengths.doublings,
            }),
        }))
    }
}

impl Scorer for PrequentialScorer<'_> {
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Score>>, WorkError> {
        match PrequentialScorer::score(self, job) {
            Ok(Some(score)) => Ok(Step::Done(vec![score])),
            Ok(None) => Ok(Step::Interrupted),
            Err(error) => match error.downcast_ref() {
                Some(MeasureError::Stopped) => Ok(Step::Interrupted),
                _ => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_curve_grows_by_its_factor_and_keeps_its_end() {
        let curve: Vec<CurvePoint> = (1..=100)
            .map(|i| CurvePoint {
                bytes: 64 * i,
                bits: i as f64,
            })
            .collect();
        let bytes: Vec<u64> = thinned(&curve, 2.0).iter().map(|p| p.bytes / 64).collect();
        assert_eq!(bytes, [1, 2, 4, 8, 16, 32, 64, 100]);
        assert!(thinned(&[], 2.0).is_empty());
    }
}
