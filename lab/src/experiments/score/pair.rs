//! One model on one byte set.

use std::path::Path;

use crate::learned_length;
use brevity_data::{ByteSet, Regime};
use brevity_measure::{Archives, Decoder, MeasureError, StoredModel, measure};
use brevity_train::Control;
use brevity_train::online::prequential;

use super::{Conventions, Options, Prequential, Score, ScoreError, Scored, Subject};
use brevity_data::overlap::Overlap;

pub(super) fn score(
    subject: &Subject,
    set: &ByteSet,
    options: &Options<'_>,
) -> Result<Score, ScoreError> {
    let folder = tempfile::tempdir()?;
    let failed = |source: MeasureError| match source {
        MeasureError::Stopped => ScoreError::Stopped,
        source => ScoreError::Measure {
            model: subject.name.clone(),
            data: set.name().to_owned(),
            source: source.into(),
        },
    };
    let regime = subject.regime(set);
    // Held-out bytes share the cost of the model with those it was trained on,
    // and have no say in how it is stored.
    let learned = match (&subject.trained_on, regime) {
        (Ok(seen), Some(Regime::HeldOut)) => seen,
        _ => set,
    };
    let weights = subject.weights.clone();
    let model = StoredModel::for_data(weights, &learned.bytes, options.stop).map_err(failed)?;
    let archives = options
        .decoder
        .map(|decoder| archives(folder.path(), &subject.path, decoder));
    let measured = measure(&model, &set.bytes, archives.as_ref(), options.stop).map_err(failed)?;

    let model_bytes = Conventions {
        fp16: 2 * subject.weights.spec().parameters(),
        stored: measured.stored.rest,
    };
    let rate = |coded: u64| coded as f64 / measured.bytes as f64;
    let adjusted = |coded, model| rate(coded) + model as f64 / learned.len() as f64;
    let raw_rate = rate(measured.exact.coded);
    let mut notes = Vec::new();
    let overlap = match regime {
        // All of it, and no need to search.
        Some(Regime::InSample) => Some(Overlap::whole(set.len())),
        _ => subject
            .overlap(set)
            .map_err(|why| notes.push(format!("overlap unknown: {why}")))
            .ok(),
    };
    Ok(Score {
        model: subject.name.clone(),
        trial: subject.record.as_ref().and_then(|record| record.id.clone()),
        parameters: subject.weights.spec().parameters(),
        data: Scored {
            source: set.name().to_owned(),
            offset: set.provenance.offset,
            hash: set.blake3().to_owned(),
        },
        data_bytes: measured.bytes,
        regime: regime.map_or("unknown", Regime::name).to_owned(),
        bits_per_byte: measured.bits_per_byte(),
        coded_bytes: measured.exact.coded,
        stored_coded_bytes: measured.stored.coded,
        raw_rate,
        held_out_rate: (regime == Some(Regime::HeldOut)).then_some(raw_rate),
        model_bytes,
        model_charged_to: learned.len() as u64,
        adjusted_rate: Conventions {
            fp16: adjusted(measured.exact.coded, model_bytes.fp16),
            stored: adjusted(measured.stored.coded, model_bytes.stored),
        },
        prequential: match options.prequential {
            true => Some(learn(subject, set, archives.as_ref(), options)?),
            false => None,
        },
        overlap,
        notes,
        verified: measured.verified,
        estimate: !measured.verified,
    })
}

fn archives<'a>(folder: &'a Path, model: &'a Path, decoder: &'a dyn Decoder) -> Archives<'a> {
    Archives {
        folder,
        name: "score",
        model,
        decoder,
    }
}

/// The prequential code of the set by a learner of the model's spec.
fn learn(
    subject: &Subject,
    set: &ByteSet,
    archives: Option<&Archives<'_>>,
    options: &Options<'_>,
) -> Result<Prequential, ScoreError> {
    let recipe = subject.recipe().map_err(|source| ScoreError::Recipe {
        model: subject.name.clone(),
        source: source.into(),
    })?;
    let (coded, recipe) = match archives {
        Some(archives) => {
            let length = learned_length(recipe, &set.bytes, archives, options.stop);
            let length = length.map_err(|source| match source {
                MeasureError::Stopped => ScoreError::Stopped,
                source => ScoreError::Measure {
                    model: subject.name.clone(),
                    data: set.name().to_owned(),
                    source: source.into(),
                },
            })?;
            (length.coded, length.rest)
        }
        None => {
            let control = Control::silent(options.stop);
            let length = prequential(&recipe, &set.bytes, &control);
            let length = length.map_err(|source| ScoreError::Online {
                model: subject.name.clone(),
                data: set.name().to_owned(),
                source: source.into(),
            })?;
            let length = length.ok_or(ScoreError::Stopped)?;
            let coded = brevity_codec::ScoreResult {
                bytes: set.len() as u64,
                bits: length.bits,
            };
            (coded.stream_bytes(), length.recipe_bytes)
        }
    };
    Ok(Prequential {
        coded_bytes: coded,
        recipe_bytes: recipe,
        rate: (coded + recipe) as f64 / set.len() as f64,
    })
}
