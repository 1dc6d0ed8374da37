//! `brevity select`: models ranked by description length.

use super::files::{self, is_dash};
use crate::console;
use crate::exit::Usage;
use anyhow::bail;
use std::io::Write;
use std::path::{Path, PathBuf};

use brevity_lab::text;
use brevity_length::Row;
use brevity_stats::model_table::{parse_models, read_models};
use brevity_stats::selection::{self, Options};

/// Ranks a sweep's configurations, or the models of a table, by description length, with intervals (MDL).
#[derive(clap::Args)]
pub struct Args {
    /// Folder of a sweep, or its results.json
    sweep: Option<PathBuf>,
    /// A table of any models instead, a CSV file with the columns model, model_bytes,
    /// data_bits and data_bytes; optionally seed, group (a piece of the data, such as a
    /// document) and parameters; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "sweep")]
    table: Option<PathBuf>,
    /// How model bytes are counted, such as fp16 or stored [default: every way in the results]
    #[arg(long, value_name = "NAME")]
    convention: Option<String>,
    /// Number of bootstrap resamples
    #[arg(long, value_name = "COUNT", default_value_t = 2000, value_parser = super::critical::resamples)]
    resamples: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let convention = args.convention.as_deref();
    let rows = match (&args.table, &args.sweep) {
        (Some(table), _) => {
            let rows = match is_dash(table) {
                true => parse_models(&files::standard_input()?, "standard input")?,
                false => read_models(table)?,
            };
            known(rows, table, convention)?
        }
        (None, Some(sweep)) => {
            files::no_table(sweep, "--table")?;
            scored(sweep, convention)?
        }
        (None, None) => bail!(Usage(
            "give the folder of a sweep, or a table of models with --table FILE".into()
        )),
    };
    let options = Options {
        convention: args.convention,
        resamples: args.resamples,
        ..Options::default()
    };
    let rankings = selection::rank(&rows, &options);
    let mut out = console::stdout()?;
    if args.json {
        serde_json::to_writer_pretty(&mut out, &rankings)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", text::rankings(&rankings, &rows))?;
    }
    Ok(())
}

/// The scored rows of a sweep that have the requested convention; an error if there are none.
pub(super) fn scored(sweep: &Path, convention: Option<&str>) -> anyhow::Result<Vec<Row>> {
    known(brevity_length::read(sweep)?, sweep, convention)
}

/// Rows with scores, whose model bytes are counted in the way asked for.
fn known(rows: Vec<Row>, sweep: &Path, convention: Option<&str>) -> anyhow::Result<Vec<Row>> {
    let known = selection::conventions(&rows);
    let sweep = sweep.display();
    if known.is_empty() {
        bail!("{sweep}: no scored trial");
    }
    match convention {
        Some(name) if !known.iter().any(|other| other == name) => Err(Usage(format!(
            "{sweep}: no scored trial counts model bytes as `{name}`; there are {}",
            known.join(", ")
        ))
        .into()),
        _ => Ok(rows),
    }
}
