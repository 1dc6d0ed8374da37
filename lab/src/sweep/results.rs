//! The results of a sweep, one object a trial and regime: `results.json` and
//! `results.csv`, put together from the folders of the trials.

use super::error::SweepError;
use super::folder::{State, SweepFolder};
use super::manifest::{Manifest, Trial};
use super::store;
use brevity_length::{Row, TrainedOn};
use serde_json::{Map, Value};

/// The rows of a sweep's results, in the order of the manifest. A trial that is
/// done has a row for each of its regimes, any other trial has one.
///
/// # Errors
/// Files that cannot be read.
pub fn rows(folder: &SweepFolder, manifest: &Manifest) -> Result<Vec<Row>, SweepError> {
    let mut rows = Vec::new();
    for trial in &manifest.trials {
        let state = folder.state(trial)?;
        let head = head(&manifest.name, trial, &state);
        let Some(done) = folder.score(trial)? else {
            rows.push(head);
            continue;
        };
        for score in done.scores {
            rows.push(Row {
                score: Some(score),
                training: Some(done.training),
                provenance: Some(done.provenance.clone()),
                ..head.clone()
            });
        }
    }
    Ok(rows)
}

/// What is known of a trial before it runs, and why it failed.
pub(super) fn head(name: &str, trial: &Trial, state: &State) -> Row {
    Row {
        id: Some(trial.id.clone()),
        index: trial.index,
        name: name.to_owned(),
        state: state.in_results(),
        axes: trial.axes.clone(),
        seed: Some(trial.seed),
        parameters: trial.parameters,
        flops: trial.flops,
        data: TrainedOn {
            source: trial.data.source.clone(),
            bytes: trial.data.bytes,
            hash: trial.data.hash.clone().unwrap_or_default(),
        },
        check: trial.check.clone(),
        error: match state {
            State::Failed(failure) => Some(failure.message.clone()),
            _ => None,
        },
        ..Row::default()
    }
}

/// Brings the results files of a folder up to date.
///
/// # Errors
/// Files that cannot be read or written.
pub fn write(folder: &SweepFolder, manifest: &Manifest) -> Result<(), SweepError> {
    let rows = rows(folder, manifest)?;
    store::write_json(&folder.root().join("results.json"), &rows)?;
    store::write(&folder.root().join("results.csv"), csv(&rows).as_bytes())
}

/// Rows as CSV (RFC 4180): nested objects become dotted columns; provenance,
/// the training's report and the code lengths of blocks are left to the JSON.
pub fn csv(rows: &[Row]) -> String {
    let flat: Vec<Map<String, Value>> = rows.iter().map(flatten).collect();
    table(&flat)
}

fn table(flat: &[Map<String, Value>]) -> String {
    let mut columns: Vec<String> = Vec::new();
    for key in flat.iter().flat_map(Map::keys) {
        if !columns.contains(key) {
            columns.push(key.clone());
        }
    }
    let mut out = columns
        .iter()
        .map(|c| quote(c))
        .collect::<Vec<_>>()
        .join(",");
    out.push_str("\r\n");
    for row in flat {
        let cells = columns.iter().map(|column| match row.get(column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => quote(text),
            Some(other) => quote(&other.to_string()),
        });
        out.push_str(&cells.collect::<Vec<_>>().join(","));
        out.push_str("\r\n");
    }
    out
}

fn flatten(row: &Row) -> Map<String, Value> {
    fn walk(prefix: &str, value: &Value, out: &mut Map<String, Value>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    walk(&format!("{prefix}.{key}"), value, out);
                }
            }
            leaf => {
                out.insert(prefix.to_string(), leaf.clone());
            }
        }
    }
    let mut out = Map::new();
    if let Ok(Value::Object(row)) = serde_json::to_value(row) {
        for (key, value) in &row {
            if !["provenance", "training", "block_bits", "learning"].contains(&key.as_str()) {
                walk(key, value, &mut out);
            }
        }
    }
    out
}

fn quote(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_flattens_quotes_and_leaves_gaps() {
        let row = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let rows = [
            row(r#"{"id": "a", "axes.model.width": 16}"#),
            row(r#"{"id": "b,\"c\"", "rate": 0.5, "hash": null}"#),
        ];
        assert_eq!(
            table(&rows),
            "id,axes.model.width,rate,hash\r\na,16,,\r\n\"b,\"\"c\"\"\",,0.5,\r\n"
        );
    }

    #[test]
    fn nested_fields_are_columns_and_long_ones_are_left_out() {
        let row = Row {
            axes: serde_json::from_str(r#"{"model.width": 16}"#).unwrap(),
            provenance: Some(brevity_length::Provenance::default()),
            ..Row::default()
        };
        let flat = flatten(&row);
        assert_eq!(flat["axes.model.width"], 16);
        assert!(flat.keys().all(|key| !key.starts_with("provenance")));
    }
}
