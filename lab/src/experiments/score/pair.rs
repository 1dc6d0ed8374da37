//! Scores one model on one byte set.

use std::path::Path;

use crate::learned_length;
use brevity_data::ByteSet;
use brevity_measure::{Archives, Decoder, MeasureError, StoredModel, measure};
use brevity_train::Control;
use brevity_train::online::prequential;

use super::{Options, Score, ScoreError, Subject};
use brevity_length::{Description, Evidence, Overlap, Regime, Scored};

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
    // For held-out bytes the model is charged to its training bytes, so these alone
    // determine how it is stored.
    let learned = match (&subject.trained_on, regime) {
        (Ok(seen), Some(Regime::HeldOut)) => seen,
        _ => set,
    };
    let weights = subject.weights.clone();
    let model = StoredModel::for_data(weights, &learned.bytes, options.stop).map_err(failed)?;
    let archives = options
        .decoder
        .map(|decoder| archives(folder.path(), &subject.path, decoder));
    let regime = regime.unwrap_or(Regime::Unknown);
    let trained_on = learned.len() as u64;
    let found = measure(
        &model,
        &set.bytes,
        regime,
        trained_on,
        archives.as_ref(),
        options.stop,
    )
    .map_err(failed)?;
    let mut notes = Vec::new();
    let overlap = match regime {
        // The overlap is the whole set; no search needed.
        Regime::InSample => Some(Overlap::whole(set.len())),
        _ => subject
            .overlap(set)
            .map_err(|why| notes.push(format!("overlap unknown: {why}")))
            .ok(),
    };
    Ok(Score {
        model: subject.name.clone(),
        trial: subject.record.as_ref().and_then(|record| record.id.clone()),
        parameters: subject.weights.spec().parameters(),
        source: set.name().to_owned(),
        offset: set.provenance.offset,
        description: found,
        prequential: match options.prequential {
            true => Some(learn(subject, set, archives.as_ref(), options)?),
            false => None,
        },
        overlap,
        notes,
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

/// The prequential code of the set by a learner with the model's spec.
fn learn(
    subject: &Subject,
    set: &ByteSet,
    archives: Option<&Archives<'_>>,
    options: &Options<'_>,
) -> Result<Description, ScoreError> {
    let recipe = subject.recipe().map_err(|source| ScoreError::Recipe {
        model: subject.name.clone(),
        source: source.into(),
    })?;
    let scored = Scored {
        bytes: set.len() as u64,
        hash: set.blake3().to_owned(),
    };
    Ok(match archives {
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
            // The archive gives the code length in whole bytes only.
            let bits = 8.0 * length.coded as f64;
            Description::prequential(scored, bits, length.coded, length.rest)
                .evidence(Evidence::Decoded)
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
            let coded = coded.stream_bytes();
            Description::prequential(scored, length.bits, coded, length.recipe_bytes)
        }
    })
}
