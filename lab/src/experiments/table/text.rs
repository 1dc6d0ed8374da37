//! The table for terminals and as CSV.

use std::fmt::Write;

use brevity_length::Regime;

use super::{Cell, Column, Matrix, Row, crossing, payback};
use brevity_draw::{Table, visible_lines};
use brevity_length::format::{bytes, count};

/// The chunk column of a row.
pub(super) fn chunk_of(matrix: &Matrix, row: &Row) -> String {
    match (row.chunks, row.headers_once, row.parameters) {
        _ if row.learned_elsewhere() => matrix.chunk.to_string(),
        (_, _, Some(_)) => "context".into(),
        (false, ..) => "whole".into(),
        (true, false, _) => matrix.chunk.to_string(),
        (true, true, _) => format!("{}, headers once", matrix.chunk),
    }
}

/// The marks of a cell; [`MARKS`] explains them.
pub(super) fn mark(cell: &Cell) -> &'static str {
    match (cell.decoded, cell.regime) {
        (false, Some(Regime::Unknown)) => "~?",
        (false, _) => "~",
        (true, Some(Regime::Unknown)) => "?",
        (true, Some(Regime::InSample)) => "*",
        (true, Some(Regime::Overlap)) => "!",
        _ => "",
    }
}

/// Legend of the marks.
pub(super) const MARKS: &str = "~ estimate, not decoded; * in-sample: the model was trained on \
                                these bytes; ! it was trained on some of them; ? unknown: \
                                nobody says whether it was";

fn percent(rate: f64) -> String {
    format!("{:.1}", 100.0 * rate)
}

pub(super) fn text(matrix: &Matrix) -> String {
    let mut text = format!("{}\n", matrix.title);
    let kinds: [(&str, Rate); 3] = [
        ("raw rate, %", |cell| Some(cell.raw)),
        ("adjusted rate, %: 2 bytes per parameter", |cell| {
            Some(cell.adjusted)
        }),
        ("adjusted rate, %: the model as stored", |cell| cell.stored),
    ];
    for (i, (title, rate)) in kinds.into_iter().enumerate() {
        // Coders have no model, so one section shows all of them.
        let rows = || {
            matrix
                .rows
                .iter()
                .filter(move |row| i == 0 || row.parameters.is_some())
        };
        if rows().next().is_none() {
            continue;
        }
        let _ = writeln!(text, "\n{title}");
        text += &section(matrix, rows(), i, rate);
    }
    for set in matrix.curved() {
        let _ = writeln!(text, "\nfirst bytes of each chunk of {set}, raw rate, %");
        text += &curves(matrix, set);
    }
    if let Some((header, lines)) = crossing::table(matrix) {
        let _ = writeln!(text, "\n{CROSSING}");
        text += &grid(&header, lines, 2);
    }
    for (title, header, lines) in payback::tables(matrix) {
        let _ = writeln!(text, "\n{PAYBACK}: {title}");
        text += &grid(&header, lines, 3);
    }
    if matrix
        .rows
        .iter()
        .flat_map(|row| &row.cells)
        .flatten()
        .any(|c| !mark(c).is_empty())
    {
        let _ = writeln!(text, "\n{MARKS}");
    }
    for note in &matrix.notes {
        let _ = writeln!(text, "note: {note}");
    }
    visible_lines(&text).into_owned()
}

/// Heading of the crossings.
pub(super) const CROSSING: &str = "where in a chunk the bytes cost less under the model";

/// Heading of the break-even lengths.
pub(super) const PAYBACK: &str =
    "bytes of data from which on the model pays for itself (95% interval)";

/// A table of texts, of which the first columns are names.
fn grid(header: &[String], lines: Vec<Vec<String>>, names: usize) -> String {
    let left: Vec<usize> = (0..names).collect();
    let mut table = Table::new(header).left(&left);
    lines.into_iter().for_each(|line| table.push(line));
    table.to_string()
}

type Rate = fn(&Cell) -> Option<f64>;

fn section<'a>(
    matrix: &Matrix,
    rows: impl Iterator<Item = &'a Row>,
    kind: usize,
    rate: Rate,
) -> String {
    let mut header = vec!["coder".to_owned(), "chunk".into(), "parameters".into()];
    for column in &matrix.columns {
        header.push(format!("{} ({})", column.name, bytes(column.bytes as f64)));
        if column.paper.is_some() && kind < 2 {
            header.push("paper".into());
        }
    }
    let mut table = Table::new(&header).left(&[1]);
    for row in rows {
        let parameters = row.parameters.map_or_else(String::new, |n| count(n as f64));
        let mut line = vec![row.name.clone(), chunk_of(matrix, row), parameters];
        for (cell, column) in row.cells.iter().zip(&matrix.columns) {
            let shown = cell
                .as_ref()
                .and_then(|c| Some(percent(rate(c)?) + mark(c)));
            line.push(shown.unwrap_or_else(|| "-".into()));
            if column.paper.is_some() && kind < 2 {
                let figure = matrix.papers(row, column);
                let figure = figure.map(|f| if kind == 0 { f.raw } else { f.adjusted });
                line.push(figure.map_or_else(|| "-".into(), percent));
            }
        }
        table.push(line);
    }
    table.to_string()
}

/// The in-context curves of a set.
fn curves(matrix: &Matrix, set: &str) -> String {
    let mut header = vec!["coder".to_owned(), "headers".into()];
    header.extend(matrix.lengths.iter().map(usize::to_string));
    let mut table = Table::new(&header).left(&[1]);
    for curve in matrix.curves.iter().filter(|curve| curve.set == set) {
        let headers = match (curve.parameters, curve.headers_once) {
            (Some(_), _) => "none",
            (None, false) => "all",
            (None, true) => "once",
        };
        let mut line = vec![curve.name.clone(), headers.into()];
        line.extend(curve.rates.iter().map(|&rate| percent(rate)));
        table.push(line);
    }
    table.to_string()
}

/// One line per point of a curve.
pub(super) fn curves_csv(matrix: &Matrix) -> String {
    let header = [
        "coder",
        "headers_once",
        "parameters",
        "set",
        "length",
        "raw_rate",
    ];
    let rows = matrix.curves.iter().flat_map(|curve| {
        let points = matrix.lengths.iter().zip(&curve.rates);
        points.map(|(length, rate)| {
            [
                curve.name.clone(),
                curve.headers_once.to_string(),
                curve.parameters.map_or_else(String::new, |n| n.to_string()),
                curve.set.clone(),
                length.to_string(),
                format!("{rate:.6}"),
            ]
        })
    });
    brevity_draw::csv(&header, rows)
}

/// One line per cell.
pub(super) fn csv(matrix: &Matrix) -> String {
    let header = [
        "coder",
        "chunk",
        "headers_once",
        "parameters",
        "learned",
        "set",
        "set_bytes",
        "raw_rate",
        "adjusted_rate_fp16",
        "adjusted_rate_stored",
        "regime",
        "decoded",
        "paper_raw_rate",
        "paper_adjusted_rate",
    ];
    let rows = matrix.rows.iter().flat_map(|row| {
        let cells = row.cells.iter().zip(&matrix.columns);
        cells.filter_map(|(cell, column)| Some(fields(matrix, row, column, cell.as_ref()?)))
    });
    brevity_draw::csv(&header, rows)
}

fn fields(matrix: &Matrix, row: &Row, column: &Column, cell: &Cell) -> [String; 14] {
    let chunk = match (row.chunks, row.parameters) {
        (false, _) => "whole".into(),
        (true, Some(_)) => "context".into(),
        (true, None) => matrix.chunk.to_string(),
    };
    let figure = matrix.papers(row, column);
    [
        row.name.clone(),
        chunk,
        row.headers_once.to_string(),
        row.parameters.map_or_else(String::new, |n| n.to_string()),
        row.learned.clone().unwrap_or_default(),
        column.name.clone(),
        cell.bytes.to_string(),
        format!("{:.6}", cell.raw),
        format!("{:.6}", cell.adjusted),
        cell.stored
            .map_or_else(String::new, |rate| format!("{rate:.6}")),
        cell.regime.map_or("", Regime::name).to_owned(),
        cell.decoded.to_string(),
        figure.map_or_else(String::new, |f| format!("{:.3}", f.raw)),
        figure.map_or_else(String::new, |f| format!("{:.3}", f.adjusted)),
    ]
}
