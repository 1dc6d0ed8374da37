//! The table as an HTML page.

use maud::{Markup, html};

use super::text::{CROSSING, MARKS, PAYBACK, chunk_of, mark};
use super::{Cell, Column, Matrix, Row, crossing, curve_chart, paper, payback};
use brevity_draw::{document, figure, warning};
use brevity_length::format::{bytes, count};

pub(super) fn page(matrix: &Matrix) -> String {
    let body = html! {
        p class="over" { "brevity table" }
        h1 { (matrix.title) }
        p class="lead" {
            "Coded bytes in percent of the raw bytes. The raw rate does not count the bytes of \
             the model and is not a code by itself. The adjusted rate counts them, at two bytes \
             per parameter (fp16) or as an archive stores them. In each column, lower rates are \
             darker."
        }
        @for note in &matrix.notes { (warning(note)) }
        (section(matrix, "Raw rate", |c| Some(c.raw), Some(|f| f.raw)))
        @if matrix.rows.iter().any(|row| row.parameters.is_some()) {
            (section(
                matrix,
                "Adjusted rate: 2 bytes per parameter",
                |c| Some(c.adjusted),
                Some(|f| f.adjusted),
            ))
            (section(
                matrix,
                "Adjusted rate: the model as stored",
                |c| c.stored.or(Some(c.raw)),
                None,
            ))
        }
        (papers(matrix))
        (curves(matrix))
        @if let Some((header, lines)) = crossing::table(matrix) {
            (grid(CROSSING, "Headers of coders count once. The first stretch of a chunk ends \
                at the first of the lengths above.", &header, &lines))
        }
        @for (title, header, lines) in payback::tables(matrix) {
            (grid(&format!("{PAYBACK}: {title}"), "The bytes of the model, by what it saves \
                of each byte; the interval is that of the savings in the chunks.",
                &header, &lines))
        }
        (sets(&matrix.columns))
    };
    document(&matrix.title, include_str!("page.css"), &body)
}

fn section(
    matrix: &Matrix,
    title: &str,
    rate: impl Fn(&Cell) -> Option<f64>,
    papers: Option<fn(&paper::Figure) -> f64>,
) -> Markup {
    let rows = &matrix.rows;
    let lowest: Vec<f64> = (0..matrix.columns.len())
        .map(|i| {
            let rates = rows.iter().filter_map(|row| rate(row.cells[i].as_ref()?));
            rates.fold(f64::INFINITY, f64::min)
        })
        .collect();
    let papers = |row, column| Some(papers?(matrix.papers(row, column)?));
    html! {
        h2 { (title) }
        div class="card scroll" {
            table class="matrix" {
                tr {
                    th class="left" { "coder" }
                    th class="left" { "chunk" }
                    th { "parameters" }
                    @for column in &matrix.columns {
                        th { (column.name) br; small { (bytes(column.bytes as f64)) } }
                    }
                }
                @for row in rows {
                    tr {
                        td class="left" { (row.name) }
                        td class="left quiet" { (chunk_of(matrix, row)) }
                        td { @if let Some(n) = row.parameters { (count(n as f64)) } }
                        @for (i, column) in matrix.columns.iter().enumerate() {
                            @match row.cells[i].as_ref().and_then(|c| Some((c, rate(c)?))) {
                                Some((cell, value)) => {
                                    (shaded(cell, value, lowest[i], papers(row, column)))
                                }
                                None => td { "-" }
                            }
                        }
                    }
                }
            }
        }
        p class="lead" { (MARKS) }
    }
}

/// A cell, darker the nearer its rate is to the `lowest` of its column.
fn shaded(cell: &Cell, value: f64, lowest: f64, paper: Option<f64>) -> Markup {
    // The best rate has the full shade, three times that rate has none.
    let shade = (1.0 - (value / lowest).log2() / 3f64.log2()).clamp(0.0, 1.0);
    html! {
        td style={ "--s:" (format!("{:.0}", 100.0 * shade)) "%" }
            title=(cell.regime.map_or("", |regime| regime.name())) {
            (format!("{:.1}", 100.0 * value)) (mark(cell))
            @if let Some(rate) = paper {
                br; small { "paper " (format!("{:.1}", 100.0 * rate)) }
            }
        }
    }
}

/// The in-context curves, set by set.
fn curves(matrix: &Matrix) -> Markup {
    html! {
        @for (i, set) in matrix.curved().enumerate() {
            @if i == 0 {
                h2 { "In context" }
                p class="lead" {
                    "The raw rate of the first bytes of each chunk. Models have been trained \
                     before; coders start without knowledge in every chunk. Here headers are \
                     charged once, as in the paper; the rates with all headers are in "
                    code { "curves.csv" } "."
                }
            }
            (figure(|width| curve_chart::draw(matrix, set, width), &html! { (set) }))
        }
    }
}

/// A table of texts.
fn grid(title: &str, lead: &str, header: &[String], lines: &[Vec<String>]) -> Markup {
    html! {
        h2 { (capitalised(title)) }
        p class="lead" { (lead) }
        div class="card scroll" {
            table {
                tr { @for name in header { th class="left" { (name) } } }
                @for line in lines {
                    tr { @for text in line { td class="left" { (text) } } }
                }
            }
        }
    }
}

/// With its first letter as a capital.
fn capitalised(text: &str) -> String {
    let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

/// Rows of the paper that have no counterpart here.
fn papers(matrix: &Matrix) -> Markup {
    let columns: Vec<&str> = matrix
        .columns
        .iter()
        .filter_map(|c| c.paper.as_deref())
        .collect();
    let mine = |f: &paper::Figure| {
        let same = |row: &Row| row.paper.as_deref() == Some(&f.coder) && row.chunks == f.chunks;
        matrix.rows.iter().any(same)
    };
    let of_columns = |f: &&paper::Figure| columns.contains(&&*f.set) && !mine(f);
    let figures = paper::table1().iter().filter(of_columns);
    let mut names: Vec<(bool, &str)> = figures.map(|f| (f.chunks, &*f.coder)).collect();
    names.dedup();
    if names.is_empty() {
        return html! {};
    }
    html! {
        h2 { "Measured only in the paper" }
        div class="card scroll" {
            table {
                tr {
                    th class="left" { "coder" }
                    th class="left" { "chunk" }
                    @for name in &columns { th { (name) " raw" } th { "adjusted" } }
                }
                @for (chunks, coder) in names {
                    tr {
                        td class="left" { (coder) }
                        td class="left quiet" { @if chunks { "2048" } @else { "whole" } }
                        @for name in &columns {
                            @if let Some(f) = paper::find(chunks, coder, name) {
                                td { (format!("{:.1}", 100.0 * f.raw)) }
                                td { (format!("{:.1}", 100.0 * f.adjusted)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The byte sets with their hashes.
fn sets(columns: &[Column]) -> Markup {
    html! {
        h2 { "The bytes" }
        div class="card scroll" {
            table {
                tr {
                    th class="left" { "set" }
                    th class="left" { "source" }
                    th { "bytes" }
                    th class="left" { "BLAKE3" }
                }
                @for column in columns {
                    tr {
                        td class="left" { (column.name) }
                        td class="left" { (column.source) }
                        td { (column.bytes) }
                        td class="left" { (column.hash.chars().take(16).collect::<String>()) }
                    }
                }
            }
        }
    }
}
