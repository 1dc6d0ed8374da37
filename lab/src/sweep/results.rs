//! The results of a sweep, one row per trial and regime: `results.json` and
//! `results.csv`, collected from the trials' folders.

use super::error::SweepError;
use super::files;
use super::folder::{State, SweepFolder};
use super::manifest::{Manifest, Trial};
use brevity_length::{Row, TrainedOn};
use serde_json::{Map, Value};

/// The rows of a sweep's results, in the order of the manifest. A finished trial has
/// one row per regime, any other trial has one.
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

/// The part of a row that is known before the trial runs, with the error if it failed.
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

/// Updates the results files of a folder.
///
/// # Errors
/// Files that cannot be read or written.
pub fn write(folder: &SweepFolder, manifest: &Manifest) -> Result<(), SweepError> {
    let rows = rows(folder, manifest)?;
    files::write_json(&folder.root().join("results.json"), &rows)?;
    files::write(&folder.root().join("results.csv"), csv(&rows).as_bytes())
}

/// Rows as CSV: nested objects become dotted columns; provenance, the training report
/// and the code lengths of blocks are only in the JSON.
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
    let header: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rows = flat.iter().map(|row| {
        columns.iter().map(|column| match row.get(column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        })
    });
    brevity_draw::csv(&header, rows)
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
            "id,axes.model.width,rate,hash\na,16,,\n\"b,\"\"c\"\"\",,0.5,\n"
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
