//! From result rows to what a run found.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Alone, Contamination, Leaked, Learned};
use brevity_length::rows::{PREQUENTIAL, ResultRow};

/// Sorts the scored rows by what they are.
pub(super) fn fill(found: &mut Contamination, rows: &[ResultRow]) {
    for row in rows.iter().filter(|row| row.is_scored()) {
        let part = axis(row, "part")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match (row.is_prequential(), part, row.regime.as_deref()) {
            (true, _, _) => found.prequential.extend(learned(row, part)),
            (_, "dose" | "disguise", Some("overlap")) => found.leaked.extend(leaked(row, rows)),
            (_, "text" | "random", Some("in-sample")) => {
                found.alone.extend(alone(row, part, rows));
            }
            _ => {}
        }
    }
}

fn axis<'a>(row: &'a ResultRow, key: &str) -> Option<&'a Value> {
    row.axes.get(key)
}

fn number(row: &ResultRow, key: &str) -> Option<u64> {
    axis(row, key).and_then(Value::as_u64)
}

fn name(row: &ResultRow) -> Option<String> {
    Some(axis(row, "model")?.as_str()?.to_owned())
}

fn scored_bytes(row: &ResultRow) -> u64 {
    row.scored.as_ref().map_or(row.data.bytes, |set| set.bytes)
}

fn adjusted(row: &ResultRow) -> BTreeMap<String, f64> {
    let rates = row.adjusted_rate.iter().flatten();
    rates
        .filter_map(|(name, rate)| Some((name.clone(), (*rate)?)))
        .collect()
}

/// The raw rate of the same trial under another regime.
fn sibling(row: &ResultRow, rows: &[ResultRow], regime: &str) -> Option<f64> {
    let of = |other: &&ResultRow| other.id == row.id && other.regime.as_deref() == Some(regime);
    rows.iter().find(of)?.raw()
}

fn leaked(row: &ResultRow, rows: &[ResultRow]) -> Option<Leaked> {
    let detected = row.other.get("detected").cloned();
    Some(Leaked {
        id: row.id.clone(),
        model: name(row)?,
        parameters: row.parameters,
        seed: row.seed.unwrap_or(0),
        copies: number(row, "data.leak.copies")?,
        skip_words: number(row, "data.leak.skip_words").unwrap_or(0),
        test_bytes: scored_bytes(row),
        raw_rate: row.raw()?,
        clean_rate: sibling(row, rows, "held-out")?,
        adjusted_rate: adjusted(row),
        detected: detected.and_then(|value| serde_json::from_value(value).ok()),
        verified: row.verified,
    })
}

fn alone(row: &ResultRow, part: &str, rows: &[ResultRow]) -> Option<Alone> {
    Some(Alone {
        part: part.to_owned(),
        model: name(row)?,
        parameters: row.parameters,
        seed: row.seed.unwrap_or(0),
        bytes: scored_bytes(row),
        hash: row.scored_hash().to_owned(),
        raw_rate: row.raw()?,
        held_out_rate: sibling(row, rows, "held-out"),
        adjusted_rate: adjusted(row),
        verified: row.verified,
    })
}

fn learned(row: &ResultRow, part: &str) -> Option<Learned> {
    Some(Learned {
        part: part.to_owned(),
        model: name(row)?,
        parameters: row.parameters,
        seed: row.seed.unwrap_or(0),
        copies: number(row, "data.leak.copies").filter(|_| part == "dose"),
        bytes: scored_bytes(row),
        rate: *adjusted(row).get(PREQUENTIAL)?,
        verified: row.verified,
    })
}
