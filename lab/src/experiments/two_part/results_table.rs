//! The page's tables: every model, every classical coder.

use std::fmt::Write;

use super::Report;
use brevity_draw::escape;
use brevity_length::format::{bytes, percent};
use brevity_length::{Convention, Row};

/// Appends both tables.
pub(super) fn write(out: &mut String, report: &Report) {
    let columns = Columns::of(report);
    out.push_str("<h2>Every model</h2>\n<div class=\"card scroll\"><table>\n");
    out.push_str(&columns.head());
    for row in &report.rows {
        out.push_str(&columns.row(row));
    }
    out.push_str("</tbody></table></div>\n");
    baselines(out, report);
}

/// Which columns there are: what is the same in all rows is left out.
struct Columns {
    data: bool,
    regime: bool,
    conventions: Vec<Convention>,
}

impl Columns {
    fn of(report: &Report) -> Self {
        let scored = || report.rows.iter().filter(|r| r.is_scored());
        let differ = |of: &dyn Fn(&Row) -> String| {
            let mut all = scored().map(of);
            let first = all.next();
            all.any(|other| Some(other) != first)
        };
        let mut conventions: Vec<Convention> = Vec::new();
        for name in scored().flat_map(Row::conventions) {
            if !conventions.contains(&name) {
                conventions.push(name);
            }
        }
        Self {
            data: differ(&|r| format!("{} {}", r.data.bytes, r.data.source)),
            regime: differ(&|r| r.regime_name().to_owned()),
            conventions,
        }
    }

    fn head(&self) -> String {
        let mut cells = String::new();
        for (shown, name) in [
            (self.data, "data"),
            (self.regime, "regime"),
            (true, "settings"),
        ] {
            if shown {
                let _ = write!(cells, "<th class=\"left\">{name}</th>");
            }
        }
        cells += "<th>parameters</th><th>seed</th><th>bits/byte</th><th>raw %</th>";
        for name in &self.conventions {
            let name = escape(name);
            let _ = write!(cells, "<th>{name} bytes</th><th>{name} adjusted %</th>");
        }
        format!("<thead><tr>{cells}<th class=\"left\">state</th></tr></thead>\n<tbody>\n")
    }

    fn row(&self, row: &Row) -> String {
        let mut cells = String::new();
        if self.data {
            let size = bytes(row.data.bytes as f64);
            left(&mut cells, &format!("{size} of {}", row.data.source));
        }
        if self.regime {
            left(&mut cells, row.regime_name());
        }
        left(&mut cells, &row.settings());
        right(&mut cells, Some(row.parameters.to_string()));
        right(&mut cells, row.seed.map(|seed| seed.to_string()));
        right(&mut cells, row.raw().map(|r| format!("{:.4}", 8.0 * r)));
        right(&mut cells, row.raw().map(percent));
        for name in &self.conventions {
            let scored = row.raw();
            right(&mut cells, scored.and(row.model(name.as_str())).map(bytes));
            right(
                &mut cells,
                scored.and(row.adjusted(name.as_str())).map(percent),
            );
        }
        left(&mut cells, &row.state_in_words());
        format!("<tr>{cells}</tr>\n")
    }
}

fn left(cells: &mut String, text: &str) {
    let _ = write!(cells, "<td class=\"left\">{}</td>", escape(text));
}

fn right(cells: &mut String, text: Option<String>) {
    let _ = write!(cells, "<td>{}</td>", escape(text.unwrap_or_default()));
}

fn baselines(out: &mut String, report: &Report) {
    for b in &report.baselines {
        let _ = writeln!(
            out,
            "<h3>Classical coders, {} of {}</h3>\n<div class=\"card scroll fit\"><table>\n\
             <thead><tr><th class=\"left\">coder</th><th>bytes</th><th>rate %</th></tr></thead>\n<tbody>",
            bytes(b.bytes as f64),
            escape(&b.source)
        );
        let best = b.results.iter().map(|r| r.bytes).min();
        for r in &b.results {
            let class = if Some(r.bytes) == best {
                " class=\"best\""
            } else {
                ""
            };
            let mut cells = String::new();
            left(&mut cells, &r.coder);
            right(&mut cells, Some(r.bytes.to_string()));
            right(&mut cells, Some(percent(r.rate)));
            let _ = writeln!(out, "<tr{class}>{cells}</tr>");
        }
        out.push_str("</tbody></table></div>\n");
    }
}
