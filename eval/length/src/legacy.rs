//! Reading of rows of version 0.1.
//!
//! They had no version number, could lack fields that their trial had not reached, and
//! gave the coded bytes of one convention only; those of the others follow from the
//! adjusted rates. They also lacked the number of bytes that the model was charged to. It
//! was charged to the training bytes, except for a leaked test, which was charged itself.

use crate::fields::{Fields, Problem};
use crate::{Code, Convention, CurvePoint, Description, Evidence, Learning, Regime, Score, Scored};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

type ByName = BTreeMap<String, Option<f64>>;

/// A score of `score.json`, which lacks the number of training bytes; that follows from
/// the fp16 rates.
pub(crate) fn score(object: Map<String, Value>) -> Result<Score, Problem> {
    let mut fields = Fields::new(object);
    let adjusted: ByName = fields.take("adjusted_rate")?.unwrap_or_default();
    let model: ByName = fields.take("model_bytes")?.unwrap_or_default();
    let raw: Option<f64> = fields.take("raw_rate")?;
    let fp16 = |map: &ByName| map.get(Convention::FP16).copied().flatten();
    let (trained_on, parameters) = match (fp16(&model), fp16(&adjusted), raw) {
        (Some(model), Some(adjusted), Some(raw)) if adjusted > raw => {
            ((model / (adjusted - raw)).round() as u64, model as u64 / 2)
        }
        _ => (0, 0),
    };
    let given = Given {
        raw,
        adjusted,
        model,
    };
    let score = given.score(&mut fields, trained_on, "", parameters)?;
    score.ok_or_else(|| Problem::new("regime", "it is missing"))
}

/// The score of a row; `None` if the row has no length.
pub(crate) fn of_row(
    fields: &mut Fields,
    trained_on: u64,
    hash: &str,
    parameters: u64,
) -> Result<Option<Score>, Problem> {
    let given = Given {
        raw: fields.take("raw_rate")?,
        adjusted: fields.take("adjusted_rate")?.unwrap_or_default(),
        model: fields.take("model_bytes")?.unwrap_or_default(),
    };
    if trained_on == 0 || parameters == 0 {
        return Ok(None);
    }
    given.score(fields, trained_on, hash, parameters)
}

/// Rates and model bytes as written.
struct Given {
    raw: Option<f64>,
    adjusted: ByName,
    model: ByName,
}

impl Given {
    fn score(
        self,
        fields: &mut Fields,
        trained_on: u64,
        hash: &str,
        parameters: u64,
    ) -> Result<Option<Score>, Problem> {
        let scored = match fields.take_object("scored")? {
            None => Scored {
                bytes: trained_on,
                hash: hash.to_owned(),
            },
            Some(mut scored) => Scored {
                bytes: scored.take("bytes")?.unwrap_or(trained_on),
                hash: scored.take("hash")?.unwrap_or_else(|| hash.to_owned()),
            },
        };
        let n = scored.bytes as f64;
        let coded: Option<f64> = fields.take("coded_bytes")?;
        let bits: Option<f64> = fields.take("data_bits")?;
        let bits_per_byte: Option<f64> = fields.take("bits_per_byte")?;
        let coded = coded
            .or_else(|| self.raw.map(|rate| rate * n))
            .or_else(|| bits.map(|bits| bits / 8.0))
            .or_else(|| bits_per_byte.map(|bits| bits * n / 8.0));
        let (Some(coded), true) = (coded, scored.bytes > 0) else {
            return Ok(None);
        };
        let bits = bits
            .or_else(|| bits_per_byte.map(|bits| bits * n))
            .unwrap_or(8.0 * coded);
        let regime = fields.take("regime")?.unwrap_or(Regime::Unknown);
        let verified = fields.take("verified")?.unwrap_or(false);
        let blocks: Vec<f64> = fields.take("block_bits")?.unwrap_or_default();
        let description = self
            .description(regime, scored, bits, coded, trained_on, parameters)?
            .evidence(match verified {
                true => Evidence::Decoded,
                false => Evidence::Estimate,
            })
            .with_blocks(blocks.into_iter().map(|bits| bits.round() as u64).collect());
        Ok(Some(Score {
            detected: fields.take("detected")?,
            learning: learning(fields)?,
            description,
        }))
    }

    /// Model bytes as written, or derived from the difference between the adjusted and
    /// the raw rate.
    fn model_bytes(&self, name: &str, coded: f64, n: f64, charged_to: f64) -> Option<f64> {
        let of = |map: &ByName| map.get(name).copied().flatten();
        of(&self.model).or_else(|| Some((of(&self.adjusted)? - coded / n) * charged_to))
    }

    fn description(
        &self,
        regime: Regime,
        scored: Scored,
        bits: f64,
        coded: f64,
        trained_on: u64,
        parameters: u64,
    ) -> Result<Description, Problem> {
        let n = scored.bytes as f64;
        let whole = coded.round() as u64;
        if regime == Regime::Prequential {
            let recipe = self.model_bytes(Convention::PREQUENTIAL, coded, n, n);
            let recipe = recipe.unwrap_or_default().round() as u64;
            return Ok(Description::prequential(scored, bits, whole, recipe));
        }
        // Rows without a regime were treated as trained on the scored bytes.
        let trained_on = match regime {
            Regime::Unknown => scored.bytes,
            _ => trained_on,
        };
        let charged_to = regime.charged_to(scored.bytes, trained_on) as f64;
        let mut found = Description::two_part(regime, scored, bits, whole, parameters, trained_on);
        let names: BTreeSet<&String> = self.model.keys().chain(self.adjusted.keys()).collect();
        for name in names {
            let Some(model_bytes) = self.model_bytes(name, coded, n, charged_to) else {
                continue;
            };
            let adjusted = self.adjusted.get(name).copied().flatten();
            let coded = adjusted.map_or(coded, |rate| (rate - model_bytes / charged_to) * n);
            let convention =
                Convention::named(name.as_str()).map_err(|e| Problem::of("model_bytes", e))?;
            found = found.with(Code {
                convention,
                coded_bytes: coded.round().max(0.0) as u64,
                model_bytes: model_bytes.round().max(0.0) as u64,
            });
        }
        Ok(found)
    }
}

fn learning(fields: &mut Fields) -> Result<Option<Learning>, Problem> {
    let Some(mode) = fields.take("mode")? else {
        return Ok(None);
    };
    Ok(Some(Learning {
        mode,
        final_bits: fields.take("final_bits")?.unwrap_or_default(),
        regret_bits: fields.take("regret_bits")?.unwrap_or_default(),
        curve: fields.take::<Vec<CurvePoint>>("curve")?.unwrap_or_default(),
        doublings: fields.take("doublings")?.unwrap_or_default(),
    }))
}
