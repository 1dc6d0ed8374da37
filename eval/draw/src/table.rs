//! Tables for terminals (aligned columns, no lines) and for pages.

use std::fmt;

use maud::{Markup, html};
use unicode_width::UnicodeWidthStr;

use crate::visible;

/// A header and rows of cells. The first column is aligned left, the others
/// right, unless [`left`](Table::left) says otherwise.
///
/// `Display` writes it for a terminal, with Unicode character widths and with control
/// characters escaped; [`html`](Table::html) writes it for a page.
///
/// ```
/// use brevity_draw::Table;
///
/// let mut table = Table::new(&["coder", "bytes"]);
/// table.push(vec!["xz -9e".into(), "1234".into()]);
/// assert_eq!(table.to_string(), "coder   bytes\nxz -9e   1234\n");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    left: Vec<usize>,
    best: Vec<usize>,
}

impl Table {
    /// A table with these column names and no rows.
    #[must_use]
    pub fn new<Name: AsRef<str>>(header: &[Name]) -> Self {
        Self {
            header: header.iter().map(|name| name.as_ref().to_owned()).collect(),
            rows: Vec::new(),
            left: vec![0],
            best: Vec::new(),
        }
    }

    /// Aligns these columns, counted from 0, to the left.
    #[must_use]
    pub fn left(mut self, columns: &[usize]) -> Self {
        self.left.extend(columns);
        self
    }

    /// Appends a row; missing cells are empty.
    pub fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Like [`push`](Self::push), for the best row: bold in a page.
    pub fn push_best(&mut self, row: Vec<String>) {
        self.best.push(self.rows.len());
        self.rows.push(row);
    }

    /// The table as a `<table>` element.
    #[must_use]
    pub fn html(&self) -> Markup {
        let class = |column: usize| self.left.contains(&column).then_some("left");
        let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
        html! {
            table {
                thead {
                    tr {
                        @for (column, name) in self.header.iter().enumerate() {
                            th class=[class(column)] { (name) }
                        }
                    }
                }
                tbody {
                    @for (at, row) in self.rows.iter().enumerate() {
                        tr class=[self.best.contains(&at).then_some("best")] {
                            @for column in 0..self.header.len() {
                                td class=[class(column)] { (cell(row, column)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let shown = |row: &'_ [String], column: usize| {
            let cell = row.get(column).map_or("", String::as_str);
            visible(cell).into_owned()
        };
        let width = |column| lines().map(|row| shown(row, column).width()).max();
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| width(column).unwrap_or(0))
            .collect();
        for row in lines() {
            let mut line = String::new();
            for (column, &width) in widths.iter().enumerate() {
                let cell = shown(row, column);
                let space = " ".repeat(width - cell.width());
                if column > 0 {
                    line.push_str("  ");
                }
                let parts = match self.left.contains(&column) {
                    true => [cell, space],
                    false => [space, cell],
                };
                line.extend(parts);
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Table {
        let mut table = Table::new(&["coder", "bytes", "note"]).left(&[2]);
        table.push(vec!["xz -9e".into(), "1234".into(), "best".into()]);
        table.push(vec!["gzip".into(), "5".into()]);
        table
    }

    #[test]
    fn columns_are_aligned() {
        let expected = "coder   bytes  note\nxz -9e   1234  best\ngzip        5\n";
        assert_eq!(small().to_string(), expected);
    }

    #[test]
    fn characters_take_the_columns_that_they_have() {
        let mut table = Table::new(&["source", "n"]);
        for name in ["日本語", "cafe\u{301}", "Ünïcode"] {
            table.push(vec![name.into(), "1".into()]);
        }
        let expected = "source   n\n日本語   1\ncafe\u{301}     1\nÜnïcode  1\n";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn control_characters_are_written_out_and_aligned() {
        let mut table = Table::new(&["a", "b"]);
        table.push(vec!["\u{1b}[2J".into(), "x\ny".into()]);
        table.push(vec!["\u{202e}".into(), "1".into()]);
        let expected = "a             b\n\\u{1b}[2J  x\\ny\n\\u{202e}      1\n";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn a_page_has_the_same_cells_escaped() {
        let mut table = small();
        table.push_best(vec!["<b>".into(), "&".into(), "\"".into()]);
        assert_eq!(
            table.html().into_string(),
            "<table><thead><tr><th class=\"left\">coder</th><th>bytes</th>\
             <th class=\"left\">note</th></tr></thead><tbody>\
             <tr><td class=\"left\">xz -9e</td><td>1234</td><td class=\"left\">best</td></tr>\
             <tr><td class=\"left\">gzip</td><td>5</td><td class=\"left\"></td></tr>\
             <tr class=\"best\"><td class=\"left\">&lt;b&gt;</td><td>&amp;</td>\
             <td class=\"left\">&quot;</td></tr></tbody></table>"
        );
    }
}
