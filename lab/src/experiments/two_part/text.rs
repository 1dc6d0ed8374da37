//! The report as text: a terminal table, and the points as CSV.

use std::fmt::Write;

use super::{Name, Report, coded_source, names};
use brevity_draw::{Table, csv, visible_lines};
use brevity_length::format::{bytes, count, percent};
use brevity_length::{Convention, Row};
use brevity_stats::critical::Point;

pub(super) fn terminal(report: &Report) -> String {
    let mut text = String::new();
    let named = names(&report.rows);
    let _ = write!(text, "{}", rows_table(&report.rows, &named));
    for b in &report.baselines {
        let source = coded_source(report, &named, b);
        let _ = writeln!(text, "\n{} of {source} through", bytes(b.bytes as f64));
        let mut table = Table::new(&["coder", "bytes", "rate %"]);
        for r in b.all() {
            table.push(vec![r.coder.clone(), r.bytes.to_string(), percent(r.rate)]);
        }
        let _ = write!(text, "{table}");
    }
    if !report.critical.is_empty() {
        let _ = write!(text, "\n{}", crate::text::sizes(&report.critical));
    }
    if !report.laws.is_empty() {
        let _ = write!(text, "\n{}", crate::text::laws(&report.laws));
    }
    if let Some(checks) = &report.checks {
        let _ = writeln!(
            text,
            "\nverdict: {}; {}",
            checks.verdict.name(),
            checks.reasons.join("; ")
        );
    }
    for note in &report.notes {
        let _ = writeln!(text, "note: {note}");
    }
    visible_lines(&text).into_owned()
}

fn rows_table(rows: &[Row], names: &[Name]) -> Table {
    let settings = rows.iter().any(Row::varies_more_than_size);
    let mut header = vec!["data", "bytes", "regime", "parameters", "seed"];
    let mut left = vec![2];
    if settings {
        left.push(header.len());
        header.push("settings");
    }
    header.extend(["raw %", "fp16 %", "stored %"]);
    left.push(header.len());
    header.push("state");
    let mut table = Table::new(&header).left(&left);
    let rate = |value: Option<f64>| value.map_or_else(String::new, percent);
    for (row, name) in rows.iter().zip(names) {
        let mut line = vec![
            name.source.clone(),
            bytes(row.data.bytes as f64),
            name.regime.clone(),
            count(row.parameters as f64),
            row.seed.map_or_else(String::new, |s| s.to_string()),
        ];
        if settings {
            line.push(row.settings());
        }
        line.extend([
            rate(row.raw()),
            rate(row.raw().and(row.adjusted_or_mixed(&Convention::fp16()))),
            rate(row.raw().and(row.adjusted_or_mixed(&Convention::stored()))),
            row.state_in_words(),
        ]);
        table.push(line);
    }
    table
}

pub(super) fn points_csv(points: &[Point]) -> String {
    let header = [
        "source",
        "regime",
        "variant",
        "convention",
        "data_bytes",
        "parameters",
        "seed",
        "bits_per_byte",
        "model_bytes",
        "adjusted_rate",
    ];
    let row = |p: &Point| {
        [
            p.source.clone(),
            p.regime.clone(),
            p.variant.clone(),
            p.convention.clone(),
            p.data_bytes.to_string(),
            p.parameters.to_string(),
            p.seed.to_string(),
            p.bits_per_byte.to_string(),
            p.model_bytes.to_string(),
            p.adjusted_rate().to_string(),
        ]
    };
    csv(&header, points.iter().map(row))
}
