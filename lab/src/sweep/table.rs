//! Tables for the terminal.

use serde_json::{Map, Value};

/// Rows of cells under a header, in columns two spaces apart. The first
/// `left` columns are flush left, the others flush right.
pub(super) fn align(rows: &[Vec<String>], left: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let cell = match column < left {
                true => format!("{cell:<width$}  "),
                false => format!("{cell:>width$}  "),
            };
            line.push_str(&cell);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A value of an axis without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What trials vary: a column for each axis that all of them have, and one for the
/// others, of which trials that are spelled out have some each.
pub(super) struct Axes {
    columns: Vec<String>,
    spelled_out: bool,
}

impl Axes {
    /// Those of the trials with these settings.
    pub fn of<'a>(trials: impl Iterator<Item = &'a Map<String, Value>> + Clone) -> Axes {
        let mut columns: Vec<String> = Vec::new();
        let mut spelled_out = false;
        for name in trials.clone().flat_map(Map::keys) {
            if trials.clone().any(|axes| !axes.contains_key(name)) {
                spelled_out = true;
            } else if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        Axes {
            columns,
            spelled_out,
        }
    }

    /// Columns that are words, not numbers: 0 or 1. They come first.
    pub fn words(&self) -> usize {
        usize::from(self.spelled_out)
    }

    pub fn header(&self) -> impl Iterator<Item = String> {
        let settings = self.spelled_out.then(|| "settings".to_string());
        settings.into_iter().chain(self.columns.iter().cloned())
    }

    pub fn cells(&self, axes: &Map<String, Value>) -> Vec<String> {
        let mut cells = Vec::new();
        if self.spelled_out {
            let own = axes
                .iter()
                .filter(|(name, _)| !self.columns.contains(name))
                .map(|(name, value)| format!("{name} {}", plain(value)));
            cells.push(own.collect::<Vec<_>>().join(", "));
        }
        let column = |name| axes.get(name).map(plain).unwrap_or_default();
        cells.extend(self.columns.iter().map(column));
        cells
    }
}

/// The results of a sweep for the terminal: state, axes, the raw rate and the
/// adjusted rates (fp16 and stored weights) in percent, then the messages of what failed.
pub fn table(rows: &[Map<String, Value>]) -> String {
    let axes = Axes::of(rows.iter().filter_map(|row| row.get("axes")?.as_object()));
    let mut header = vec!["id".to_string(), "state".into()];
    header.extend(axes.header());
    let last = [
        "seed",
        "data bytes",
        "parameters",
        "regime",
        "bits/byte",
        "raw %",
        "fp16 %",
        "stored %",
    ];
    header.extend(last.map(String::from));
    let mut cells = vec![header];
    for row in rows {
        let text = |path: &str| find(row, path).map(plain).unwrap_or_default();
        let number = |path: &str, scale: f64| {
            let value = find(row, path).and_then(Value::as_f64);
            value.map_or(String::new(), |value| format!("{:.3}", scale * value))
        };
        let mut line = vec![text("/id"), text("/state")];
        let own = row.get("axes").and_then(Value::as_object);
        line.extend(axes.cells(own.unwrap_or(&Map::new())));
        line.extend([
            text("/seed"),
            text("/data/bytes"),
            text("/parameters"),
            text("/regime"),
            number("/bits_per_byte", 1.0),
            number("/raw_rate", 100.0),
            number("/adjusted_rate/fp16", 100.0),
            number("/adjusted_rate/stored", 100.0),
        ]);
        cells.push(line);
    }
    let mut out = align(&cells, 2 + axes.words());
    for row in rows {
        if let (Some(id), Some(error)) = (find(row, "/id"), find(row, "/error")) {
            out.push_str(&format!("\n{} failed: {}\n", plain(id), plain(error)));
        }
    }
    out
}

/// What stands at a path such as `/data/bytes`.
fn find<'a>(row: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.trim_start_matches('/').split('/');
    let first = row.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn results_line_up_and_failures_follow() {
        let row = |value: Value| value.as_object().unwrap().clone();
        let rows = [
            row(
                json!({"id": "aa", "state": "done", "axes": {"model.width": 16, "train.ema": 0.9}, "seed": 0,
                "data": {"bytes": 100}, "parameters": 5000, "regime": "in-sample",
                "bits_per_byte": 2.0, "raw_rate": 0.25, "adjusted_rate": {"fp16": 0.5, "stored": 0.375}}),
            ),
            row(
                json!({"id": "bb", "state": "failed", "axes": {"model.width": 24, "train.clip": 1}, "seed": 0,
                "data": {"bytes": 100}, "parameters": 9000, "error": "no"}),
            ),
        ];
        let table = table(&rows);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(
            lines[1],
            "aa  done    train.ema 0.9           16     0         100        5000  in-sample      2.000  25.000  50.000    37.500"
        );
        assert!(lines[0].starts_with("id  state   settings       model.width  seed"));
        assert!(lines[2].starts_with("bb  failed  train.clip 1            24     0"));
        assert_eq!(lines[4], "bb failed: no");
    }
}
