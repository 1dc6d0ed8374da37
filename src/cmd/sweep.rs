//! `brevity sweep`: train and score every trial of a config.

use super::decompress::{self, own_program};
use crate::console;
use crate::exit::Usage;
use crate::signals;
use anyhow::Result;
use brevity_data::{DataConfig, DataError, Store};
use brevity_lab::config::Experiment;
use brevity_lab::experiments::contamination::Detectors;
use brevity_lab::experiments::prequential::{PrequentialScorer, PrequentialTrainer};
use brevity_lab::experiments::two_part::{ArchiveScorer, LocalTrainer, Report, measure_baselines};
use brevity_lab::sweep::{
    self, Bars, ByKind, DataCache, DataIdentity, DryRun, Manifest, RunOptions, Scorer, Shard,
    SweepFolder, Trainer, Work,
};
use brevity_length::{Row, State};
use brevity_measure::{Decoding, FreshProcess};
use brevity_stats::critical::Estimator;
use brevity_train::DeviceKind;
use clap::ValueEnum;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What runs the trials.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// This process
    Local,
    /// A Slurm job array; this command writes its script
    Slurm,
}

/// Options of `brevity sweep`.
#[derive(clap::Args)]
pub struct Args {
    /// The experiment, a TOML file such as configs/quickstart.toml
    config: PathBuf,
    #[command(flatten)]
    trials: Trials,
    /// Run the trials here, or write a script for Slurm
    #[arg(long, value_enum, default_value = "local")]
    engine: Engine,
    #[command(flatten)]
    common: Common,
}

/// Options of all commands with many trials.
#[derive(clap::Args)]
pub(super) struct Trials {
    /// Trials to run at a time [default: the number of threads, at most 8]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// List the trials with their sizes and estimated times, and run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Try failed trials again
    #[arg(long)]
    retry_failed: bool,
    /// Run only every n-th trial, starting with the i-th; shards may share a folder
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
}

impl Trials {
    /// Adds these options to those of all commands.
    pub(super) fn options(&self, common: &Common) -> Result<RunOptions> {
        if self.jobs == Some(0) {
            return Err(Usage("--jobs 0: at least one is needed".into()).into());
        }
        Ok(RunOptions {
            jobs: self.jobs,
            retry_failed: self.retry_failed,
            shard: self.shard,
            ..common.options()?
        })
    }
}

/// What the trials of an experiment do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Train a model and score it.
    TwoPart,
    /// Price bytes while they are learned.
    Prequential,
    /// Both, with leaks.
    Contamination,
}

/// Options of all commands that train.
#[derive(clap::Args)]
pub(super) struct Common {
    /// Change a value of the config, as in --set model.width=64
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder for the results [default: runs/NAME; for `prequential`
    /// runs/NAME-prequential]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Continue interrupted trials from their checkpoints
    #[arg(long)]
    resume: bool,
    /// Threads for all trials together [default: all]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Device to train on: flex (CPU), ndarray (CPU), wgpu or vulkan (GPU)
    #[arg(long, default_value = "flex")]
    device: DeviceKind,
    /// Print results as JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Common {
    /// Reads the config; also gives the folder of its results.
    pub(super) fn open(&self, config: &Path, kind: Kind) -> Result<(Experiment, SweepFolder)> {
        let experiment = Experiment::read(config, &self.set)?;
        let (experiment, suffix) = match kind {
            Kind::TwoPart => (experiment.two_part(), ""),
            Kind::Prequential => (experiment.prequential()?, "-prequential"),
            Kind::Contamination => (experiment.contamination()?, ""),
        };
        let out = match &self.out {
            Some(out) => out.clone(),
            None => Path::new("runs").join(format!("{}{suffix}", experiment.name)),
        };
        Ok((experiment, SweepFolder::new(out)))
    }

    pub(super) fn options(&self) -> Result<RunOptions> {
        let mut options = RunOptions {
            resume: self.resume,
            device: self.device.to_string(),
            ..RunOptions::default()
        };
        match self.threads {
            Some(0) => return Err(Usage("--threads 0: at least one is needed".into()).into()),
            Some(threads) => options.threads = threads,
            None => {}
        }
        Ok(options)
    }

    /// Runs an experiment to its end, or to where it is stopped.
    pub(super) fn execute(
        &self,
        experiment: &Experiment,
        folder: &SweepFolder,
        options: &RunOptions,
    ) -> Result<(Manifest, sweep::Summary)> {
        let data = DataCache::default();
        super::data::note_of(experiment.trials.iter().map(|trial| &trial.config.data));
        let manifest = Manifest::expand(experiment, |config| seen(&data, config))?;
        let bars = Bars::new(manifest.trials.len());
        let trainer = LocalTrainer::new(&data, self.device);
        let program = own_program()?;
        let command = |decoding: &Decoding| decompress::command(&program, decoding);
        let decoder = FreshProcess { command: &command };
        let scorer = ArchiveScorer::new(&data, &decoder);
        let learner = PrequentialTrainer::new(&data, self.device);
        let pricer = PrequentialScorer::new(&data, &decoder);
        let trainer = ByKind::<&dyn Trainer> {
            two_part: &trainer,
            prequential: &learner,
        };
        let scorer = ByKind::<&dyn Scorer> {
            two_part: &scorer,
            prequential: &pricer,
        };
        let work = Work {
            trainer: &trainer,
            scorer: &Detectors::new(&scorer, &data),
            observer: &bars,
        };
        let summary = signals::stoppable(|stop| {
            sweep::run(folder, &manifest, experiment.text(), &work, options, stop)
        });
        bars.clear();
        Ok((manifest, summary?))
    }
}

/// Runs `brevity sweep`.
///
/// # Errors
/// A config that cannot be used, a sweep that cannot start, has failed trials,
/// or was stopped.
pub fn run(args: Args) -> Result<()> {
    let (experiment, folder) = args.common.open(&args.config, Kind::TwoPart)?;
    let options = args.trials.options(&args.common)?;
    if args.trials.dry_run {
        return dry_run(&args.common, &experiment, &folder, options.threads);
    }
    if args.engine == Engine::Slurm {
        return write_script(&args, &experiment, &folder);
    }
    let (manifest, summary) = args.common.execute(&experiment, &folder, &options)?;
    let rows = sweep::rows(&folder, &manifest)?;
    let report = report(folder.root(), &rows)?;
    let mut out = console::stdout()?;
    if args.common.json {
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(summary.verdict()?)
}

/// Writes the report of what is done and gives what it says in a terminal;
/// without any score, the states of the trials.
fn report(folder: &Path, rows: &[Row]) -> Result<String> {
    if rows.iter().all(|row| row.state != State::Done) {
        return Ok(sweep::table(rows));
    }
    for message in measure_baselines(folder)? {
        console::note(format_args!("brevity: {message}"));
    }
    let report = Report::of_sweep(folder, &Estimator::default())?;
    let page = report.write(folder)?;
    Ok(format!(
        "{}\n{}\n",
        report.text().trim_end(),
        page.display()
    ))
}

/// A dry run reads data whose hash is not known if they are shorter than this: a
/// fraction of a second.
const READ_TO_PLAN: u64 = 1 << 28;

/// Shows what an experiment would do.
pub(super) fn dry_run(
    common: &Common,
    experiment: &Experiment,
    folder: &SweepFolder,
    threads: usize,
) -> Result<()> {
    let data = DataCache::default();
    super::data::note_of(experiment.trials.iter().map(|trial| &trial.config.data));
    // A plan can be looked at before its data are fetched, or hashed for minutes.
    let manifest = Manifest::expand(experiment, |config| {
        let plan = config.plan(&Store::default())?;
        match plan.unread {
            0..READ_TO_PLAN => seen(&data, config),
            _ => Ok(DataIdentity::planned(config, &plan)),
        }
    })?;
    let dry = DryRun::new(folder, &manifest, threads)?;
    let mut out = console::stdout()?;
    if common.json {
        serde_json::to_writer_pretty(&mut out, &dry.rows())?;
        writeln!(out)?;
    } else {
        write!(out, "{dry}")?;
    }
    Ok(())
}

fn write_script(args: &Args, experiment: &Experiment, folder: &SweepFolder) -> Result<()> {
    if args.trials.shard.is_some() {
        let message = "--shard and --engine slurm exclude each other: the script has the shards";
        return Err(Usage(message.into()).into());
    }
    let data = DataCache::default();
    let manifest = Manifest::expand(experiment, |config| seen(&data, config))?;
    let mut passed = vec!["--device".to_string(), args.common.device.to_string()];
    for set in &args.common.set {
        passed.extend(["--set".into(), set.clone()]);
    }
    if args.trials.retry_failed {
        passed.push("--retry-failed".into());
    }
    let script = sweep::write_script(
        folder,
        &manifest,
        experiment.text(),
        &std::env::current_exe()?,
        &args.config,
        &passed,
    )?;
    Ok(writeln!(console::stdout()?, "sbatch {}", script.display())?)
}

fn seen(data: &DataCache, config: &DataConfig) -> Result<DataIdentity, DataError> {
    Ok(DataIdentity::from(&*data.load(config)?))
}
