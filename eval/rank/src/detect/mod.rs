//! Contamination detectors: what they flag, and how often they do so falsely.
//!
//! Each is applied to four groups of documents: those of the set; clean ones, of the set's
//! reference (what it flags there are false alarms); ones that the model was trained on
//! (what it flags there are hits); and the latter with every sixth word left out. A
//! detector that flags as much of the clean as of the set has found nothing.

mod company;
mod member;

use crate::error::ModelError;
use crate::model::Model;
use crate::set::Set;
use brevity_data::ByteSet;
use brevity_data::overlap::{ngram_shares, spaced_shares};
use brevity_data::without_words;
use brevity_stats::rank::auc;
use brevity_task::Stop;
use serde::Serialize;

/// Most documents of a group.
const MOST: usize = 200;

/// The least of clean documents for a threshold, half of which are for the false alarms.
const LEAST_CLEAN: usize = 20;

/// The share of a document's n-grams from which on it is flagged.
pub(crate) const FLAGGED: f64 = 0.1;

/// In an edited copy every so-many-th word is missing.
const EDITED: u64 = 6;

/// What a detector says. Each share is that of the documents it flags, in the group of
/// its name; for CoDeC, of the samples whose likelihood falls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detector {
    /// `8-grams`, `13-grams`, `spaced seeds`, `Min-K%++` or `CoDeC`.
    pub name: &'static str,
    /// Of the set.
    pub set: Option<f64>,
    /// Of the reference: false alarms.
    pub clean: Option<f64>,
    /// Of the training bytes: hits.
    pub trained: Option<f64>,
    /// Of the training bytes with every sixth word left out.
    pub edited: Option<f64>,
    /// How often it tells a document of the set from a clean one by its score; 0.5 is
    /// chance. Min-K%++ only.
    pub auc: Option<f64>,
}

/// The groups of documents.
struct Groups<'a> {
    set: Vec<&'a [u8]>,
    clean: Option<Vec<&'a [u8]>>,
    trained: Option<Vec<&'a [u8]>>,
    edited: Option<Vec<&'a [u8]>>,
}

impl<'a> Groups<'a> {
    /// One by one: `set`, `clean`, `trained`, `edited`.
    fn each<T>(
        &self,
        mut of: impl FnMut(&[&'a [u8]]) -> Result<Option<T>, ModelError>,
    ) -> Result<[Option<T>; 4], ModelError> {
        let mut some = |group: &Option<Vec<&'a [u8]>>| match group {
            Some(group) => of(group),
            None => Ok(None),
        };
        let rest = [
            some(&self.clean)?,
            some(&self.trained)?,
            some(&self.edited)?,
        ];
        let [clean, trained, edited] = rest;
        Ok([of(&self.set)?, clean, trained, edited])
    }
}

/// All detectors that apply to a model and a set: overlap where the training bytes are
/// known, the others where the model predicts bytes and the set has a reference.
pub(crate) fn detect(
    model: &Model,
    set: &Set,
    trained_on: Option<&ByteSet>,
    stop: &Stop,
) -> Result<Vec<Detector>, ModelError> {
    let trained = trained_on.map(|bytes| set.sample(&bytes.bytes, MOST));
    let copies: Option<Vec<Vec<u8>>> = trained.as_ref().map(|documents| {
        let edit = |document: &&[u8]| without_words(document, EDITED, 0);
        documents.iter().map(edit).collect()
    });
    let groups = Groups {
        set: set.sample(&set.bytes.bytes, MOST),
        clean: set.reference.as_ref().map(|r| set.sample(&r.bytes, MOST)),
        trained,
        edited: copies
            .as_ref()
            .map(|copies| copies.iter().map(|copy| &copy[..]).collect()),
    };
    let mut found = Vec::new();
    if let Some(trained_on) = trained_on {
        found.extend(overlaps(&trained_on.bytes, &groups)?);
    }
    if model.predicts_bytes() && groups.clean.is_some() {
        found.extend(members(model, &groups, stop)?);
        let [set, clean, trained, edited] =
            groups.each(|group| company::share_that_falls(model, group, stop))?;
        found.push(Detector {
            name: "CoDeC",
            set,
            clean,
            trained,
            edited,
            auc: None,
        });
    }
    Ok(found)
}

/// Shares of words with the training bytes.
fn overlaps(train: &[u8], groups: &Groups<'_>) -> Result<Vec<Detector>, ModelError> {
    type Shares = fn(&[u8], &[&[u8]]) -> Vec<f64>;
    let all: [(&str, Shares); 3] = [
        ("8-grams", |train, tests| ngram_shares(train, tests, 8)),
        ("13-grams", |train, tests| ngram_shares(train, tests, 13)),
        ("spaced seeds", spaced_shares),
    ];
    let detector = |(name, shares): (&'static str, Shares)| {
        let [set, clean, trained, edited] = groups.each(|group| {
            let flagged = shares(train, group)
                .into_iter()
                .map(|share| share >= FLAGGED);
            Ok(share(flagged))
        })?;
        Ok(Detector {
            name,
            set,
            clean,
            trained,
            edited,
            auc: None,
        })
    };
    all.into_iter().map(detector).collect()
}

/// Min-K%++. The threshold is what 5% of every second clean document reach; false alarms
/// are counted on the others.
fn members(
    model: &Model,
    groups: &Groups<'_>,
    stop: &Stop,
) -> Result<Option<Detector>, ModelError> {
    let [set, clean, trained, edited] =
        groups.each(|group| member::scores(model, group, stop).map(Some))?;
    let (Some(set), Some(clean)) = (set, clean) else {
        return Ok(None);
    };
    if clean.len() < LEAST_CLEAN {
        return Ok(None);
    }
    let every_second = |from: usize| clean.iter().skip(from).step_by(2).copied();
    let threshold = member::threshold(&every_second(0).collect::<Vec<f64>>());
    let flagged = |scores: &[f64]| share(scores.iter().map(|&score| score > threshold));
    let negative = |scores: &[f64]| scores.iter().map(|score| -score).collect::<Vec<f64>>();
    Ok(Some(Detector {
        name: "Min-K%++",
        set: flagged(&set),
        clean: flagged(&every_second(1).collect::<Vec<f64>>()),
        trained: trained.as_deref().and_then(flagged),
        edited: edited.as_deref().and_then(flagged),
        auc: Some(auc(&negative(&set), &negative(&clean))),
    }))
}

/// The share of those that are flagged.
fn share(flagged: impl ExactSizeIterator<Item = bool>) -> Option<f64> {
    let count = flagged.len();
    (count > 0).then(|| flagged.filter(|&flagged| flagged).count() as f64 / count as f64)
}
