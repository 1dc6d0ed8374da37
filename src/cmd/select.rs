//! `brevity select`: models ranked by description length.

use crate::exit::Usage;
use anyhow::anyhow;
use std::io::Write;
use std::path::PathBuf;

use brevity_eval::{
    rows,
    selection::{self, Options},
};

/// Ranks a sweep's configurations by coded data plus model, with intervals.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of a sweep, or its results.json
    sweep: PathBuf,
    /// How model bytes are counted, such as fp16 or stored [default: each way there is]
    #[arg(long, value_name = "NAME")]
    convention: Option<String>,
    /// Resamples of the bootstrap
    #[arg(long, value_name = "COUNT", default_value_t = 2000)]
    resamples: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let rows = rows::read(&args.sweep)?;
    let options = Options {
        convention: args.convention,
        resamples: args.resamples,
        ..Options::default()
    };
    let rankings = selection::rank(&rows, &options);
    if rankings.is_empty() {
        let sweep = args.sweep.display();
        return Err(
            match (options.convention, &selection::conventions(&rows)[..]) {
                (_, []) | (None, _) => anyhow!("{sweep}: no scored trial"),
                (Some(name), known) => Usage(format!(
                    "{sweep}: no scored trial counts model bytes as `{name}`; there are {}",
                    known.join(", ")
                ))
                .into(),
            },
        );
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &rankings)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", selection::text(&rankings))?;
    }
    Ok(())
}
