//! Scoring of trained models.

use crate::sweep::{DataCache, Job, Scorer, Step, WorkError, scored, write_scored};
use brevity_data::{ByteSet, Split};
use brevity_length::{Regime, Score};
use brevity_measure::{
    Archives, Decoder, MeasureError, StoredModel, measure, measure_at_bits, measure_mixture,
};
use brevity_model::Weights;
use brevity_train::MODEL;

/// Scores a model on the bytes of each regime, with its weights as trained and as an
/// archive stores them. With `score.verify`, the lengths are those of decoded archives,
/// and the archive that holds its model is kept in the trial's folder as
/// `archive/REGIME.bvy`; otherwise they are code lengths under integer frequencies,
/// marked as estimates. Each of `score.bits` adds a convention, such as `4-bit`. With
/// `score.code = "mixed"`, the model is mixed with context models, and so are the names of
/// the conventions.
///
/// Finished regimes of a trial that was stopped or killed are not scored again.
pub struct ArchiveScorer<'a> {
    data: &'a DataCache,
    decoder: &'a dyn Decoder,
}

impl<'a> ArchiveScorer<'a> {
    /// A scorer that takes its bytes from `data` and decodes archives with `decoder`.
    pub fn new(data: &'a DataCache, decoder: &'a dyn Decoder) -> ArchiveScorer<'a> {
        ArchiveScorer { data, decoder }
    }

    fn scores(&self, job: &Job<'_>) -> Result<Vec<Score>, WorkError> {
        let path = job.folder.join(MODEL);
        let weights = Weights::load(&path)?;
        if *weights.spec() != job.trial.config.model {
            return Err(format!("{} holds a model with another spec", path.display()).into());
        }
        let split = self.data.of(job.trial)?;
        let config = &job.trial.config.score;
        let mut scores = scored(&job.folder)?;
        scores.truncate(config.regimes.len());
        if scores.len() == config.regimes.len() {
            return Ok(scores);
        }
        // A leaked test is charged with the whole model, so the test determines how it
        // is stored.
        let charged = match config.regimes.contains(&Regime::Overlap) {
            true => scored_bytes(&split, Regime::Overlap)?,
            false => &split.train,
        };
        let beside = |set: &ByteSet| self.data.beside(config.code, set, job.stop);
        let model = match beside(charged)? {
            None => StoredModel::for_data(weights, &charged.bytes, job.stop),
            Some(contexts) => {
                StoredModel::for_mixture(weights, &charged.bytes, &contexts, job.stop)
            }
        }?;
        let trained_on = split.train.len() as u64;
        for &regime in &config.regimes[scores.len()..] {
            let set = scored_bytes(&split, regime)?;
            let (bytes, beside) = (&set.bytes, beside(set)?);
            let archives = Archives {
                folder: &job.folder.join(ARCHIVES),
                name: regime.name(),
                model: &path,
                decoder: self.decoder,
            };
            let archives = config.verify.then_some(&archives);
            let beside = beside.as_deref();
            let mut found = match beside {
                None => measure(&model, bytes, regime, trained_on, archives, job.stop),
                Some(contexts) => measure_mixture(
                    &model, contexts, bytes, regime, trained_on, archives, job.stop,
                ),
            }?;
            for &bits in &config.bits {
                let code = measure_at_bits(&model, bits, bytes, beside, archives, job.stop)?;
                found = found.with(code);
            }
            scores.push(found.into());
            write_scored(&job.folder, &scores)?;
        }
        Ok(scores)
    }
}

/// Folder of archives in a trial's folder.
const ARCHIVES: &str = "archive";

impl Scorer for ArchiveScorer<'_> {
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Score>>, WorkError> {
        match self.scores(job) {
            Ok(scores) => Ok(Step::Done(scores)),
            Err(error) => match error.downcast_ref() {
                Some(MeasureError::Stopped) => Ok(Step::Interrupted),
                _ => Err(error),
            },
        }
    }
}

fn scored_bytes(split: &Split, regime: Regime) -> Result<&ByteSet, WorkError> {
    match regime {
        Regime::InSample => Ok(&split.train),
        Regime::HeldOut => split
            .holdout
            .as_ref()
            .ok_or("there are no held-out bytes".into()),
        Regime::Overlap => split.leak.as_ref().ok_or("there is no leaked test".into()),
        other => Err(format!("a sweep cannot score the regime {other}").into()),
    }
}
