//! `brevity report`: the page, charts and tables of a sweep, written again.

use crate::console;
use std::io::Write;
use std::path::PathBuf;

use brevity_lab::experiments::two_part::{Report, measure_baselines};
use brevity_stats::critical::Estimator;

/// Writes report.html, report.json, points.csv and the charts into the sweep's folder.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of a sweep
    sweep: PathBuf,
    /// Do not run the classical coders on data not measured yet
    #[arg(long)]
    no_baselines: bool,
    /// Print the report as JSON instead of tables
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    if !args.no_baselines {
        for message in measure_baselines(&args.sweep)? {
            console::note(format_args!("brevity: {message}"));
        }
    }
    let report = Report::of_sweep(&args.sweep, &Estimator::default())?;
    let page = report.write(&args.sweep)?;
    let mut out = console::stdout()?;
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{}\n{}", report.text().trim_end(), page.display())?;
    }
    Ok(())
}
