//! `brevity table`: rates of coders and models on byte sets.

use super::decompress::{self, own_program};
use super::files::Run;
use crate::console;
use anyhow::Result;
use brevity_lab::experiments::table::{Config, Options, run as fill};
use brevity_measure::{Decoder, Decoding, FreshProcess};
use brevity_train::DeviceKind;
use std::io::Write;
use std::path::PathBuf;

/// Measures every byte set of a config with every coder and model, raw and adjusted,
/// beside the paper's figures where the bytes are the same.
///
/// Models are trained once and kept in the folder of the results; an interrupted
/// run resumes.
#[derive(clap::Args)]
pub struct Args {
    /// The table, a TOML file such as configs/paper/table1.toml
    config: PathBuf,
    /// Folder for models and results [default: runs/NAME]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Device to train on: flex (CPU), ndarray (CPU), wgpu or vulkan (GPU)
    #[arg(long, default_value = "flex")]
    device: DeviceKind,
    /// Write and decode no archives: lengths under models are estimates
    #[arg(long)]
    estimate: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    run: Run,
}

/// Runs `brevity table`.
///
/// # Errors
/// A config that cannot be used, a missing set, a model that cannot be trained.
pub fn run(args: Args) -> Result<()> {
    let config = Config::read(&args.config)?;
    let folder = args.out.clone().unwrap_or_else(|| config.folder());
    let program = own_program()?;
    let command = |decoding: &Decoding| decompress::command(&program, decoding);
    let decoder = FreshProcess { command: &command };
    let matrix = args.run.in_steps(|control| {
        let options = Options {
            decoder: (!args.estimate).then_some(&decoder as &dyn Decoder),
            stop: control.stop,
            progress: control.progress,
        };
        fill(&config, &folder, args.device, &options)
    })??;
    let page = matrix.write(&folder)?;
    let mut out = console::stdout()?;
    if args.json {
        serde_json::to_writer_pretty(&mut out, &matrix)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{}\n{}", matrix.text(), page.display())?;
    }
    Ok(())
}
