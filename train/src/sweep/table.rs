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

/// The axes of all trials, in order of appearance: trials that are spelled out
/// may each vary something else.
pub(super) fn axis_names<'a>(trials: impl Iterator<Item = &'a Map<String, Value>>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in trials.flat_map(Map::keys) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The results of a sweep for the terminal: state, axes, the raw rate and the
/// adjusted rates (fp16 and stored weights) in percent, then the messages of what failed.
pub fn table(rows: &[Map<String, Value>]) -> String {
    let axes = axis_names(rows.iter().filter_map(|row| row.get("axes")?.as_object()));
    let mut header = vec!["id".to_string(), "state".into()];
    header.extend(axes.iter().cloned());
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
        let axis = |name: &String| Some(plain(row.get("axes")?.get(name)?));
        line.extend(axes.iter().map(|name| axis(name).unwrap_or_default()));
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
    let mut out = align(&cells, 2);
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
                json!({"id": "aa", "state": "done", "axes": {"model.width": 16}, "seed": 0,
                "data": {"bytes": 100}, "parameters": 5000, "regime": "in-sample",
                "bits_per_byte": 2.0, "raw_rate": 0.25, "adjusted_rate": {"fp16": 0.5, "stored": 0.375}}),
            ),
            row(
                json!({"id": "bb", "state": "failed", "axes": {"train.ema": 0.5}, "seed": 0,
                "data": {"bytes": 100}, "parameters": 9000, "error": "no"}),
            ),
        ];
        let table = table(&rows);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(
            lines[1],
            "aa  done             16                0         100        5000  in-sample      2.000  25.000  50.000    37.500"
        );
        assert!(lines[0].starts_with("id  state   model.width  train.ema  seed"));
        assert!(lines[2].starts_with("bb  failed                     0.5     0"));
        assert_eq!(lines[4], "bb failed: no");
    }
}
