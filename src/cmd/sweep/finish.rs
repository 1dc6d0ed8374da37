//! The report of a folder, by what its trials are.

use crate::console;
use anyhow::Result;
use brevity_lab::experiments::contamination::Contamination;
use brevity_lab::experiments::prequential::Prequential;
use brevity_lab::experiments::two_part::{self, measure_baselines};
use brevity_lab::sweep::{self, Kind, SweepFolder};
use brevity_length::State;
use brevity_stats::critical::Estimator;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How the report of a folder is made.
#[derive(Default)]
pub struct Report {
    /// For prequential codes: the folder of a sweep to compare with.
    pub beside: Option<PathBuf>,
}

impl Report {
    /// Writes the report of what is done into the folder, and prints it; without any score,
    /// prints the states of the trials.
    ///
    /// # Errors
    /// Results that cannot be read, pages that cannot be written.
    pub fn write(&self, folder: &SweepFolder, json: bool) -> Result<()> {
        let manifest = folder.manifest()?;
        let rows = sweep::rows(folder, &manifest)?;
        let root = folder.root();
        if rows.iter().all(|row| row.state != State::Done) {
            return print(json, &rows, &sweep::table(&rows));
        }
        match manifest.kind() {
            Kind::TwoPart => {
                tell_baselines(root)?;
                let report = two_part::Report::of_sweep(root, &Estimator::default())?;
                let page = report.write(root)?;
                print(json, &rows, &with_page(&report.text(), &page))
            }
            Kind::Prequential => {
                let report = Prequential::of_folder(root, self.beside.as_deref())?;
                let page = report.write(root)?;
                print(json, &rows, &with_page(&report.text(), &page))
            }
            Kind::Contamination => {
                tell_baselines(root)?;
                let found = Contamination::of_folder(root)?;
                let page = found.write(root)?;
                print(json, &found, &with_page(&found.text(), &page))
            }
        }
    }
}

fn tell_baselines(folder: &Path) -> Result<()> {
    for message in measure_baselines(folder)? {
        console::note(format_args!("brevity: {message}"));
    }
    Ok(())
}

fn with_page(text: &str, page: &Path) -> String {
    format!("{}\n{}\n", text.trim_end(), page.display())
}

fn print(json: bool, found: &impl Serialize, text: &str) -> Result<()> {
    let mut out = console::stdout()?;
    if json {
        serde_json::to_writer_pretty(&mut out, found)?;
        writeln!(out)?;
    } else {
        write!(out, "{text}")?;
    }
    Ok(())
}
