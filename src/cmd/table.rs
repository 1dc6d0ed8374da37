//! `brevity table`: rates of coders and models on byte sets.

use super::decompress::{self, own_program};
use super::files::Run;
use super::sweep::Scheduling;
use crate::console;
use anyhow::Result;
use brevity_lab::experiments::table::{Config, Options, Part, freeze, plan, run as fill, run_part};
use brevity_lab::sweep::{Shard, SweepFolder};
use brevity_measure::{Decoder, Decoding, FreshProcess};
use brevity_train::DeviceKind;
use std::io::Write;
use std::path::{Path, PathBuf};

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
    /// Train and measure only the model with this name, and write no table; several may be
    /// given
    #[arg(long, value_name = "NAME", conflicts_with_all = ["any", "shard"])]
    model: Vec<String>,
    /// Train and measure any model that no other process trains, until none is left, and
    /// write no table
    #[arg(long)]
    any: bool,
    /// With --any: look first at the i-th largest model
    #[arg(long, value_name = "I/N", requires = "any")]
    shard: Option<Shard>,
    #[command(flatten)]
    scheduling: Scheduling,
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
    let part = args.part();
    if args.scheduling.is_wanted() {
        args.scheduling.refuse(part.is_some(), &args.config)?;
        return schedule(&args, &config, &folder);
    }
    let program = own_program()?;
    let command = |decoding: &Decoding| decompress::command(&program, decoding);
    let decoder = FreshProcess { command: &command };
    let matrix = args.run.in_steps(|control| {
        let options = Options {
            decoder: (!args.estimate).then_some(&decoder as &dyn Decoder),
            stop: control.stop,
            progress: control.progress,
        };
        match &part {
            Some(part) => run_part(&config, &folder, args.device, &options, part).map(Err),
            None => fill(&config, &folder, args.device, &options).map(Ok),
        }
    })??;
    let matrix = match matrix {
        Ok(matrix) => matrix,
        Err(done) => {
            console::note(format_args!("{done} models done"));
            return Ok(());
        }
    };
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

impl Args {
    /// The models to train, if this is a task.
    fn part(&self) -> Option<Part> {
        match (self.any, self.model.is_empty()) {
            (true, _) => Some(Part::Any(self.shard)),
            (false, false) => Some(Part::Only(self.model.clone())),
            (false, true) => None,
        }
    }
}

/// Hands the models over to a scheduler.
fn schedule(args: &Args, config: &Config, folder: &Path) -> Result<()> {
    let frozen = freeze(&args.config, config, folder)?;
    let threads = Some(args.run.threads).filter(|&threads| threads > 0);
    let device = args.device.to_string();
    let options = args.scheduling.table_options(device, threads, args.json)?;
    let plan = plan(config, &frozen, folder, &options, args.estimate)?;
    let folder = SweepFolder::new(folder);
    args.scheduling.hand_over(&folder, &plan, args.json)
}
