//! Scores: description lengths in files, one object per trial and regime.
//!
//! Lengths are written once, as whole bytes by convention; the rates beside them are
//! derived, for convenience. On reading they are checked against the lengths, so that
//! damage and manual edits are detected.

use crate::fields::{Fields, Problem};
use crate::{Code, Convention, Description, Detected, Evidence, Learning, Regime, Scored, legacy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A description length, with the other results of scoring.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The length.
    pub description: Description,
    /// Results of contamination detectors, if there is a leak.
    pub detected: Option<Detected>,
    /// The learning curve, for a prequential code.
    pub learning: Option<Learning>,
}

impl From<Description> for Score {
    fn from(description: Description) -> Score {
        Score {
            description,
            detected: None,
            learning: None,
        }
    }
}

/// The relative difference that is tolerated between a written number and the one derived
/// from the lengths: the error of printing and parsing a decimal.
const ROUNDING: f64 = 1e-9;

impl Score {
    /// Appends the fields of the length to an object.
    pub(crate) fn write(&self, object: &mut Map<String, Value>) {
        let d = &self.description;
        let by_convention = |value: &dyn Fn(&Code) -> Value| -> Value {
            let values = d.codes().iter();
            let values = values.map(|code| (code.convention.to_string(), value(code)));
            Value::Object(values.collect())
        };
        let adjusted = |code: &Code| d.adjusted_rate(code.convention.as_str()).into();
        let mut put = |key: &str, value: Value| object.insert(key.into(), value);
        put("regime", d.regime().name().into());
        put("scored", scored(d.scored()));
        put("bits_per_byte", d.bits_per_byte().into());
        put("data_bits", d.bits().into());
        put("coded_bytes", d.coded_bytes().into());
        if let Some(stored) = d.code(Convention::STORED) {
            put("stored_coded_bytes", stored.coded_bytes.into());
        }
        put("coded", by_convention(&|code| code.coded_bytes.into()));
        put(
            "model_bytes",
            by_convention(&|code| code.model_bytes.into()),
        );
        put("model_charged_to", d.charged_to().into());
        put("raw_rate", d.raw_rate().into());
        put("adjusted_rate", by_convention(&adjusted));
        put("estimate", (!d.is_decoded()).into());
        put("verified", d.is_decoded().into());
        put("block_bits", d.block_bits().into());
        let json = |value| serde_json::to_value(value).unwrap_or_default();
        if let Some(learning) = &self.learning {
            put("learning", json(learning));
        }
        if let Some(detected) = &self.detected {
            put(
                "detected",
                serde_json::to_value(detected).unwrap_or_default(),
            );
        }
    }

    /// Removes the fields of a length from an object; `None` if it has none.
    pub(crate) fn take(fields: &mut Fields) -> Result<Option<Score>, Problem> {
        let Some(regime) = fields.take::<Regime>("regime")? else {
            return Ok(None);
        };
        let scored = fields.need_object("scored")?;
        let scored = take_scored(scored)?;
        let bits: f64 = fields.need("data_bits")?;
        let coded = fields.need_object("coded")?;
        let mut model = fields.need_object("model_bytes")?;
        let charged_to: u64 = fields.need("model_charged_to")?;
        let mut codes = Vec::new();
        for convention in coded.names() {
            codes.push(Code {
                coded_bytes: coded.get(&convention)?,
                model_bytes: model.need(&convention)?,
                convention: Convention::named(convention).map_err(|e| Problem::of("coded", e))?,
            });
        }
        model.finish()?;
        let mut codes = codes.into_iter();
        let Some(first) = codes.next() else {
            return Err(Problem::new("coded", "it is empty"));
        };
        let decoded: bool = fields.need("verified")?;
        let mut description = Description::new(regime, scored, bits, first, charged_to)
            .evidence(match decoded {
                true => Evidence::Decoded,
                false => Evidence::Estimate,
            })
            .with_blocks(fields.take("block_bits")?.unwrap_or_default());
        for code in codes {
            description = description.with(code);
        }
        check(&description, fields)?;
        Ok(Some(Score {
            description,
            detected: fields.take("detected")?,
            learning: fields.take("learning")?,
        }))
    }
}

fn scored(scored: &Scored) -> Value {
    serde_json::json!({ "bytes": scored.bytes, "hash": scored.hash })
}

fn take_scored(mut fields: Fields) -> Result<Scored, Problem> {
    let scored = Scored {
        bytes: fields.need("bytes")?,
        hash: fields.take("hash")?.unwrap_or_default(),
    };
    fields.finish()?;
    Ok(scored)
}

/// Checks the derived numbers against the lengths.
fn check(d: &Description, fields: &mut Fields) -> Result<(), Problem> {
    let same = |key: &str, written: Option<f64>, derived: f64| match written {
        Some(x) if (x - derived).abs() <= ROUNDING * derived.abs().max(f64::MIN_POSITIVE) => Ok(()),
        None => Ok(()),
        Some(x) => Err(Problem::new(
            key,
            format!("it is {x}, but the lengths beside it make {derived}"),
        )),
    };
    same(
        "bits_per_byte",
        fields.take("bits_per_byte")?,
        d.bits_per_byte(),
    )?;
    same(
        "coded_bytes",
        fields.take("coded_bytes")?,
        d.coded_bytes() as f64,
    )?;
    if let Some(stored) = d.code(Convention::STORED) {
        let written = fields.take("stored_coded_bytes")?;
        same("stored_coded_bytes", written, stored.coded_bytes as f64)?;
    }
    same("raw_rate", fields.take("raw_rate")?, d.raw_rate())?;
    if let Some(mut rates) = fields.take_object("adjusted_rate")? {
        for code in d.codes() {
            let name = code.convention.as_str();
            let derived = d.adjusted_rate(name).unwrap_or_default();
            same("adjusted_rate", rates.take(name)?, derived)?;
        }
        rates.finish()?;
    }
    match fields.take::<bool>("estimate")? {
        Some(estimate) if estimate == d.is_decoded() => {
            Err(Problem::new("estimate", "it contradicts `verified`"))
        }
        _ => Ok(()),
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = Map::new();
        self.write(&mut object);
        object.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Score {
    /// Reads an object of this version, or of version 0.1, which has no `coded`.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Score, D::Error> {
        let object = Map::<String, Value>::deserialize(from)?;
        let read = || {
            if !object.contains_key("coded") {
                return legacy::score(object);
            }
            let mut fields = Fields::new(object);
            let score = Score::take(&mut fields)?;
            fields.finish()?;
            score.ok_or_else(|| Problem::new("regime", "it is missing"))
        };
        read().map_err(serde::de::Error::custom)
    }
}
