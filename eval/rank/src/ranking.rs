//! Models ranked on byte sets.

use crate::bootstrap::{self, Documents, Drawn, Spread, interval};
use crate::config::Config;
use crate::detect::{Detector, detect};
use crate::model::{Context, Lengths, Model};
use crate::set::{Set, source};
use crate::{Date, RankError};
use brevity_data::ByteSet;
use brevity_data::overlap::overlap;
use brevity_length::{Code, Convention, Description, Overlap, Regime, Scored};
use brevity_stats::rank::kendall_tau;
use brevity_task::{Control, Progress};
use serde::Serialize;
use std::ops::Range;
use std::time::Duration;

/// Version of the JSON.
pub const VERSION: u32 = 1;

/// Most bytes of training text and set together for the longest match, which takes 20
/// times the memory.
const MATCHED: usize = 1 << 26;

/// Models on byte sets, the shortest mean code length first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// [`VERSION`].
    pub version: u32,
    /// Name of the config.
    pub name: String,
    /// Heading.
    pub title: String,
    /// Notes of the config.
    pub notes: Vec<String>,
    /// The byte sets.
    pub sets: Vec<OfSet>,
    /// The models.
    pub models: Vec<OfModel>,
    /// How alike pairs of sets order the models; empty for fewer than three models.
    pub correlations: Vec<Correlation>,
    /// Always: lengths are sums of code lengths, nothing is decoded.
    pub estimate: bool,
}

/// A byte set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfSet {
    /// Its name.
    pub name: String,
    /// When its oldest text was written.
    pub date: Option<Date>,
    /// Where its bytes came from.
    pub source: String,
    /// Their BLAKE3.
    pub hash: String,
    /// Number of raw bytes.
    pub data_bytes: u64,
    /// Number of documents.
    pub documents: usize,
    /// Number of bytes of the clean reference.
    pub reference_bytes: Option<u64>,
}

/// A model on all sets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfModel {
    /// Place, from 1.
    pub rank: usize,
    /// Its name.
    pub name: String,
    /// Most that stands before what is predicted.
    pub context: Option<usize>,
    /// In what that is counted: `bytes`, `tokens`, `document` or `set`.
    pub context_unit: &'static str,
    /// Bytes that the context moves on at a time; none where it does not.
    pub stride: Option<usize>,
    /// When the newest text that it learned was written.
    pub cutoff: Option<Date>,
    /// Mean over the sets of the bits per raw byte.
    pub bits_per_byte: f64,
    /// Its 95% interval over other documents.
    pub ci95: Option<[f64; 2]>,
    /// By how much it is behind the first.
    pub behind: f64,
    /// 95% interval of `behind`, which holds for all pairs of models at once; the same
    /// documents are drawn for all models.
    pub behind_ci95: Option<[f64; 2]>,
    /// The set on which it needs the most bits a byte.
    pub worst_set: String,
    /// How its bytes are counted: `stored` or `stated`; none where they are not known.
    pub convention: Option<String>,
    /// Bytes of the model.
    pub model_bytes: Option<u64>,
    /// Coded bytes of all sets, under the model as stored, and the model, over the raw
    /// bytes.
    pub adjusted_rate: Option<f64>,
    /// On each set, in the order of the config.
    pub sets: Vec<Cell>,
}

/// A model on a set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The set.
    pub set: String,
    /// Code length of its bytes, bits.
    pub data_bits: f64,
    /// Bits per raw byte.
    pub bits_per_byte: f64,
    /// Its 95% interval over other documents.
    pub ci95: Option<[f64; 2]>,
    /// Tokens, of a model that has them.
    pub tokens: Option<u64>,
    /// Whether the set is newer than what the model learned, where both dates are known.
    pub fresh: Option<bool>,
    /// What the set has in common with the training bytes, where they are known.
    pub overlap: Option<Overlap>,
    /// Contamination detectors.
    pub detectors: Vec<Detector>,
}

/// How alike two sets order the models.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Correlation {
    /// One set.
    pub a: String,
    /// The other.
    pub b: String,
    /// Kendall's tau-b of the bits per byte.
    pub kendall: f64,
    /// Pearson's correlation of them; none where all models are alike on a set.
    pub pearson: Option<f64>,
}

/// A model under way.
struct Measured {
    lengths: Vec<Lengths>,
    context: Context,
    stored: Option<(Convention, u64, f64)>,
    overlaps: Vec<Option<Overlap>>,
    detectors: Vec<Vec<Detector>>,
}

/// Ranks the models of a config. A predictor has `limit` for each answer.
///
/// # Errors
/// Bytes or models that cannot be had, a predictor that fails or reads ahead,
/// [`RankError::Stopped`].
pub fn rank(config: &Config, limit: Duration, control: &Control<'_>) -> Result<Ranking, RankError> {
    let sets = config.sets.iter().map(Set::load);
    let sets = sets.collect::<Result<Vec<_>, _>>()?;
    let mut measured = Vec::new();
    for (i, of) in config.models.iter().enumerate() {
        control.tell(Progress {
            done: i as u64,
            of: config.models.len() as u64,
            what: &of.name,
            ..Progress::default()
        });
        let trained_on = of.trained_on.as_deref().map(|text| {
            let loaded = source(text).load();
            loaded.map_err(|error| RankError::Data {
                what: format!("what {} was trained on", of.name),
                source: Box::new(error),
            })
        });
        let trained_on = trained_on.transpose()?.map(|split| split.train);
        let found = Model::open(of, limit).and_then(|model| {
            let about = (of.model_bytes, config.stride);
            Measured::of(&model, &sets, trained_on.as_ref(), about, control)
        });
        measured.push(found.map_err(|error| error.of(&of.name))?);
    }
    Ok(assemble(config, &sets, &measured))
}

impl Measured {
    /// Mean over the sets of the bits per byte.
    fn mean(&self, sets: &[Set]) -> f64 {
        let rates = self.lengths.iter().zip(sets).map(|(of, set)| of.rate(set));
        rates.sum::<f64>() / sets.len() as f64
    }

    fn of(
        model: &Model,
        sets: &[Set],
        trained_on: Option<&ByteSet>,
        (model_bytes, stride): (Option<u64>, Option<usize>),
        control: &Control<'_>,
    ) -> Result<Measured, crate::error::ModelError> {
        let stop = control.stop;
        let (mut lengths, mut overlaps, mut detectors) = (Vec::new(), Vec::new(), Vec::new());
        for set in sets {
            let bytes: &[u8] = &set.bytes.bytes;
            model.check(bytes)?;
            lengths.push(model.lengths(bytes, &set.documents, stride, stop)?);
            overlaps.push(trained_on.and_then(|train| {
                let train: &[u8] = &train.bytes;
                (train.len() + bytes.len() <= MATCHED).then(|| overlap(train, bytes))
            }));
            detectors.push(detect(model, set, trained_on, stop)?);
        }
        let all: Vec<(&[u8], &[Range<usize>])> = sets
            .iter()
            .map(|set| (&set.bytes.bytes[..], &set.documents[..]))
            .collect();
        let exact = lengths.iter().flat_map(|of| &of.bits).sum();
        let stored = model.stored(&all, exact, (model_bytes, stride), stop)?;
        Ok(Measured {
            lengths,
            context: model.context(),
            stored: stored.map(|s| (s.convention, s.model_bytes, s.data_bits)),
            overlaps,
            detectors,
        })
    }
}

fn assemble(config: &Config, sets: &[Set], measured: &[Measured]) -> Ranking {
    let means: Vec<f64> = measured.iter().map(|m| m.mean(sets)).collect();
    let mut order: Vec<usize> = (0..measured.len()).collect();
    order.sort_by(|&x, &y| means[x].total_cmp(&means[y]));
    let first = order[0];
    let spreads: Vec<Option<Spread>> = sets
        .iter()
        .enumerate()
        .map(|(s, set)| {
            let bytes: Vec<f64> = set.documents.iter().map(|d| d.len() as f64).collect();
            let bits: Vec<Vec<f64>> = measured.iter().map(|m| m.lengths[s].bits.clone()).collect();
            let documents = Documents {
                bytes: &bytes,
                bits: &bits,
            };
            Spread::new(&documents, first, s)
        })
        .collect();
    let differences = spreads.iter().map(|set| Some(&set.as_ref()?.differences));
    let differences: Option<Vec<&Drawn>> = differences.collect();
    let behind = differences.map(|sets| bootstrap::behind(&sets, first, &means));
    let mut models: Vec<OfModel> = (0..measured.len())
        .map(|m| of_model(config, sets, &measured[m], m, &spreads))
        .collect();
    for (place, &m) in order.iter().enumerate() {
        models[m].rank = place + 1;
        models[m].behind = means[m] - means[first];
        models[m].behind_ci95 = behind.as_ref().filter(|_| m != first).map(|all| all[m]);
    }
    let correlations = correlations(&models);
    models.sort_by_key(|model| model.rank);
    Ranking {
        version: VERSION,
        name: config.name().to_owned(),
        title: config
            .title
            .clone()
            .unwrap_or_else(|| config.name().to_owned()),
        notes: config.notes.clone(),
        sets: sets.iter().map(of_set).collect(),
        models,
        correlations,
        estimate: true,
    }
}

fn of_set(set: &Set) -> OfSet {
    OfSet {
        name: set.name.clone(),
        date: set.date.clone(),
        source: set.bytes.name().to_owned(),
        hash: set.bytes.blake3().to_owned(),
        data_bytes: set.bytes.len() as u64,
        documents: set.documents.len(),
        reference_bytes: set.reference.as_ref().map(|bytes| bytes.len() as u64),
    }
}

/// A model, its place not yet known.
fn of_model(
    config: &Config,
    sets: &[Set],
    measured: &Measured,
    m: usize,
    spreads: &[Option<Spread>],
) -> OfModel {
    let of = &config.models[m];
    let cells: Vec<Cell> = (0..sets.len())
        .map(|s| {
            let (set, lengths) = (&sets[s], &measured.lengths[s]);
            let rate = lengths.rate(set);
            Cell {
                set: set.name.clone(),
                data_bits: lengths.bits.iter().sum(),
                bits_per_byte: rate,
                ci95: spreads[s]
                    .as_ref()
                    .map(|set| interval(&[&set.levels], m, rate)),
                tokens: lengths.tokens.as_ref().map(|tokens| tokens.iter().sum()),
                fresh: set
                    .date
                    .as_ref()
                    .zip(of.cutoff.as_ref())
                    .map(|(d, c)| d > c),
                overlap: measured.overlaps[s].clone(),
                detectors: measured.detectors[s].clone(),
            }
        })
        .collect();
    let mean = measured.mean(sets);
    // None where a set has a single document.
    let levels = spreads.iter().map(|set| Some(&set.as_ref()?.levels));
    let levels: Option<Vec<&Drawn>> = levels.collect();
    let worst = cells
        .iter()
        .max_by(|x, y| x.bits_per_byte.total_cmp(&y.bits_per_byte))
        .expect("the config was checked");
    let (context, context_unit) = match measured.context {
        Context::Bytes(bytes) => (Some(bytes), "bytes"),
        Context::Tokens(tokens) => (Some(tokens), "tokens"),
        Context::Document => (None, "document"),
        Context::Set => (None, "set"),
    };
    let stride = match measured.context {
        Context::Bytes(context) => Some(config.stride.unwrap_or(context).min(context)),
        _ => None,
    };
    let (convention, model_bytes, adjusted_rate) = match &measured.stored {
        None => (None, None, None),
        Some((convention, model_bytes, bits)) => {
            let rate = adjusted(sets, convention, *model_bytes, *bits);
            (Some(convention.to_string()), Some(*model_bytes), rate)
        }
    };
    OfModel {
        rank: 0,
        name: of.name.clone(),
        context,
        context_unit,
        stride,
        cutoff: of.cutoff.clone(),
        bits_per_byte: mean,
        ci95: levels.map(|sets| interval(&sets, m, mean)),
        behind: 0.0,
        behind_ci95: None,
        worst_set: worst.set.clone(),
        convention,
        model_bytes,
        adjusted_rate,
        sets: cells,
    }
}

/// Coded bytes of all sets and the model, over the raw bytes.
fn adjusted(sets: &[Set], convention: &Convention, model_bytes: u64, bits: f64) -> Option<f64> {
    let mut hasher = blake3::Hasher::new();
    for set in sets {
        hasher.update(&set.bytes.bytes);
    }
    let scored = Scored {
        bytes: sets.iter().map(|set| set.bytes.len() as u64).sum(),
        hash: hasher.finalize().to_string(),
    };
    let code = Code {
        convention: convention.clone(),
        coded_bytes: (bits / 8.0).ceil() as u64,
        model_bytes,
    };
    let found = Description::by(Regime::Unknown, scored, bits, code, 0);
    found.adjusted_rate(&convention.to_string())
}

/// Of each pair of sets, in the order of the config.
fn correlations(models: &[OfModel]) -> Vec<Correlation> {
    let mut found = Vec::new();
    if models.len() < 3 {
        return found;
    }
    let column =
        |s: usize| -> Vec<f64> { models.iter().map(|m| m.sets[s].bits_per_byte).collect() };
    let count = models[0].sets.len();
    for b in 1..count {
        for a in 0..b {
            let (x, y) = (column(a), column(b));
            found.push(Correlation {
                a: models[0].sets[a].set.clone(),
                b: models[0].sets[b].set.clone(),
                kendall: kendall_tau(&x, &y),
                pearson: pearson(&x, &y),
            });
        }
    }
    found
}

fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| of(x - mx, y - my)).sum()
    };
    let spread = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    (spread > 0.0).then(|| sum(&|x, y| x * y) / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_pearsons() {
        assert!((pearson(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]).unwrap() - 1.0).abs() < 1e-12);
        assert!((pearson(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]).unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(pearson(&[1.0, 1.0], &[1.0, 2.0]), None);
    }
}
