//! Result rows of a sweep, read with tolerance.
//!
//! `results.json` of a sweep's folder has one object a trial. A row may lack
//! what its trial has not reached yet, and may hold more than is known here.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The axes of a sweep that mean the size of the model, by dotted key.
pub const SIZE_KEYS: [&str; 4] = ["model.width", "model.layers", "model.heads", "model.hidden"];

/// Name of the regime of prequential codes, and of their convention.
pub const PREQUENTIAL: &str = "prequential";

/// What a row's model was scored on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RowData {
    /// Where the bytes came from.
    pub source: String,
    /// How many there are.
    pub bytes: u64,
    /// BLAKE3 of them, in hexadecimal; empty when not known.
    #[serde(deserialize_with = "text_or_null")]
    pub hash: String,
}

fn text_or_null<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(from).map(Option::unwrap_or_default)
}

/// What a trial that checks the training of another one differs from it by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RowCheck {
    /// Id of the other trial.
    pub of: String,
    /// Dotted key of what differs.
    pub key: String,
    /// Its value there.
    pub from: f64,
    /// Its value here.
    pub to: f64,
}

/// One trial of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResultRow {
    /// Hash of the trial's config, data and code version.
    pub id: String,
    /// What the sweep varied, by dotted key.
    pub axes: serde_json::Map<String, Value>,
    /// Parameters of the model.
    pub parameters: u64,
    /// Seed of the training run.
    pub seed: Option<u64>,
    /// For a trial of `sweep.checks`: what it checks. Such rows are evidence for a
    /// ladder, no part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<RowCheck>,
    /// What was scored.
    pub data: RowData,
    /// `done`, `failed`, `pending`, ...
    pub state: String,
    /// `in-sample`, `held-out`, `shifted` or `overlap`.
    pub regime: Option<String>,
    /// The bytes that were scored, where they are not those of `data`.
    pub scored: Option<RowData>,
    /// Code length under the full-precision weights, bits per byte.
    pub bits_per_byte: Option<f64>,
    /// The same in bits.
    pub data_bits: Option<f64>,
    /// Bytes of the coded stream on disk.
    pub coded_bytes: Option<f64>,
    /// Bytes of the model, by convention.
    pub model_bytes: Option<BTreeMap<String, Option<f64>>>,
    /// Coded bytes over data bytes.
    pub raw_rate: Option<f64>,
    /// (coded + model bytes) over data bytes, by convention.
    pub adjusted_rate: Option<BTreeMap<String, Option<f64>>>,
    /// Whether the lengths are computed and not those of a decoded archive.
    pub estimate: bool,
    /// Whether the archive was decoded and compared.
    pub verified: bool,
    /// Everything else the row holds.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

/// Why rows cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The file cannot be read.
    #[error("cannot read {file}, which a sweep writes when its first trial is done")]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a list of rows.
    #[error("{file} does not hold rows of results")]
    Parse {
        /// The file.
        file: String,
        /// Where and what.
        source: serde_json::Error,
    },
}

/// Reads `results.json` in a sweep's folder, or the file itself.
///
/// # Errors
///
/// When the file cannot be read or is no array of rows (or object with a
/// `results` array).
pub fn read(sweep: &Path) -> Result<Vec<ResultRow>, RowError> {
    let path = if sweep.is_dir() {
        sweep.join("results.json")
    } else {
        sweep.to_owned()
    };
    let file = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|source| RowError::Read {
        file: file.clone(),
        source,
    })?;
    parse(&text).map_err(|source| RowError::Parse { file, source })
}

/// As [`read`], from text.
///
/// # Errors
///
/// When the text is no array of rows (or object with a `results` array).
pub fn parse(text: &str) -> Result<Vec<ResultRow>, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum File {
        Rows(Vec<Value>),
        Object { results: Vec<Value> },
    }
    let (File::Rows(rows) | File::Object { results: rows }) = serde_json::from_str(text)?;
    let rows: Result<Vec<ResultRow>, _> = rows.into_iter().map(serde_json::from_value).collect();
    let mut rows = rows?;
    in_one_order(&mut rows);
    Ok(rows)
}

/// Brings the axes of all rows into the order in which they first occur: rows of one
/// setting are told by their axes, which runs that were joined may list otherwise.
fn in_one_order(rows: &mut [ResultRow]) {
    let mut order: Vec<String> = Vec::new();
    for key in rows.iter().flat_map(|row| row.axes.keys()) {
        if !order.contains(key) {
            order.push(key.clone());
        }
    }
    for row in rows {
        let mut axes = std::mem::take(&mut row.axes);
        let in_order = order.iter().filter_map(|key| axes.remove_entry(key));
        row.axes = in_order.collect();
    }
}

impl ResultRow {
    /// Whether there is a length to speak of.
    #[must_use]
    pub fn is_scored(&self) -> bool {
        self.data.bytes > 0 && self.parameters > 0 && self.raw().is_some()
    }

    /// Whether there is a length to compare with others: not that of a check.
    #[must_use]
    pub fn is_candidate(&self) -> bool {
        self.is_scored() && self.check.is_none()
    }

    /// The state, and for lengths that no decoder has confirmed, that they are
    /// estimates.
    #[must_use]
    pub fn state_in_words(&self) -> String {
        match self.raw() {
            Some(_) if self.verified => format!("{}, decoded", self.state),
            Some(_) if self.estimate => format!("{}, estimate", self.state),
            _ => self.state.clone(),
        }
    }

    /// Code lengths in bits of equally long contiguous blocks of what was scored.
    #[must_use]
    pub fn block_bits(&self) -> Option<Vec<f64>> {
        let values = self.other.get("block_bits")?.as_array()?;
        let bits: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
        bits.filter(|b| b.iter().sum::<f64>() > 0.0)
    }

    /// What the sweep varied, in words, less data and seed: `width 16, layers 2`.
    #[must_use]
    pub fn settings(&self) -> String {
        let varied: Vec<String> = self
            .axes
            .iter()
            .filter(|(key, _)| is_setting(key))
            .map(|(key, value)| {
                let short = key.rsplit('.').next().unwrap_or(key);
                match value.as_str() {
                    Some(text) => format!("{short} {text}"),
                    None => format!("{short} {value}"),
                }
            })
            .collect();
        varied.join(", ")
    }

    /// Whether the sweep varied something that parameters, data and seed do not
    /// tell.
    #[must_use]
    pub fn varies_more_than_size(&self) -> bool {
        let mut keys = self.axes.keys();
        keys.any(|key| is_setting(key) && !SIZE_KEYS.contains(&key.as_str()))
    }

    /// Hash of the bytes that were scored; empty when not known.
    #[must_use]
    pub fn scored_hash(&self) -> &str {
        let scored = self.scored.as_ref().map(|s| s.hash.as_str());
        scored.filter(|h| !h.is_empty()).unwrap_or(&self.data.hash)
    }

    /// Coded bytes over data bytes, from whichever field is there.
    #[must_use]
    pub fn raw(&self) -> Option<f64> {
        let scored = self.scored.as_ref().map_or(0, |s| s.bytes);
        let n = if scored > 0 { scored } else { self.data.bytes } as f64;
        self.raw_rate
            .or_else(|| self.coded_bytes.map(|b| b / n))
            .or_else(|| self.data_bits.map(|b| b / 8.0 / n))
            .or_else(|| self.bits_per_byte.map(|b| b / 8.0))
    }

    /// Whether the length is a prequential code's, whose model is its recipe.
    #[must_use]
    pub fn is_prequential(&self) -> bool {
        self.regime.as_deref() == Some(PREQUENTIAL)
    }

    /// The conventions this row prices its model under; `fp16` at least, but for
    /// prequential codes, which send no parameters.
    #[must_use]
    pub fn conventions(&self) -> Vec<String> {
        let mut names = match self.is_prequential() {
            true => Vec::new(),
            false => vec!["fp16".to_owned()],
        };
        for (name, bytes) in self.model_bytes.iter().flatten() {
            if name != "fp16" && bytes.is_some() {
                names.push(name.clone());
            }
        }
        names
    }

    /// Model bytes under a convention.
    #[must_use]
    pub fn model(&self, convention: &str) -> Option<f64> {
        let given = self.model_bytes.as_ref().and_then(|m| *m.get(convention)?);
        let counted = convention == "fp16" && !self.is_prequential();
        given.or_else(|| counted.then_some(2.0 * self.parameters as f64))
    }

    /// (coded + model bytes) over data bytes under a convention.
    #[must_use]
    pub fn adjusted(&self, convention: &str) -> Option<f64> {
        let given = self
            .adjusted_rate
            .as_ref()
            .and_then(|a| *a.get(convention)?);
        given.or_else(|| Some(self.raw()? + self.model(convention)? / self.data.bytes as f64))
    }

    /// Coded bytes that go with a convention: all that its adjusted rate counts
    /// beyond the model. Weights that were quantised to be stored code the data
    /// in other lengths than the full-precision ones.
    #[must_use]
    pub fn coded(&self, convention: &str) -> Option<f64> {
        Some(self.adjusted(convention)? * self.data.bytes as f64 - self.model(convention)?)
    }
}

/// Whether an axis is part of a configuration: not the data, not the seed.
fn is_setting(key: &str) -> bool {
    !key.starts_with("data.") && key != "seed" && !key.ends_with(".seed")
}

/// What tells each row's ladder from others on the same data: its values of the
/// axes that are varied by themselves and are not size, data or seed. An axis
/// that always changes along with size (a tuned learning rate, say) tells no
/// ladders apart.
#[must_use]
pub fn variants(rows: &[&ResultRow]) -> Vec<String> {
    let mut keys: Vec<&str> = Vec::new();
    for (i, x) in rows.iter().enumerate() {
        for y in &rows[..i] {
            if x.data != y.data || x.regime != y.regime {
                continue;
            }
            let mut differing = x
                .axes
                .iter()
                .filter(|(key, value)| is_setting(key) && y.axes.get(*key) != Some(value))
                .map(|(key, _)| key.as_str());
            if let (Some(key), None) = (differing.next(), differing.next())
                && !SIZE_KEYS.contains(&key)
                && !keys.contains(&key)
            {
                keys.push(key);
            }
        }
    }
    let value = |row: &ResultRow, key: &str| match row.axes.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "default".into(),
    };
    rows.iter()
        .map(|row| {
            let parts: Vec<String> = keys
                .iter()
                .map(|key| format!("{key}={}", value(row, key)))
                .collect();
            parts.join(" ")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"id": "ab", "axes": {"model.width": 16}, "parameters": 1000, "seed": 1,
        "data": {"source": "crates", "bytes": 10000, "hash": "00"}, "state": "done",
        "regime": "in-sample", "bits_per_byte": 4.0, "raw_rate": 0.5,
        "model_bytes": {"fp16": 2000, "stored": 600},
        "adjusted_rate": {"fp16": 0.7, "stored": 0.57}, "flops": 3}"#;

    #[test]
    fn rows_come_as_array_or_object_and_keep_what_is_unknown() {
        for text in [format!("[{ROW}]"), format!("{{\"results\": [{ROW}]}}")] {
            let rows = parse(&text).unwrap();
            assert_eq!(rows[0].other["flops"], 3);
            assert_eq!(rows[0].conventions(), ["fp16", "stored"]);
        }
    }

    #[test]
    fn the_same_settings_in_another_order_are_the_same() {
        let axes = [
            r#"{"model.taps": 0, "train.learning_rate": 0.01}"#,
            r#"{"train.learning_rate": 0.01, "model.taps": 0}"#,
        ];
        let rows = axes.map(|axes| ROW.replace(r#"{"model.width": 16}"#, axes));
        let rows = parse(&format!("[{}]", rows.join(","))).unwrap();
        assert_eq!(rows[0].settings(), "taps 0, learning_rate 0.01");
        assert_eq!(rows[1].settings(), rows[0].settings());
    }

    #[test]
    fn each_convention_has_its_own_coded_bytes() {
        let row = &parse(&format!("[{ROW}]")).unwrap()[0];
        assert!((row.coded("fp16").unwrap() - 5000.0).abs() < 1e-6);
        assert!((row.coded("stored").unwrap() - 5100.0).abs() < 1e-6);
    }

    #[test]
    fn a_prequential_code_sends_its_recipe_alone() {
        let text = ROW
            .replace("in-sample", PREQUENTIAL)
            .replace(r#""fp16": 2000, "stored": 600"#, r#""prequential": 100"#)
            .replace(r#""fp16": 0.7, "stored": 0.57"#, r#""prequential": 0.51"#);
        let row = &parse(&format!("[{text}]")).unwrap()[0];
        assert_eq!(row.conventions(), [PREQUENTIAL]);
        assert_eq!(
            (row.adjusted("fp16"), row.adjusted(PREQUENTIAL)),
            (None, Some(0.51))
        );
    }

    #[test]
    fn settings_varied_by_themselves_make_ladders_and_others_do_not() {
        let row = |axes: Value| ResultRow {
            axes: axes.as_object().unwrap().clone(),
            ..ResultRow::default()
        };
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let grid: Vec<ResultRow> = [(8, 1), (8, 2), (16, 1), (16, 2)]
            .iter()
            .map(|(w, e)| {
                row(json(&format!(
                    r#"{{"model.width":{w},"train.epochs":{e},"seed":0}}"#
                )))
            })
            .collect();
        let grid: Vec<&ResultRow> = grid.iter().collect();
        assert_eq!(variants(&grid)[1], "train.epochs=2");
        let tuned = [&grid[0], &grid[3]].map(|r| *r);
        assert_eq!(variants(&tuned), ["", ""]);
    }

    #[test]
    fn an_unfinished_row_is_not_scored() {
        let text = r#"[{"id": "x", "parameters": 10, "state": "pending", "seed": null,
            "data": {"bytes": 5, "hash": null}}]"#;
        assert!(!parse(text).unwrap()[0].is_scored());
    }
}
