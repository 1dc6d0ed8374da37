//! Scores of trained models.

use super::bytes::DataCache;
use super::folder;
use super::work::{Job, Scorer, Step, WorkError};
use brevity_data::{ByteSet, Regime, Split};
use brevity_measure::{
    Archives, Decoder, Length, MeasureError, Measured, StoredModel, measure, stored_length,
};
use brevity_model::Weights;
use brevity_train::MODEL;
use serde_json::{Map, Value, json};

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

    fn rows(&self, job: &Job<'_>) -> Result<Vec<Map<String, Value>>, WorkError> {
        let path = job.folder.join(MODEL);
        let weights = Weights::load(&path)?;
        if *weights.spec() != job.trial.config.model {
            return Err(format!("{} is a model of another spec", path.display()).into());
        }
        let split = self.data.of(job.trial)?;
        let config = &job.trial.config.score;
        let mut rows = folder::scored(&job.folder)?;
        rows.truncate(config.regimes.len());
        if rows.len() == config.regimes.len() {
            return Ok(rows);
        }
        // A test that leaked pays for the whole model, so it is stored for the test.
        let told = match config.regimes.contains(&Regime::Overlap) {
            true => scored_bytes(&split, Regime::Overlap)?,
            false => &split.train,
        };
        let model = StoredModel::for_data(weights, &told.bytes, job.stop)?;
        for regime in &config.regimes[rows.len()..] {
            let bytes = scored_bytes(&split, *regime)?;
            let archives = Archives {
                folder: &job.folder.join(ARCHIVES),
                name: regime.name(),
                model: &path,
                decoder: self.decoder,
            };
            let archives = config.verify.then_some(&archives);
            let measured = measure(&model, &bytes.bytes, archives, job.stop)?;
            let mut priced = vec![
                ("fp16".to_owned(), fp16(&model, measured.exact)),
                ("stored".to_owned(), measured.stored),
            ];
            for bits in &config.bits {
                let narrow = model.at_bits(*bits);
                let length = stored_length(&narrow, &bytes.bytes, archives, job.stop)?;
                priced.push((format!("{bits}-bit"), length));
            }
            let charged_to = match regime {
                Regime::Overlap => bytes.len(),
                _ => split.train.len(),
            };
            rows.push(row(*regime, &measured, &priced, charged_to));
            folder::write_scored(&job.folder, &rows)?;
        }
        Ok(rows)
    }
}

/// The folder of archives in a trial's.
const ARCHIVES: &str = "archive";

impl Scorer for ArchiveScorer<'_> {
    fn score(&self, job: &Job<'_>) -> Result<Step<Vec<Map<String, Value>>>, WorkError> {
        match self.rows(job) {
            Ok(rows) => Ok(Step::Done(rows)),
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

/// The convention of the paper: two bytes a parameter, and the data under the
/// weights as they are.
fn fp16(model: &StoredModel, exact: Length) -> Length {
    Length {
        coded: exact.coded,
        rest: 2 * model.exact.spec().parameters(),
    }
}

/// Contract 5: the coded bytes are paid by the bytes they code, the model by
/// the bytes it was trained on, which in-sample are the same; for a test that
/// leaked, by the test, whose description it is part of. `priced` has the lengths
/// of data and model by convention.
fn row(
    regime: Regime,
    measured: &Measured,
    priced: &[(String, Length)],
    charged_to: usize,
) -> Map<String, Value> {
    let rate = |coded: u64| coded as f64 / measured.bytes as f64;
    let adjusted = |length: &Length| rate(length.coded) + length.rest as f64 / charged_to as f64;
    let by_convention = |value: &dyn Fn(&Length) -> Value| -> Map<String, Value> {
        let values = priced
            .iter()
            .map(|(name, length)| (name.clone(), value(length)));
        values.collect()
    };
    // Whole bits are fine enough for what blocks are for.
    let block_bits = measured.block_bits.iter().map(|b| b.round() as u64);
    let row = json!({
        "regime": regime.name(),
        "scored": { "bytes": measured.bytes, "hash": measured.hash.to_string() },
        "bits_per_byte": measured.bits_per_byte(),
        "data_bits": measured.bits,
        "coded_bytes": measured.exact.coded,
        "stored_coded_bytes": measured.stored.coded,
        "model_bytes": by_convention(&|length| length.rest.into()),
        "raw_rate": rate(measured.exact.coded),
        "adjusted_rate": by_convention(&|length| adjusted(length).into()),
        "estimate": !measured.verified,
        "verified": measured.verified,
        "block_bits": block_bits.collect::<Vec<_>>(),
    });
    match row {
        Value::Object(row) => row,
        _ => unreachable!("the literal above is an object"),
    }
}
