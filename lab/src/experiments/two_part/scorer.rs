//! Scores of trained models.

use crate::sweep::{DataCache, Job, Scorer, Step, WorkError, scored, write_scored};
use brevity_data::{ByteSet, Split};
use brevity_length::{Regime, Score};
use brevity_measure::{Archives, Decoder, MeasureError, StoredModel, measure, measure_at_bits};
use brevity_model::Weights;
use brevity_train::MODEL;

/// Scores a model by the bytes that its regimes take: with the weights as they
/// are and with the weights as an archive stores them. Where the config says
/// `score.verify`, these are the lengths of archives that were decoded again,
/// and the one that holds its model stays in the trial's folder as
/// `archive/REGIME.bvy`; otherwise they are code lengths under integer
/// frequencies, marked as estimates. For each of `score.bits` there is a further
/// convention, `4-bit` and the like.
///
/// What is done of a trial that is stopped or killed is not done again.
pub struct ArchiveScorer<'a> {
    data: &'a DataCache,
    decoder: &'a dyn Decoder,
}

impl<'a> ArchiveScorer<'a> {
    /// A scorer that takes its bytes from `data` and has archives decoded by
    /// `decoder`.
    pub fn new(data: &'a DataCache, decoder: &'a dyn Decoder) -> ArchiveScorer<'a> {
        ArchiveScorer { data, decoder }
    }

    fn scores(&self, job: &Job<'_>) -> Result<Vec<Score>, WorkError> {
        let path = job.folder.join(MODEL);
        let weights = Weights::load(&path)?;
        if *weights.spec() != job.trial.config.model {
            return Err(format!("{} is a model of another spec", path.display()).into());
        }
        let split = self.data.of(job.trial)?;
        let config = &job.trial.config.score;
        let mut scores = scored(&job.folder)?;
        scores.truncate(config.regimes.len());
        if scores.len() == config.regimes.len() {
            return Ok(scores);
        }
        // A test that leaked pays for the whole model, so it is stored for the test.
        let told = match config.regimes.contains(&Regime::Overlap) {
            true => scored_bytes(&split, Regime::Overlap)?,
            false => &split.train,
        };
        let model = StoredModel::for_data(weights, &told.bytes, job.stop)?;
        let trained_on = split.train.len() as u64;
        for &regime in &config.regimes[scores.len()..] {
            let bytes = &scored_bytes(&split, regime)?.bytes;
            let archives = Archives {
                folder: &job.folder.join(ARCHIVES),
                name: regime.name(),
                model: &path,
                decoder: self.decoder,
            };
            let archives = config.verify.then_some(&archives);
            let mut found = measure(&model, bytes, regime, trained_on, archives, job.stop)?;
            for &bits in &config.bits {
                found = found.with(measure_at_bits(&model, bits, bytes, archives, job.stop)?);
            }
            scores.push(found.into());
            write_scored(&job.folder, &scores)?;
        }
        Ok(scores)
    }
}

/// The folder of archives in a trial's.
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
        Regime::HeldOut => split.holdout.as_ref().ok_or("nothing is held out".into()),
        Regime::Overlap => split.leak.as_ref().ok_or("nothing leaks".into()),
        other => Err(format!("nothing is known to score as {other}").into()),
    }
}
