//! The table as a page of its own.

use std::fmt::Write;

use super::text::{MARKS, chunk_of, mark};
use super::{Cell, Matrix, Row, curve_chart, paper};
use brevity_draw::escape;
use brevity_draw::{document, figure, put};
use brevity_length::format::{bytes, count};

pub(super) fn page(matrix: &Matrix) -> String {
    let mut body = String::new();
    put!(body, "<p class=\"over\">brevity table</p>");
    put!(body, "<h1>{}</h1>", escape(&matrix.title));
    put!(
        body,
        "<p class=\"lead\">Coded bytes in percent of the raw ones. The raw rate leaves the model's \
         own bytes out, and is no code by itself; the adjusted rate counts them, at two bytes a \
         parameter (fp16) or as an archive stores them. Shorter is darker, column by column.</p>"
    );
    for note in &matrix.notes {
        put!(body, "<p class=\"warning\">{}</p>", escape(note));
    }
    section(
        &mut body,
        matrix,
        "Raw rate",
        |c| Some(c.raw),
        Some(|f| f.raw),
    );
    if matrix.rows.iter().any(|row| row.parameters.is_some()) {
        let titles = [
            "Adjusted rate: 2 bytes a parameter",
            "Adjusted rate: the model as stored",
        ];
        section(
            &mut body,
            matrix,
            titles[0],
            |c| Some(c.adjusted),
            Some(|f| f.adjusted),
        );
        section(
            &mut body,
            matrix,
            titles[1],
            |c| c.stored.or(Some(c.raw)),
            None,
        );
    }
    papers(&mut body, matrix);
    curves(&mut body, matrix);
    put!(
        body,
        "<h2>The bytes</h2>\n<div class=\"card scroll\"><table>"
    );
    put!(
        body,
        "<tr><th class=\"left\">set</th><th class=\"left\">source</th><th>bytes</th><th class=\"left\">BLAKE3</th></tr>"
    );
    for column in &matrix.columns {
        put!(
            body,
            "<tr><td class=\"left\">{}</td><td class=\"left\">{}</td><td>{}</td><td class=\"left\">{}</td></tr>",
            escape(&column.name),
            escape(&column.source),
            column.bytes,
            &column.hash[..column.hash.len().min(16)]
        );
    }
    put!(body, "</table></div>");
    document(&matrix.title, include_str!("page.css"), &body)
}

fn section(
    out: &mut String,
    matrix: &Matrix,
    title: &str,
    rate: impl Fn(&Cell) -> Option<f64>,
    papers: Option<fn(&paper::Figure) -> f64>,
) {
    put!(
        out,
        "<h2>{title}</h2>\n<div class=\"card scroll\"><table class=\"matrix\">"
    );
    put!(
        out,
        "<tr><th class=\"left\">coder</th><th class=\"left\">chunk</th><th>parameters</th>"
    );
    for column in &matrix.columns {
        put!(
            out,
            "<th>{}<br><small>{}</small></th>",
            escape(&column.name),
            bytes(column.bytes as f64)
        );
    }
    put!(out, "</tr>");
    let rows = &matrix.rows;
    let lowest: Vec<f64> = (0..matrix.columns.len())
        .map(|i| {
            let rates = rows.iter().filter_map(|row| rate(row.cells[i].as_ref()?));
            rates.fold(f64::INFINITY, f64::min)
        })
        .collect();
    for row in rows {
        let chunk = chunk_of(matrix, row);
        put!(
            out,
            "<tr><td class=\"left\">{}</td><td class=\"left quiet\">{chunk}</td><td>{}</td>",
            escape(&row.name),
            row.parameters.map_or_else(String::new, |n| count(n as f64))
        );
        for ((cell, column), lowest) in row.cells.iter().zip(&matrix.columns).zip(&lowest) {
            let Some((cell, value)) = cell.as_ref().and_then(|c| Some((c, rate(c)?))) else {
                put!(out, "<td>-</td>");
                continue;
            };
            // The best is full, what takes three times as much has no shade.
            let shade = (1.0 - (value / lowest).log2() / 3f64.log2()).clamp(0.0, 1.0);
            let figure = papers.and_then(|pick| Some(pick(matrix.papers(row, column)?)));
            let figure = figure.map_or_else(String::new, |f| {
                format!("<br><small>paper {:.1}</small>", 100.0 * f)
            });
            put!(
                out,
                "<td style=\"--s:{:.0}%\" title=\"{}\">{:.1}{}{figure}</td>",
                100.0 * shade,
                cell.regime.map_or("", |regime| regime.name()),
                100.0 * value,
                mark(cell)
            );
        }
        put!(out, "</tr>");
    }
    put!(out, "</table></div>\n<p class=\"lead\">{MARKS}</p>");
}

/// What context is worth, set by set.
fn curves(out: &mut String, matrix: &Matrix) {
    for (i, set) in matrix.curved().enumerate() {
        if i == 0 {
            put!(
                out,
                "<h2>In context</h2>\n<p class=\"lead\">The raw rate of the first bytes of each \
                 chunk. Models are trained and bring what they know; coders start from nothing in \
                 every chunk. Headers are charged once here, as in the paper; with all of them \
                 counted, see <code>curves.csv</code>.</p>"
            );
        }
        let caption = escape(set);
        figure(out, |width| curve_chart::draw(matrix, set, width), &caption);
    }
}

/// The rows of the paper that nothing here stands for.
fn papers(out: &mut String, matrix: &Matrix) {
    let columns: Vec<&str> = matrix
        .columns
        .iter()
        .filter_map(|c| c.paper.as_deref())
        .collect();
    if columns.is_empty() {
        return;
    }
    let mine = |f: &paper::Figure| {
        let same = |row: &Row| row.paper.as_deref() == Some(&f.coder) && row.chunks == f.chunks;
        matrix.rows.iter().any(same)
    };
    let figures = || {
        let of_columns = |f: &&paper::Figure| columns.contains(&&*f.set) && !mine(f);
        paper::table1().iter().filter(of_columns)
    };
    let mut names: Vec<(bool, &str)> = figures().map(|f| (f.chunks, &*f.coder)).collect();
    names.dedup();
    if names.is_empty() {
        return;
    }
    put!(
        out,
        "<h2>What only the paper measured</h2>\n<div class=\"card scroll\"><table>"
    );
    put!(
        out,
        "<tr><th class=\"left\">coder</th><th class=\"left\">chunk</th>"
    );
    for name in &columns {
        put!(out, "<th>{} raw</th><th>adjusted</th>", escape(*name));
    }
    put!(out, "</tr>");
    for (chunks, coder) in names {
        let chunk = if chunks { "2048" } else { "whole" };
        put!(
            out,
            "<tr><td class=\"left\">{coder}</td><td class=\"left quiet\">{chunk}</td>"
        );
        for name in &columns {
            if let Some(f) = paper::find(chunks, coder, name) {
                put!(
                    out,
                    "<td>{:.1}</td><td>{:.1}</td>",
                    100.0 * f.raw,
                    100.0 * f.adjusted
                );
            }
        }
        put!(out, "</tr>");
    }
    put!(out, "</table></div>");
}
