//! Scores of trained models by their exact code length.

use super::bytes::DataCache;
use super::work::{Job, Scorer, Step, WorkError};
use crate::MODEL;
use brevity_data::{ByteSet, Regime, Split};
use brevity_model::Weights;
use serde_json::{Map, Value, json};

/// Scores a model by the code length of its regimes' bytes under integer
/// frequencies. No archive is written: the lengths are marked as estimates.
#[derive(Debug)]
pub struct CodeLengthScorer<'a> {
    data: &'a DataCache,
}

impl<'a> CodeLengthScorer<'a> {
    /// A scorer that takes its bytes from `data`.
    pub fn new(data: &'a DataCache) -> CodeLengthScorer<'a> {
        CodeLengthScorer { data }
    }
}

impl Scorer for CodeLengthScorer<'_> {
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Map<String, Value>>>, WorkError> {
        let weights = Weights::load(&job.folder.join(MODEL))?;
        if *weights.spec() != job.trial.config.model {
            let path = job.folder.join(MODEL);
            return Err(format!("{} is a model of another spec", path.display()).into());
        }
        let split = self.data.of(job.trial)?;
        let mut rows = Vec::new();
        for regime in &job.trial.config.score.regimes {
            if job.stopped() {
                return Ok(Step::Interrupted);
            }
            let bytes = scored_bytes(&split, *regime)?;
            rows.push(row(*regime, &weights, bytes, split.train.len())?);
        }
        Ok(Step::Done(rows))
    }
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
    weights: &Weights,
    bytes: &ByteSet,
    trained_on: usize,
) -> Result<Map<String, Value>, WorkError> {
    let score = brevity_codec::score(weights, &bytes.bytes)?;
    let coded = score.stream_bytes();
    let fp16 = 2 * weights.spec().parameters();
    let raw = coded as f64 / bytes.len() as f64;
    let row = json!({
        "regime": regime.name(),
        "scored": { "bytes": bytes.len(), "hash": bytes.blake3() },
        "bits_per_byte": score.bits_per_byte(),
        "data_bits": score.bits,
        "coded_bytes": coded,
        "model_bytes": { "fp16": fp16 },
        "raw_rate": raw,
        "adjusted_rate": { "fp16": raw + fp16 as f64 / trained_on as f64 },
        "estimate": true,
        "verified": false,
    });
    match row {
        Value::Object(row) => Ok(row),
        _ => unreachable!("the literal above is an object"),
    }
}
