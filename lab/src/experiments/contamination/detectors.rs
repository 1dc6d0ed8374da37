//! Contamination detectors, run on the trials of a sweep when they are scored.

use crate::sweep::{DataCache, Job, Scorer, Step, WorkError};
use brevity_codec::code_lengths;
use brevity_data::Split;
use brevity_model::{Transformer, Weights};
use brevity_train::MODEL;

use brevity_data::overlap::overlap;
use brevity_length::{Detected, MinK, Regime, Score};
use brevity_stats::rank::{auc, min_k};

/// Bytes per piece of text that Min-K% classifies as member or non-member.
const PIECE: usize = 512;

/// K of Min-K%: the share of a piece's bytes that it averages over, in percent.
const PERCENT: f64 = 20.0;

/// A scorer that adds the results of detectors to those of another scorer. If
/// there is a leak (`[data.leak]`), they are in the field `detected` of the row
/// of the regime `overlap`.
pub struct Detectors<'a> {
    scorer: &'a dyn Scorer,
    data: &'a DataCache,
}

impl<'a> Detectors<'a> {
    /// Adds detectors to `scorer`; they take their bytes from `data`.
    pub fn new(scorer: &'a dyn Scorer, data: &'a DataCache) -> Detectors<'a> {
        Detectors { scorer, data }
    }
}

impl Scorer for Detectors<'_> {
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Score>>, WorkError> {
        let Step::Done(mut scores) = self.scorer.score(job)? else {
            return Ok(Step::Interrupted);
        };
        let leaked = |score: &&mut Score| score.description.regime() == Regime::Overlap;
        if let Some(score) = scores.iter_mut().find(leaked) {
            let weights = Weights::load(&job.folder.join(MODEL))?;
            let detected = detect(&weights, &*self.data.of(job.trial)?)?;
            score.detected = Some(detected);
        }
        Ok(Step::Done(scores))
    }
}

fn detect(weights: &Weights, split: &Split) -> Result<Detected, WorkError> {
    let test = split.leak.as_ref().ok_or("there is no leaked test")?;
    let clean = split
        .holdout
        .as_ref()
        .ok_or("there are no held-out bytes")?;
    let model = Transformer::new(weights);
    let pieces = |bytes: &[u8]| -> Result<Vec<f64>, WorkError> {
        let lengths = code_lengths(&model, bytes)?;
        let pieces = lengths.chunks_exact(PIECE.min(lengths.len()));
        Ok(pieces.map(|piece| min_k(piece, PERCENT)).collect())
    };
    let (leaked, others) = (pieces(&test.bytes)?, pieces(&clean.bytes)?);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    Ok(Detected {
        overlap: overlap(&split.train.bytes, &test.bytes),
        min_k: MinK {
            percent: PERCENT,
            leaked: mean(&leaked),
            clean: mean(&others),
            auc: auc(&leaked, &others),
        },
    })
}
