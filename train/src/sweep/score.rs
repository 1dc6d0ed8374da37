//! Scores of trained models.

use super::bytes::DataCache;
use super::measure::Model;
use super::work::{Job, Scorer, Step, WorkError};
use crate::{MODEL, stored_plan};
use brevity_codec::weights::Plan;
use brevity_codec::{ScoreError, score};
use brevity_data::{ByteSet, Regime, Split};
use brevity_model::Weights;
use serde_json::{Map, Value, json};

/// Bytes that tell how finely the weights are worth storing. The search prices
/// them about 40 times.
const SAMPLE: usize = 1 << 15;

/// Pieces of the data that the sample is made of.
const PIECES: usize = 8;

/// Scores a model by the bytes that its regimes take: with the weights as they
/// are and with the weights as an archive stores them. Where the config says
/// `score.verify`, these are the lengths of archives that were decoded again;
/// otherwise code lengths under integer frequencies, marked as estimates.
#[derive(Debug)]
pub struct ArchiveScorer<'a> {
    data: &'a DataCache,
}

impl<'a> ArchiveScorer<'a> {
    /// A scorer that takes its bytes from `data`.
    pub fn new(data: &'a DataCache) -> ArchiveScorer<'a> {
        ArchiveScorer { data }
    }
}

impl Scorer for ArchiveScorer<'_> {
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Map<String, Value>>>, WorkError> {
        let weights = Weights::load(&job.folder.join(MODEL))?;
        if *weights.spec() != job.trial.config.model {
            let path = job.folder.join(MODEL);
            return Err(format!("{} is a model of another spec", path.display()).into());
        }
        let split = self.data.of(job.trial)?;
        let Some(plan) = plan(&weights, &split.train.bytes, job)? else {
            return Ok(Step::Interrupted);
        };
        let model = Model {
            exact: weights,
            plan,
        };
        let config = &job.trial.config.score;
        let mut rows = Vec::new();
        for regime in &config.regimes {
            if job.stopped() {
                return Ok(Step::Interrupted);
            }
            let bytes = scored_bytes(&split, *regime)?;
            rows.push(row(
                *regime,
                &model,
                bytes,
                split.train.len(),
                config.verify,
            )?);
        }
        Ok(Step::Done(rows))
    }
}

/// Why the search for the cheapest weights ended early.
enum Halt {
    Stopped,
    Score(ScoreError),
}

/// How to store the weights for the shortest description of weights and
/// training data: as they are if they were trained for it, otherwise as far as
/// a sample of the data tells. `None` if the job is to stop.
fn plan(weights: &Weights, data: &[u8], job: &Job<'_>) -> Result<Option<Plan>, WorkError> {
    if let Some(plan) = stored_plan(weights) {
        return Ok(Some(plan));
    }
    let sample = sample(data, weights.spec().context);
    let scale = data.len() as f64 / sample.len() as f64;
    let plan = Plan::minimise(weights, |candidate| {
        if job.stopped() {
            return Err(Halt::Stopped);
        }
        let price = score(candidate, &sample).map_err(Halt::Score)?;
        Ok(price.bits * scale)
    });
    match plan {
        Ok(plan) => Ok(Some(plan)),
        Err(Halt::Stopped) => Ok(None),
        Err(Halt::Score(error)) => Err(error.into()),
    }
}

/// Evenly spaced pieces of the data, whole contexts long.
fn sample(data: &[u8], context: usize) -> Vec<u8> {
    let piece = (SAMPLE / PIECES).next_multiple_of(context);
    if data.len() <= PIECES * piece {
        return data.to_vec();
    }
    let stride = data.len() / PIECES;
    (0..PIECES)
        .flat_map(|i| &data[i * stride..][..piece])
        .copied()
        .collect()
}

fn scored_bytes(split: &Split, regime: Regime) -> Result<&ByteSet, WorkError> {
    match regime {
        Regime::InSample => Ok(&split.train),
        Regime::HeldOut => split.holdout.as_ref().ok_or("nothing is held out".into()),
        other => Err(format!("nothing is known to score as {other}").into()),
    }
}

/// Contract 5: the coded bytes are paid by the bytes they code, the model by
/// the bytes it was trained on, which in-sample are the same.
fn row(
    regime: Regime,
    model: &Model,
    bytes: &ByteSet,
    trained_on: usize,
    verify: bool,
) -> Result<Map<String, Value>, WorkError> {
    let bits = score(&model.exact, &bytes.bytes)?;
    let (exact, stored) = match verify {
        true => (model.external(&bytes.bytes)?, model.embedded(&bytes.bytes)?),
        false => (
            model.external_estimate(&bytes.bytes)?,
            model.embedded_estimate(&bytes.bytes)?,
        ),
    };
    let rate = |coded: u64| coded as f64 / bytes.len() as f64;
    let adjusted = |coded: u64, model: u64| rate(coded) + model as f64 / trained_on as f64;
    let fp16 = 2 * model.exact.spec().parameters();
    let row = json!({
        "regime": regime.name(),
        "scored": { "bytes": bytes.len(), "hash": bytes.blake3() },
        "bits_per_byte": bits.bits_per_byte(),
        "data_bits": bits.bits,
        "coded_bytes": exact.coded,
        "stored_coded_bytes": stored.coded,
        "model_bytes": { "fp16": fp16, "stored": stored.rest },
        "raw_rate": rate(exact.coded),
        "adjusted_rate": {
            "fp16": adjusted(exact.coded, fp16),
            "stored": adjusted(stored.coded, stored.rest),
        },
        "estimate": !verify,
        "verified": verify,
    });
    match row {
        Value::Object(row) => Ok(row),
        _ => unreachable!("the literal above is an object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_and_made_of_whole_contexts() {
        let data: Vec<u8> = (0..1 << 20).map(|i| (i >> 12) as u8).collect();
        let taken = sample(&data, 100);
        assert_eq!(taken.len(), PIECES * 4100);
        assert_eq!((taken[0], taken[4100]), (0, 32));
        assert_eq!(sample(&data[..1000], 100), &data[..1000]);
    }
}
