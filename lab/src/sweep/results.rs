//! The results of a sweep, one object a trial and regime: `results.json` and
//! `results.csv`, put together from the folders of the trials.

use super::error::SweepError;
use super::folder::{State, SweepFolder};
use super::manifest::{Manifest, Trial};
use super::store;
use serde_json::{Map, Value, json};

/// The rows of a sweep's results, in the order of the manifest. A trial that is
/// done has a row for each of its regimes, any other trial has one.
///
/// A row has `id`, `index`, `name`, `state`, `axes`, `seed`, `parameters`,
/// `flops`, `data` (`source`, `bytes`, `hash`), `check` (`of`, `key`, `from`, `to`) if
/// it is one of `sweep.checks`, and `error` if it failed; what
/// the scorer measured (`regime`, `bits_per_byte`, ...); and for a trial that is
/// done `training` and `provenance`.
///
/// # Errors
/// Files that cannot be read.
pub fn rows(
    folder: &SweepFolder,
    manifest: &Manifest,
) -> Result<Vec<Map<String, Value>>, SweepError> {
    let mut rows = Vec::new();
    for trial in &manifest.trials {
        let state = folder.state(trial)?;
        let mut row = head(&manifest.name, trial, &state);
        if let State::Failed(failure) = &state {
            row.insert("error".into(), failure.message.as_str().into());
        }
        let Some(score) = folder.score(trial)? else {
            rows.push(row);
            continue;
        };
        for measured in score.scores {
            let mut row = row.clone();
            row.extend(measured);
            row.insert("training".into(), score.training.clone().into());
            row.insert("provenance".into(), score.provenance.clone().into());
            rows.push(row);
        }
    }
    Ok(rows)
}

/// What is known of a trial before it runs.
pub(super) fn head(name: &str, trial: &Trial, state: &State) -> Map<String, Value> {
    let head = json!({
        "id": trial.id,
        "index": trial.index,
        "name": name,
        "state": state.name(),
        "axes": trial.axes,
        "seed": trial.seed,
        "parameters": trial.parameters,
        "flops": trial.flops,
        "data": {
            "source": trial.data.source,
            "bytes": trial.data.bytes,
            "hash": trial.data.hash,
        },
    });
    let Value::Object(mut head) = head else {
        unreachable!("the literal above is an object")
    };
    if let Some(check) = &trial.check {
        head.insert("check".into(), json!(check));
    }
    head
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
pub fn csv(rows: &[Map<String, Value>]) -> String {
    let mut columns: Vec<String> = Vec::new();
    let flat: Vec<Map<String, Value>> = rows.iter().map(flatten).collect();
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
    for row in &flat {
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

fn flatten(row: &Map<String, Value>) -> Map<String, Value> {
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
    for (key, value) in row {
        if !["provenance", "training", "block_bits"].contains(&key.as_str()) {
            walk(key, value, &mut out);
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
        let row = |value: Value| value.as_object().unwrap().clone();
        let rows = [
            row(json!({"id": "a", "axes": {"model.width": 16}, "provenance": {"x": 1}})),
            row(json!({"id": "b,\"c\"", "rate": 0.5, "hash": null, "block_bits": [1]})),
        ];
        assert_eq!(
            csv(&rows),
            "id,axes.model.width,rate,hash\r\na,16,,\r\n\"b,\"\"c\"\"\",,0.5,\r\n"
        );
    }
}
