//! Reports on sweeps of two-part codes: text, tables, charts, one page.
//!
//! [`Report::of_sweep`] reads a sweep's folder: result rows, the classical baselines of
//! its data, the critical size of every series and the scaling law over data size.
//! [`Report::write`] writes `report.html` (self-contained: no external script, font or
//! picture), `report.json`, `points.csv` (for `critical --points`) and one SVG per
//! chart.
//!
//! Lengths are taken from the rows. Only the baselines are measured here, and kept in
//! `baselines.json`.

mod baselines;
mod beside;
mod html;
mod law_chart;
mod parts_chart;
mod rate_chart;
mod results_table;
mod scorer;
mod text;
mod trainer;

use std::path::{Path, PathBuf};

use serde::Serialize;

use brevity_draw::{file_name, is_chart, remove_stale, replace};
use brevity_length::{Convention, Row, byte_sets, source_name};
use brevity_stats::checks::Checks;
use brevity_stats::critical::{
    CriticalError, CriticalSize, Estimator, Point, critical_sizes,
    joint::{DataLaw, data_laws},
    points::{collect, from_rows, groups},
};
use brevity_task::chain;

pub use crate::report_error::ReportError;
pub(crate) use baselines::sweep_name;
pub use baselines::{DataBaselines, measure_baselines, read_baselines};
pub use scorer::ArchiveScorer;
pub use trainer::LocalTrainer;

/// The findings of a sweep.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Name of the sweep.
    pub name: String,
    /// Critical sizes, one for each source, data size, regime and convention.
    pub critical: Vec<CriticalSize>,
    /// Scaling laws over data size, if there is more than one data size.
    pub laws: Vec<DataLaw>,
    /// Checks of whether the ladder supports them.
    pub checks: Option<Checks>,
    /// Classical coders on the same bytes.
    pub baselines: Vec<DataBaselines>,
    /// Notes on what could not be estimated or measured.
    pub notes: Vec<String>,
    /// One row per trial and regime.
    pub rows: Vec<Row>,
    #[serde(skip)]
    points: Vec<Point>,
}

/// One chart of the report: a source, data size, regime and training setting, with all
/// conventions.
pub(crate) struct Panel<'a> {
    pub points: Vec<&'a Point>,
    pub critical: Vec<&'a CriticalSize>,
    pub baselines: Option<&'a DataBaselines>,
}

impl Report {
    /// Computes the findings from rows and baselines. Series with too few sizes for a
    /// fit are left out and named in the notes.
    #[must_use]
    pub fn new(
        name: String,
        rows: Vec<Row>,
        baselines: Vec<DataBaselines>,
        estimator: &Estimator,
    ) -> Self {
        let points = from_rows(&rows);
        let mut report = Self {
            name,
            rows,
            baselines,
            points,
            ..Self::default()
        };
        let groups = groups(&report.points);
        let mut too_small = Vec::new();
        for group in &groups {
            match critical_sizes(group, estimator) {
                Ok(found) => report.critical.extend(found),
                Err(CriticalError::TooFewSizes { group, .. }) => too_small.push(group),
                Err(error) => report.notes.push(chain(&error).to_string()),
            }
        }
        if let [first, others @ ..] = &too_small[..] {
            let others = match others.len() {
                0 => String::new(),
                count => format!(" and {count} more series"),
            };
            report.notes.push(format!(
                "no critical size where fewer than 3 model sizes are measured: {first}{others}"
            ));
        }
        for series in collect(&report.points, Point::same_series) {
            let first = series[0].data_bytes;
            if series.iter().all(|p| p.data_bytes == first) {
                continue;
            }
            match data_laws(&series, &[], estimator) {
                Ok(found) => report.laws.extend(found),
                Err(error) => report.notes.push(chain(&error).to_string()),
            }
        }
        if !report.critical.is_empty() {
            report.checks = Some(Checks::of(&report.rows, &report.critical));
        }
        report
    }

    /// Reads the results of a sweep's folder and the baselines kept there.
    ///
    /// # Errors
    ///
    /// If the results cannot be read.
    pub fn of_sweep(folder: &Path, estimator: &Estimator) -> Result<Self, ReportError> {
        let rows = brevity_length::read(folder)?;
        let name = sweep_name(folder);
        let (baselines, note) = match read_baselines(folder) {
            Err(error @ ReportError::Baselines { .. }) => {
                let note = format!(
                    "no classical coders: {}; delete it, and `brevity report` measures it again",
                    chain(&error)
                );
                (Vec::new(), Some(note))
            }
            known => (known?, None),
        };
        let mut report = Self::new(name, rows, baselines, estimator);
        report.notes.extend(note);
        Ok(report)
    }

    /// Table and critical sizes for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        text::terminal(self)
    }

    /// The self-contained page.
    #[must_use]
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// The measured points as CSV, in the format that `critical --points` reads.
    #[must_use]
    pub fn csv(&self) -> String {
        text::points_csv(&self.points)
    }

    /// Name and content of each picture as a file of its own.
    #[must_use]
    pub fn pictures(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        let panels = self.panels();
        for (i, panel) in panels.iter().enumerate() {
            let number = if panels.len() == 1 {
                String::new()
            } else {
                format!("-{}", i + 1)
            };
            files.push((
                format!("rate{number}.svg"),
                rate_chart::draw(panel, 860.0).file(),
            ));
            for (convention, picture) in parts_chart::draw(panel, 860.0) {
                let name = format!("parts{number}-{}.svg", file_name(&convention));
                files.push((name, picture.file()));
            }
        }
        if let Some(picture) = law_picture(&self.laws, &self.critical) {
            files.push((format!("{LAW}.svg"), picture));
        }
        files
    }

    /// Writes `report.html`, `report.json`, `points.csv` and the pictures into
    /// `folder`, and removes pictures of the same charts that other rows had there; returns the
    /// path of the page.
    ///
    /// # Errors
    ///
    /// A file that cannot be written or removed.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, ReportError> {
        replace(&folder.join("points.csv"), self.csv().as_bytes())?;
        let (html, pictures) = (self.html(), self.pictures());
        let had_laws = had_laws(folder);
        let page = brevity_draw::write(folder, "report", self, &html, &pictures)?;
        let is_ours = |stem: &str| is_picture(stem) || stem == LAW && had_laws;
        remove_stale(folder, &pictures, is_ours)?;
        Ok(page)
    }

    pub(crate) fn panels(&self) -> Vec<Panel<'_>> {
        let mut panels: Vec<Panel<'_>> = Vec::new();
        for point in &self.points {
            match panels.iter_mut().find(|p| same_panel(p.points[0], point)) {
                Some(panel) => panel.points.push(point),
                None => panels.push(Panel {
                    points: vec![point],
                    critical: Vec::new(),
                    baselines: self.baselines.iter().find(|b| b.hash == point.scored_hash),
                }),
            }
        }
        panels.sort_by(|x, y| {
            let (x, y) = (x.points[0], y.points[0]);
            (&x.source, &x.regime, &x.variant)
                .cmp(&(&y.source, &y.regime, &y.variant))
                .then(x.data_bytes.total_cmp(&y.data_bytes))
        });
        for panel in &mut panels {
            let of = panel.points[0];
            panel.critical = self
                .critical
                .iter()
                .filter(|c| {
                    c.source == of.source
                        && c.regime == of.regime
                        && c.variant == of.variant
                        && c.data_bytes == of.data_bytes
                })
                .collect();
        }
        panels
    }
}

/// What the picture of the laws is called.
const LAW: &str = "law";

/// Whether the report that lies in a folder has laws. Their picture has a name that
/// `critical --svg` may have used, too.
fn had_laws(folder: &Path) -> bool {
    let report = std::fs::read(folder.join("report.json")).unwrap_or_default();
    let report: Option<serde_json::Value> = serde_json::from_slice(&report).ok();
    let laws = report.as_ref().and_then(|report| report["laws"].as_array());
    laws.is_some_and(|laws| !laws.is_empty())
}

/// Whether a report of some rows may call a picture of rates or parts so.
fn is_picture(stem: &str) -> bool {
    is_chart(stem, "rate") || stem.strip_prefix("parts").is_some_and(is_parts)
}

/// Whether this is a convention that sweeps score, behind the number of a chart or none.
fn is_parts(name: &str) -> bool {
    let named = |name: &str| {
        let alone = name.strip_prefix("mixed-").unwrap_or(name);
        let bits = alone.strip_suffix("-bit");
        let is_number = |bits: &str| bits.bytes().all(|c| c.is_ascii_digit() || c == b'.');
        [Convention::FP16, Convention::STORED].contains(&alone)
            || bits.is_some_and(|bits| !bits.is_empty() && is_number(bits))
    };
    let mut dashes = name.match_indices('-').map(|(at, _)| at);
    dashes.any(|at| is_chart(&name[..at], "") && named(&name[at + 1..]))
}

/// The chart of N* against data size as an SVG file; nothing if no law has two data sizes.
#[must_use]
pub fn law_picture(laws: &[DataLaw], critical: &[CriticalSize]) -> Option<String> {
    law_chart::draw(laws, critical, 860.0).map(|picture| picture.file())
}

/// How tables name the bytes of a row.
struct Name {
    /// Source of the training bytes, with what tells them from others of it.
    source: String,
    /// The same with their number.
    data: String,
    /// The regime, with what tells one set of held-out bytes from others.
    regime: String,
}

/// Of each row. Rows that describe different bytes have different names.
fn names(rows: &[Row]) -> Vec<Name> {
    let rows: Vec<&Row> = rows.iter().collect();
    let named = rows.iter().zip(byte_sets(&rows)).map(|(row, set)| {
        let source = source_name(&row.data.source, &[&set]);
        let size = brevity_length::format::bytes(row.data.bytes as f64);
        Name {
            data: format!("{size} of {source}"),
            source,
            regime: source_name(row.regime_name(), &[&row.test_set()]),
        }
    });
    named.collect()
}

/// Source of the bytes that coders were measured on: as the rows name it, where coders were
/// measured on others of the same source and length.
fn coded_source(report: &Report, names: &[Name], of: &DataBaselines) -> String {
    let alike = |other: &&DataBaselines| other.source == of.source && other.bytes == of.bytes;
    let rows = || report.rows.iter().zip(names);
    let trained = rows().find(|(row, _)| row.data.hash == of.hash);
    let scored = || rows().find(|(row, _)| row.scored_hash() == of.hash);
    match (report.baselines.iter().filter(alike).count(), trained) {
        (..2, _) => of.source.clone(),
        (_, Some((_, name))) => name.source.clone(),
        (_, None) => scored().map_or(of.source.clone(), |(_, name)| {
            format!("{}, {}", name.source, name.regime)
        }),
    }
}

impl Panel<'_> {
    /// Conventions of the points, in order of appearance.
    pub(crate) fn conventions(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for point in &self.points {
            if !names.contains(&point.convention.as_str()) {
                names.push(&point.convention);
            }
        }
        names
    }

    pub(crate) fn name(&self) -> String {
        let p = self.points[0];
        let size = brevity_length::format::bytes(p.data_bytes);
        let mut name = if p.source.is_empty() {
            size
        } else {
            format!("{size} of {}", p.source)
        };
        for more in [&p.regime, &p.variant] {
            if !more.is_empty() {
                name += &format!(", {more}");
            }
        }
        name
    }
}

fn same_panel(x: &Point, y: &Point) -> bool {
    x.source == y.source
        && x.regime == y.regime
        && x.variant == y.variant
        && x.data_bytes == y.data_bytes
}

#[cfg(test)]
mod tests {
    use super::is_picture;

    #[test]
    fn only_names_that_pictures_get_are_those_of_pictures() {
        for stem in [
            "rate",
            "rate-2",
            "parts-fp16",
            "parts-mixed-stored",
            "parts-12-stored",
            "parts-1-mixed-2.5-bit",
        ] {
            assert!(is_picture(stem), "{stem}");
        }
        for stem in [
            "rate-01",
            "parts",
            "parts-",
            "parts-mine",
            "parts--bit",
            "parts-my-own-bit",
            "parts-01-fp16",
            "parts-+1-fp16",
            "law",
        ] {
            assert!(!is_picture(stem), "{stem}");
        }
    }
}
