//! Scores as JSON, in the format of `docs/mdl.md`.

use super::Score;
use brevity_length::{Convention, Description, Overlap, Regime};
use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct Json<'a> {
    model: &'a str,
    trial: Option<&'a str>,
    parameters: u64,
    data: Data<'a>,
    data_bytes: u64,
    regime: Regime,
    bits_per_byte: f64,
    coded_bytes: u64,
    stored_coded_bytes: Option<u64>,
    raw_rate: f64,
    held_out_rate: Option<f64>,
    model_bytes: ByConvention<u64>,
    model_charged_to: u64,
    adjusted_rate: ByConvention<f64>,
    prequential: Option<Prequential>,
    overlap: Option<&'a Overlap>,
    notes: &'a [String],
    verified: bool,
    estimate: bool,
}

#[derive(Serialize)]
struct Data<'a> {
    source: &'a str,
    offset: u64,
    hash: &'a str,
}

#[derive(Serialize)]
struct ByConvention<T> {
    fp16: Option<T>,
    stored: Option<T>,
}

#[derive(Serialize)]
struct Prequential {
    coded_bytes: u64,
    recipe_bytes: Option<u64>,
    rate: Option<f64>,
}

impl<T> ByConvention<T> {
    fn of(value: impl Fn(&str) -> Option<T>) -> ByConvention<T> {
        ByConvention {
            fp16: value(Convention::FP16),
            stored: value(Convention::STORED),
        }
    }
}

impl Prequential {
    fn of(found: &Description) -> Prequential {
        let recipe = found.code(Convention::PREQUENTIAL);
        Prequential {
            coded_bytes: found.coded_bytes(),
            recipe_bytes: recipe.map(|code| code.model_bytes),
            rate: found.prequential_rate(),
        }
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let found = &self.description;
        let code = |name: &str| found.code(name);
        Json {
            model: &self.model,
            trial: self.trial.as_deref(),
            parameters: self.parameters,
            data: Data {
                source: &self.source,
                offset: self.offset,
                hash: &found.scored().hash,
            },
            data_bytes: found.scored().bytes,
            regime: found.regime(),
            bits_per_byte: found.bits_per_byte(),
            coded_bytes: found.coded_bytes(),
            stored_coded_bytes: code(Convention::STORED).map(|code| code.coded_bytes),
            raw_rate: found.raw_rate(),
            held_out_rate: self.held_out_rate(),
            model_bytes: ByConvention::of(|name| Some(code(name)?.model_bytes)),
            model_charged_to: found.charged_to(),
            adjusted_rate: ByConvention::of(|name| found.adjusted_rate(name)),
            prequential: self.prequential.as_ref().map(Prequential::of),
            overlap: self.overlap.as_ref(),
            notes: &self.notes,
            verified: found.is_decoded(),
            estimate: !found.is_decoded(),
        }
        .serialize(to)
    }
}

impl Score {
    /// The held-out rate: the raw rate if the regime is held-out.
    pub(super) fn held_out_rate(&self) -> Option<f64> {
        let found = &self.description;
        (found.regime() == Regime::HeldOut).then_some(found.raw_rate())
    }
}
