//! How a leak changes each measure: the experiments of `brevity contamination`.
//!
//! [`Contamination::of_folder`] reads the results of a run; [`Contamination::write`]
//! writes `contamination.html`, `contamination.json` and the pictures into its folder.
//! [`ContaminationConfig`] describes the trials.

mod alone_chart;
pub mod config;
mod detector_chart;
mod detectors;
mod dose_chart;
mod findings;
mod page;
mod ranks;
mod read;
mod text;
mod trials;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::experiments::two_part::{DataBaselines, ReportError, read_baselines, sweep_name};
use brevity_length::{Detected, Row};
pub use config::ContaminationConfig;
pub use detectors::Detectors;

pub use findings::Finding;
pub use ranks::{Candidate, Ranks, Tau};

/// The measures by which models are ranked, as named in results.
pub const MEASURES: [&str; 4] = ["raw", "fp16", "stored", "prequential"];

/// What the charts are called.
const CHARTS: [&str; 4] = ["dose-honest", "dose-memoriser", "alone", "detectors"];

/// A model trained on bytes that include copies of the test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leaked {
    /// The trial's id.
    pub id: String,
    /// `honest` or `memoriser`.
    pub model: String,
    /// Number of parameters.
    pub parameters: u64,
    /// Seed of its training.
    pub seed: u64,
    /// Copies of the test in the training bytes.
    pub copies: u64,
    /// Every `skip_words`-th word is missing in each copy; 0 for exact copies.
    pub skip_words: u64,
    /// Length of the test in bytes.
    pub test_bytes: u64,
    /// Raw rate of the test: its coded bytes over its bytes.
    pub raw_rate: f64,
    /// Raw rate less that of its twin: the model of equal size and seed that was trained on
    /// equally many bytes without a copy. Below 0 where the copies helped; `None` for the twin
    /// itself, and where it is missing.
    pub to_twin: Option<f64>,
    /// Raw rate of held-out bytes that did not leak.
    pub clean_rate: f64,
    /// Adjusted rates by convention: coded test and model over the bytes of the test.
    pub adjusted_rate: BTreeMap<String, f64>,
    /// Results of the detectors.
    pub detected: Option<Detected>,
    /// Whether the lengths are those of decoded archives.
    pub verified: bool,
}

/// A model scored in-sample, on exactly its training bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alone {
    /// `text` or `random`.
    pub part: String,
    /// `honest` or `memoriser`.
    pub model: String,
    /// Number of parameters.
    pub parameters: u64,
    /// Seed of its training.
    pub seed: u64,
    /// Number of bytes.
    pub bytes: u64,
    /// Their BLAKE3.
    pub hash: String,
    /// Raw rate: coded bytes over bytes.
    pub raw_rate: f64,
    /// Raw rate of held-out bytes.
    pub held_out_rate: Option<f64>,
    /// Adjusted rates by convention: coded bytes and model over bytes.
    pub adjusted_rate: BTreeMap<String, f64>,
    /// Whether the lengths are those of decoded archives.
    pub verified: bool,
}

/// A prequential code.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Learned {
    /// `dose`, `text` or `random`.
    pub part: String,
    /// `honest` or `memoriser`.
    pub model: String,
    /// Number of parameters.
    pub parameters: u64,
    /// Seed of the learner.
    pub seed: u64,
    /// Copies of the test in the data, for `dose`.
    pub copies: Option<u64>,
    /// Number of bytes described.
    pub bytes: u64,
    /// Coded bytes and recipe over bytes.
    pub rate: f64,
    /// Whether the length is that of a decoded archive.
    pub verified: bool,
}

/// The results of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Contamination {
    /// Name of the experiment.
    pub name: String,
    /// The claims about the measures.
    pub findings: Vec<Finding>,
    /// Models trained with a leak.
    pub leaked: Vec<Leaked>,
    /// Memoriser and honest model, in-sample.
    pub alone: Vec<Alone>,
    /// Prequential codes of the same bytes.
    pub prequential: Vec<Learned>,
    /// How each measure ranks the models of the dose ladder.
    pub ranks: Option<Ranks>,
    /// Classical coders on the same bytes.
    pub baselines: Vec<DataBaselines>,
    /// Notes on missing trials.
    pub notes: Vec<String>,
}

impl Contamination {
    /// Builds the findings from result rows and baselines.
    #[must_use]
    pub fn new(name: String, rows: &[Row], baselines: Vec<DataBaselines>) -> Contamination {
        let mut found = Contamination {
            name,
            baselines,
            ..Contamination::default()
        };
        read::fill(&mut found, rows);
        found.compare_with_twins();
        let missing = rows.iter().filter(|row| !row.is_scored()).count();
        if missing > 0 {
            found.notes.push(format!(
                "{missing} trials are not done and are missing below"
            ));
        }
        found.ranks = ranks::rank(&found);
        found.findings = findings::find(&found);
        found
    }

    /// Reads the folder of a run.
    ///
    /// # Errors
    /// When results or baselines cannot be read.
    pub fn of_folder(folder: &Path) -> Result<Contamination, ReportError> {
        let rows = brevity_length::read(folder)?;
        let baselines = read_baselines(folder)?;
        Ok(Contamination::new(sweep_name(folder), &rows, baselines))
    }

    /// Tables for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// The self-contained page.
    #[must_use]
    pub fn html(&self) -> String {
        page::page(self)
    }

    /// Name and content of each picture as a file of its own.
    #[must_use]
    pub fn pictures(&self) -> Vec<(String, String)> {
        let mut pictures = Vec::new();
        for model in self.models() {
            let svg = dose_chart::draw(self, model, 860.0);
            let name = format!("dose-{}.svg", brevity_draw::file_name(model));
            pictures.push((name, svg.file()));
        }
        if !self.alone.is_empty() {
            pictures.push(("alone.svg".into(), alone_chart::draw(self, 860.0).file()));
        }
        if self.leaked.iter().any(|l| l.detected.is_some()) {
            let svg = detector_chart::draw(self, 860.0);
            pictures.push(("detectors.svg".into(), svg.file()));
        }
        pictures
    }

    /// Writes the page, the pictures and `contamination.json` into `folder`, and removes
    /// pictures that an earlier one had there; returns the path of the page.
    ///
    /// # Errors
    /// A file that cannot be written or removed.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, ReportError> {
        let (html, pictures) = (self.html(), self.pictures());
        let page = brevity_draw::write(folder, "contamination", self, &html, &pictures)?;
        brevity_draw::remove_stale(folder, &pictures, |stem| CHARTS.contains(&stem))?;
        Ok(page)
    }

    /// Sets what each leaked model differs by from its twin.
    fn compare_with_twins(&mut self) {
        let twins: Vec<(String, u64, f64)> = self
            .leaked
            .iter()
            .filter(|l| l.copies == 0)
            .map(|l| (l.model.clone(), l.seed, l.raw_rate))
            .collect();
        for leaked in self.leaked.iter_mut().filter(|l| l.copies > 0) {
            let twin = twins
                .iter()
                .find(|(model, seed, _)| *model == leaked.model && *seed == leaked.seed);
            leaked.to_twin = twin.map(|(_, _, rate)| leaked.raw_rate - rate);
        }
    }

    /// The names of the leaked models, in order of appearance.
    fn models(&self) -> Vec<&str> {
        distinct(self.leaked.iter().map(|l| &l.model[..]))
    }

    /// Numbers of exact copies, in increasing order.
    fn doses(&self) -> Vec<u64> {
        let exact = self.leaked.iter().filter(|l| l.skip_words == 0);
        let mut doses = distinct(exact.map(|l| l.copies));
        doses.sort_unstable();
        doses
    }

    /// The models of one kind, dose and disguise, one per seed.
    fn seeds<'a>(
        &'a self,
        model: &'a str,
        copies: u64,
        skip_words: u64,
    ) -> impl Iterator<Item = &'a Leaked> {
        self.leaked
            .iter()
            .filter(move |l| l.model == model && l.copies == copies && l.skip_words == skip_words)
    }

    /// Prequential codes of the test by one kind of learner at one dose.
    fn learned<'a>(&'a self, model: &'a str, copies: u64) -> impl Iterator<Item = &'a Learned> {
        self.prequential
            .iter()
            .filter(move |p| p.model == model && p.copies == Some(copies))
    }
}

fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// Mean, smallest and largest of some values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Smallest.
    pub low: f64,
    /// Largest.
    pub high: f64,
}

impl Spread {
    /// The spread of `values`; `None` if there are none.
    #[must_use]
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Spread> {
        let values: Vec<f64> = values.collect();
        let sum: f64 = values.iter().sum();
        (!values.is_empty()).then(|| Spread {
            mean: sum / values.len() as f64,
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}
