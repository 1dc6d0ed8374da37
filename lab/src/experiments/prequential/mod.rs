//! Prequential codes of a ladder of models, optionally beside the two-part codes of the
//! same ladder.
//!
//! [`Prequential::of_folder`] reads the results of `brevity prequential`;
//! [`Prequential::write`] writes `prequential.html`, `prequential.json` and the
//! pictures into the folder: rate against parameters (`ladder.svg`), cumulative rate
//! against bytes coded (`curve.svg`). Several sets of bytes have charts of their own
//! (`ladder-1.svg`), and pictures of sets that are no longer there are removed.

pub mod config;
mod curve_chart;
mod ladder_chart;
mod page;
mod trials;

use crate::experiments::two_part::{ReportError, sweep_name};
use brevity_draw::{Table, is_chart, remove_stale, visible_lines};
use brevity_length::format::{bytes, count, percent};
use brevity_length::{CurvePoint, Regime, Row, byte_sets, source_name};
use serde::Serialize;
use std::path::{Path, PathBuf};

pub use config::{Mode, PrequentialConfig};
pub use trials::{PrequentialScorer, PrequentialTrainer};

/// The charts of a set of bytes, as their files are called.
const CHARTS: [&str; 2] = ["ladder", "curve"];

/// The prequential code of one model on one byte set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// The trial's id.
    pub id: String,
    /// Axis values other than data and seed, as text.
    pub settings: String,
    /// `online` or `blocks`.
    pub mode: String,
    /// Where the bytes come from; with what tells them from others of that source, where
    /// there are several.
    pub source: String,
    /// Number of bytes.
    pub data_bytes: f64,
    /// Number of parameters.
    pub parameters: f64,
    /// Seed of the learner.
    pub seed: u64,
    /// Prequential rate: coded bytes and recipe over raw bytes.
    pub rate: f64,
    /// Raw rate of the final model, trained on all bytes, on the same bytes; in-sample,
    /// and not a code by itself.
    pub final_rate: f64,
    /// Regret: prequential minus final code length of the data, over the raw bytes. The
    /// recipe, which `rate` includes, is in neither.
    pub regret_rate: f64,
    /// Cumulative code length.
    pub curve: Vec<CurvePoint>,
    /// Cumulative code length at each doubling of the bytes.
    pub doublings: Vec<CurvePoint>,
    /// Whether the length is that of an archive that was decoded again.
    pub verified: bool,
}

/// A two-part code of the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TwoPart {
    /// Where the bytes come from, as [`Run::source`].
    pub source: String,
    /// Number of bytes.
    pub data_bytes: f64,
    /// Number of parameters.
    pub parameters: f64,
    /// Seed of its training.
    pub seed: u64,
    /// Convention by which model bytes are counted.
    pub convention: String,
    /// Raw rate: coded bytes over raw bytes, without the model.
    pub raw: f64,
    /// The adjusted rate.
    pub rate: f64,
}

/// The results of a folder of prequential codes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Prequential {
    /// Name of the experiment.
    pub name: String,
    /// Prequential codes, in the order of the experiment.
    pub runs: Vec<Run>,
    /// Two-part codes of the same bytes, in-sample.
    pub two_part: Vec<TwoPart>,
    /// Notes on what could not be shown.
    pub notes: Vec<String>,
}

impl Prequential {
    /// Builds the results from rows; the rows `beside` come from a sweep over the same
    /// ladder. Of these, only in-sample scores of the same bytes are used, since the
    /// others do not describe these bytes.
    #[must_use]
    pub fn new(name: String, rows: &[Row], beside: &[Row]) -> Prequential {
        let scored = rows.iter().filter(|r| r.is_scored() && r.is_prequential());
        let scored: Vec<&Row> = scored.collect();
        let sources: Vec<String> = scored
            .iter()
            .zip(byte_sets(&scored))
            .map(|(row, set)| source_name(&row.data.source, &[&set]))
            .collect();
        let mut two_part = Vec::new();
        let mut other = 0;
        for row in beside.iter().filter(|r| r.is_scored()) {
            let same = |r: &&Row| r.scored_hash() == row.scored_hash();
            let same = scored.iter().position(same);
            let (Some(at), Some(Regime::InSample)) = (same, row.regime()) else {
                other += 1;
                continue;
            };
            for convention in row.conventions() {
                let (Some(raw), Some(rate)) = (row.raw(), row.adjusted(convention.as_str())) else {
                    continue;
                };
                two_part.push(TwoPart {
                    source: sources[at].clone(),
                    data_bytes: scored[at].scored_bytes() as f64,
                    parameters: row.parameters as f64,
                    seed: row.seed.unwrap_or(0),
                    convention: convention.into(),
                    raw,
                    rate,
                });
            }
        }
        let mut notes = Vec::new();
        if other > 0 && two_part.is_empty() {
            notes.push(
                "no two-part code is shown: the other sweep has no in-sample score of these bytes"
                    .to_owned(),
            );
        }
        Prequential {
            name,
            runs: scored
                .iter()
                .zip(&sources)
                .filter_map(|(row, source)| run(row, source))
                .collect(),
            two_part,
            notes,
        }
    }

    /// Reads a folder of prequential codes, and optionally that of a sweep beside it.
    ///
    /// # Errors
    /// Results that cannot be read.
    pub fn of_folder(folder: &Path, beside: Option<&Path>) -> Result<Prequential, ReportError> {
        let rows = brevity_length::read(folder)?;
        let beside = beside
            .map(brevity_length::read)
            .transpose()?
            .unwrap_or_default();
        Ok(Prequential::new(sweep_name(folder), &rows, &beside))
    }

    /// A terminal table: the length of each run, and its regret.
    #[must_use]
    pub fn text(&self) -> String {
        let mut table = Table::new(&[
            "data",
            "bytes",
            "mode",
            "parameters",
            "seed",
            "bits/byte",
            "rate %",
            "final model %",
            "regret %",
            "state",
        ])
        .left(&[2, 9]);
        for run in &self.runs {
            table.push(vec![
                run.source.clone(),
                bytes(run.data_bytes),
                run.mode.clone(),
                count(run.parameters),
                run.seed.to_string(),
                format!("{:.4}", 8.0 * (run.final_rate + run.regret_rate)),
                percent(run.rate),
                percent(run.final_rate),
                percent(run.regret_rate),
                run.state().to_owned(),
            ]);
        }
        let mut text = table.to_string();
        for note in &self.notes {
            text += &format!("note: {note}\n");
        }
        visible_lines(&text).into_owned()
    }

    /// The self-contained page.
    #[must_use]
    pub fn html(&self) -> String {
        page::page(self)
    }

    /// Name and content of each picture as a file of its own; none without runs.
    #[must_use]
    pub fn pictures(&self) -> Vec<(String, String)> {
        let mut pictures = Vec::new();
        let sets = self.by_bytes();
        for (i, set) in sets.iter().enumerate() {
            let number = match sets.len() {
                1 => String::new(),
                _ => format!("-{}", i + 1),
            };
            let charts = [
                ladder_chart::draw(set, 860.0),
                curve_chart::draw(set, 860.0),
            ];
            for (chart, drawn) in CHARTS.iter().zip(charts) {
                pictures.push((format!("{chart}{number}.svg"), drawn.file()));
            }
        }
        pictures
    }

    /// Writes the page, the pictures and `prequential.json` into `folder`, and removes
    /// pictures of the same charts that another number of sets had there; returns the path of
    /// the page.
    ///
    /// # Errors
    /// A file that cannot be written or removed.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, ReportError> {
        let (html, pictures) = (self.html(), self.pictures());
        let page = brevity_draw::write(folder, "prequential", self, &html, &pictures)?;
        remove_stale(folder, &pictures, |stem| {
            CHARTS.iter().any(|chart| is_chart(stem, chart))
        })?;
        Ok(page)
    }

    /// The results of each set of bytes by itself, in order of appearance: one chart each,
    /// since lines join codes of the same bytes.
    fn by_bytes(&self) -> Vec<Prequential> {
        let mut sets: Vec<Prequential> = Vec::new();
        for run in &self.runs {
            match sets.iter_mut().find(|set| set.runs[0].set() == run.set()) {
                Some(set) => set.runs.push(run.clone()),
                None => sets.push(Prequential {
                    runs: vec![run.clone()],
                    ..Prequential::default()
                }),
            }
        }
        for set in &mut sets {
            let of = &set.runs[0];
            let same = |code: &&TwoPart| code.set() == of.set();
            set.two_part = self.two_part.iter().filter(same).cloned().collect();
        }
        sets
    }

    /// Modes of the runs, in order of appearance.
    fn modes(&self) -> Vec<&str> {
        distinct(self.runs.iter().map(|run| &run.mode[..]))
    }

    /// Conventions of the two-part codes, in order of appearance.
    fn conventions(&self) -> Vec<&str> {
        distinct(self.two_part.iter().map(|code| &code.convention[..]))
    }
}

impl Run {
    /// Which bytes, and how many.
    fn data(&self) -> String {
        format!("{} of {}", bytes(self.data_bytes), self.source)
    }

    /// What tells its set of bytes from others.
    fn set(&self) -> (&str, f64) {
        (&self.source, self.data_bytes)
    }

    /// A word that says whether the lengths are decoded or estimates.
    fn state(&self) -> &'static str {
        match self.verified {
            true => "decoded",
            false => "estimate",
        }
    }
}

impl TwoPart {
    /// As [`Run::set`].
    fn set(&self) -> (&str, f64) {
        (&self.source, self.data_bytes)
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// The mean of each group of values that share a key, by increasing key.
fn means(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = points.collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
        .chunk_by(|a, b| a.0 == b.0)
        .map(|group| {
            let sum: f64 = group.iter().map(|(_, y)| y).sum();
            (group[0].0, sum / group.len() as f64)
        })
        .collect()
}

/// The run of a row on bytes that are named as `source`.
fn run(row: &Row, source: &str) -> Option<Run> {
    let learning = row.score.as_ref()?.learning.as_ref()?;
    let n = row.scored_bytes() as f64;
    Some(Run {
        id: row.id().to_owned(),
        settings: row.settings(),
        mode: learning.mode.clone(),
        source: source.to_owned(),
        data_bytes: n,
        parameters: row.parameters as f64,
        seed: row.seed.unwrap_or(0),
        rate: row.description()?.prequential_rate()?,
        final_rate: learning.final_bits / 8.0 / n,
        regret_rate: learning.regret_bits / 8.0 / n,
        curve: learning.curve.clone(),
        doublings: learning.doublings.clone(),
        verified: row.is_decoded(),
    })
}
