//! Reads result rows into the results of a run.

use std::collections::BTreeMap;

use super::{Alone, Contamination, Leaked, Learned};
use brevity_length::{AxisValue, Regime, Row};

/// Sorts the scored rows into leaked, in-sample and prequential results.
pub(super) fn fill(found: &mut Contamination, rows: &[Row]) {
    for row in rows.iter().filter(|row| row.is_scored()) {
        let part = row.axes.get("part").and_then(AxisValue::as_str);
        let part = part.unwrap_or_default();
        match (row.regime(), part) {
            (Some(Regime::Prequential), _) => found.prequential.extend(learned(row, part)),
            (Some(Regime::Overlap), "dose" | "disguise") => found.leaked.extend(leaked(row, rows)),
            (Some(Regime::InSample), "text" | "random") => {
                found.alone.extend(alone(row, part, rows));
            }
            _ => {}
        }
    }
}

fn number(row: &Row, key: &str) -> Option<u64> {
    row.axes.get(key).and_then(AxisValue::as_u64)
}

fn name(row: &Row) -> Option<String> {
    Some(row.axes.get("model")?.as_str()?.to_owned())
}

fn adjusted(row: &Row) -> BTreeMap<String, f64> {
    let conventions = row.conventions().into_iter();
    conventions
        .filter_map(|name| Some((name.to_string(), row.adjusted(name.as_str())?)))
        .collect()
}

/// The raw rate of the same trial under another regime.
fn sibling(row: &Row, rows: &[Row], regime: Regime) -> Option<f64> {
    let of = |other: &&Row| other.id == row.id && other.regime() == Some(regime);
    rows.iter().find(of)?.raw()
}

fn leaked(row: &Row, rows: &[Row]) -> Option<Leaked> {
    Some(Leaked {
        id: row.id().to_owned(),
        model: name(row)?,
        parameters: row.parameters,
        seed: row.seed.unwrap_or(0),
        copies: number(row, "data.leak.copies")?,
        skip_words: number(row, "data.leak.skip_words").unwrap_or(0),
        test_bytes: row.scored_bytes(),
        raw_rate: row.raw()?,
        to_twin: None,
        clean_rate: sibling(row, rows, Regime::HeldOut)?,
        adjusted_rate: adjusted(row),
        detected: row.score.as_ref()?.detected.clone(),
        verified: row.is_decoded(),
    })
}

fn alone(row: &Row, part: &str, rows: &[Row]) -> Option<Alone> {
    Some(Alone {
        part: part.to_owned(),
        model: name(row)?,
        parameters: row.parameters,
        seed: row.seed.unwrap_or(0),
        bytes: row.scored_bytes(),
        hash: row.scored_hash().to_owned(),
        raw_rate: row.raw()?,
        held_out_rate: sibling(row, rows, Regime::HeldOut),
        adjusted_rate: adjusted(row),
        verified: row.is_decoded(),
    })
}

fn learned(row: &Row, part: &str) -> Option<Learned> {
    Some(Learned {
        part: part.to_owned(),
        model: name(row)?,
        parameters: row.parameters,
        seed: row.seed.unwrap_or(0),
        copies: number(row, "data.leak.copies").filter(|_| part == "dose"),
        bytes: row.scored_bytes(),
        rate: row.description()?.prequential_rate()?,
        verified: row.is_decoded(),
    })
}
