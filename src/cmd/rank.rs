//! `brevity rank`: models on dated texts.

use super::files::Run;
use crate::console;
use crate::exit::Usage;
use anyhow::{Context, Result, bail};
use brevity_outside::pipe::LIMIT;
use brevity_rank::{Config, page, rank, table_csv, text};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Ranks models by bits per byte on dated byte sets, with intervals over documents, adjusted
/// rates, and contamination detectors beside their false alarms.
///
/// The config lists byte sets ([[set]]) and models ([[model]]): ours, pretrained ones,
/// predictors, classical coders; see docs/rank.md. Writes rank.html, rank.csv and rank.json.
#[derive(clap::Args)]
pub struct Args {
    /// The sets and models, a TOML file
    config: PathBuf,
    /// Folder for the results [default: runs/NAME]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Longest time for each answer of a predictor
    #[arg(long, value_name = "SECONDS", default_value_t = LIMIT.as_secs_f64(), value_parser = super::predictor::seconds)]
    predictor_timeout: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    run: Run,
}

/// Runs `brevity rank`.
///
/// # Errors
/// A config, byte set or model that cannot be used, results that cannot be written.
pub fn run(args: Args) -> Result<()> {
    let config = Config::read(&args.config)?;
    let folder = args.out.clone();
    let folder = folder.unwrap_or_else(|| Path::new("runs").join(config.name()));
    let results = ["rank.csv", "rank.html"];
    if let Some(file) = brevity_files::foreign(&folder, &["rank.json"], &results) {
        bail!(Usage(format!(
            "{} would be replaced, and {} holds no ranking: name another folder with --out",
            file.display(),
            folder.display()
        )));
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let limit = Duration::from_secs_f64(args.predictor_timeout);
    let found = args
        .run
        .in_steps(|control| rank(&config, limit, control))??;
    brevity_draw::replace(&folder.join("rank.csv"), table_csv(&found).as_bytes())?;
    let written = brevity_draw::write(&folder, "rank", &found, &page(&found), &[])?;
    let mut out = console::stdout()?;
    if args.json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        return Ok(writeln!(out)?);
    }
    Ok(writeln!(out, "{}\n{}", text(&found), written.display())?)
}
