//! Tables for terminals: aligned columns, no lines.

/// A header and rows of cells. The first column is aligned left, the others
/// right, unless [`left`](Table::left) says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    left: Vec<usize>,
}

impl Table {
    /// A table with these column names and no rows.
    #[must_use]
    pub fn new(header: &[&str]) -> Self {
        Self {
            header: header.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
            left: vec![0],
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
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let width = |column: usize| {
            lines()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        for row in lines() {
            let mut line = String::new();
            for (column, &width) in widths.iter().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                let space = " ".repeat(width - cell.chars().count());
                if column > 0 {
                    line.push_str("  ");
                }
                if self.left.contains(&column) {
                    line.push_str(cell);
                    line.push_str(&space);
                } else {
                    line.push_str(&space);
                    line.push_str(cell);
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["coder", "bytes", "note"]).left(&[2]);
        table.push(vec!["xz -9e".into(), "1234".into(), "best".into()]);
        table.push(vec!["gzip".into(), "5".into()]);
        let expected = "coder   bytes  note\nxz -9e   1234  best\ngzip        5\n";
        assert_eq!(table.to_string(), expected);
    }
}
