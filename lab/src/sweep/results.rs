//! The results of a sweep, one row per trial and regime: `results.json` and
//! `results.csv`, collected from the trials' folders.

use super::error::SweepError;
use super::files;
use super::folder::{State, SweepFolder};
use super::manifest::{Manifest, Trial};
use brevity_length::{Row, TrainedOn};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// The rows of a sweep's results, in the order of the manifest. A finished trial has
/// one row per regime, any other trial has one.
///
/// # Errors
/// Files that cannot be read.
pub fn rows(folder: &SweepFolder, manifest: &Manifest) -> Result<Vec<Row>, SweepError> {
    let mut rows = Vec::new();
    for trial in &manifest.trials {
        rows.extend(rows_of(folder, &manifest.name, trial)?);
    }
    Ok(rows)
}

fn rows_of(folder: &SweepFolder, name: &str, trial: &Trial) -> Result<Vec<Row>, SweepError> {
    let state = folder.state_now(trial)?;
    let head = head(name, trial, &state);
    if state != State::Done {
        return Ok(vec![head]);
    }
    let Some(done) = folder.score(trial)? else {
        return Ok(vec![head]);
    };
    let row = |score| Row {
        score: Some(score),
        training: Some(done.training),
        provenance: Some(done.provenance.clone()),
        ..head.clone()
    };
    Ok(done.scores.into_iter().map(row).collect())
}

/// The results files of a folder that only this process writes, with their rows in
/// memory: a finished trial costs the reading of that trial.
pub(super) struct Ledger<'a> {
    folder: &'a SweepFolder,
    manifest: &'a Manifest,
    /// Rows by the trial's place in the manifest.
    rows: Vec<Vec<Row>>,
    /// When the files were written last, and how long that took.
    written: Option<(Instant, Duration)>,
}

/// The files are written again when this many times as long has passed as writing them
/// took, so that it never takes more than a twentieth of the time.
const PAUSE: u32 = 20;

impl<'a> Ledger<'a> {
    /// Reads all trials.
    pub fn open(folder: &'a SweepFolder, manifest: &'a Manifest) -> Result<Ledger<'a>, SweepError> {
        let trials = manifest.trials.iter();
        let rows = trials.map(|trial| rows_of(folder, &manifest.name, trial));
        Ok(Ledger {
            folder,
            manifest,
            rows: rows.collect::<Result<_, _>>()?,
            written: None,
        })
    }

    /// Reads a trial again that has ended, and writes the files unless they were written
    /// just now.
    pub fn update(&mut self, trial: &Trial) -> Result<(), SweepError> {
        self.rows[trial.index] = rows_of(self.folder, &self.manifest.name, trial)?;
        match self.written {
            Some((when, took)) if when.elapsed() < PAUSE * took => Ok(()),
            _ => self.write(),
        }
    }

    /// Writes the files.
    pub fn write(&mut self) -> Result<(), SweepError> {
        let start = Instant::now();
        let rows: Vec<&Row> = self.rows.iter().flatten().collect();
        write_rows(self.folder, &rows)?;
        self.written = Some((Instant::now(), start.elapsed()));
        Ok(())
    }
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

/// Reads all trials of a folder and writes its results files.
///
/// # Errors
/// Files that cannot be read or written.
pub fn collect(folder: &SweepFolder, manifest: &Manifest) -> Result<(), SweepError> {
    let rows = rows(folder, manifest)?;
    write_rows(folder, &rows.iter().collect::<Vec<_>>())
}

fn write_rows(folder: &SweepFolder, rows: &[&Row]) -> Result<(), SweepError> {
    files::write_json(&folder.root().join("results.json"), &rows)?;
    let flat: Vec<Map<String, Value>> = rows.iter().map(|row| flatten(row)).collect();
    files::write(&folder.root().join("results.csv"), table(&flat).as_bytes())
}

/// Rows as CSV: nested objects become dotted columns; provenance, the training report
/// and the code lengths of blocks are only in the JSON.
pub fn csv(rows: &[Row]) -> String {
    let flat: Vec<Map<String, Value>> = rows.iter().map(flatten).collect();
    table(&flat)
}

fn table(flat: &[Map<String, Value>]) -> String {
    let mut columns: Vec<String> = Vec::new();
    let mut known: HashSet<&str> = HashSet::new();
    for key in flat.iter().flat_map(Map::keys) {
        if known.insert(key) {
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
