//! The page's tables of models and of classical coders.

use maud::{Markup, html};

use super::{DataBaselines, Name, Report, coded_source, names};
use brevity_draw::Table;
use brevity_length::format::{bytes, percent};
use brevity_length::{Convention, Row};

/// Both tables.
pub(super) fn tables(report: &Report) -> Markup {
    let columns = Columns::of(report);
    let mut models = columns.table();
    for (row, name) in report.rows.iter().zip(&columns.names) {
        models.push(columns.cells(row, name));
    }
    html! {
        h2 { "Every model" }
        div class="card scroll" { (models.html()) }
        @for b in &report.baselines {
            h3 {
                "Classical coders and context models, " (bytes(b.bytes as f64)) " of "
                (coded_source(report, &columns.names, b))
            }
            div class="card scroll fit" { (coders(b).html()) }
        }
    }
}

/// The columns to show. Columns with equal values in all rows are left out.
struct Columns {
    data: bool,
    regime: bool,
    conventions: Vec<Convention>,
    /// Of each row.
    names: Vec<Name>,
}

impl Columns {
    fn of(report: &Report) -> Self {
        let scored = || report.rows.iter().filter(|r| r.is_scored());
        let names = names(&report.rows);
        let differ = |of: &dyn Fn(&Name) -> &str| {
            let all = report.rows.iter().zip(&names);
            let mut all = all
                .filter(|(row, _)| row.is_scored())
                .map(|(_, name)| of(name));
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
            data: differ(&|name| &name.data),
            regime: differ(&|name| &name.regime),
            conventions,
            names,
        }
    }

    fn table(&self) -> Table {
        let mut header: Vec<String> = Vec::new();
        header.extend(self.data.then(|| "data".into()));
        header.extend(self.regime.then(|| "regime".into()));
        header.push("settings".into());
        let mut left: Vec<usize> = (0..header.len()).collect();
        header.extend(["parameters", "seed", "bits/byte", "raw %"].map(String::from));
        for name in &self.conventions {
            header.extend([format!("{name} bytes"), format!("{name} adjusted %")]);
        }
        left.push(header.len());
        header.push("state".into());
        Table::new(&header).left(&left)
    }

    fn cells(&self, row: &Row, name: &Name) -> Vec<String> {
        let mut cells = Vec::new();
        if self.data {
            cells.push(name.data.clone());
        }
        if self.regime {
            cells.push(name.regime.clone());
        }
        let raw = row.raw();
        let shown = |value: Option<String>| value.unwrap_or_default();
        cells.extend([
            row.settings(),
            row.parameters.to_string(),
            shown(row.seed.map(|seed| seed.to_string())),
            shown(raw.map(|r| format!("{:.4}", 8.0 * r))),
            shown(raw.map(percent)),
        ]);
        for name in &self.conventions {
            let name = name.as_str();
            cells.push(shown(raw.and(row.model(name)).map(bytes)));
            cells.push(shown(raw.and(row.adjusted(name)).map(percent)));
        }
        cells.push(row.state_in_words());
        cells
    }
}

fn coders(set: &DataBaselines) -> Table {
    let mut table = Table::new(&["coder", "bytes", "rate %"]);
    let best = set.all().map(|r| r.bytes).min();
    for r in set.all() {
        let row = vec![r.coder.clone(), r.bytes.to_string(), percent(r.rate)];
        match Some(r.bytes) == best {
            true => table.push_best(row),
            false => table.push(row),
        }
    }
    table
}
