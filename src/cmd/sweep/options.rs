//! Options of the commands that run trials.

use crate::exit::Usage;
use anyhow::Result;
use brevity_lab::sweep::{RunOptions, Shard};
use brevity_train::DeviceKind;
use std::path::PathBuf;

/// Options of all commands with many trials.
#[derive(clap::Args)]
pub struct Trials {
    /// Trials to run at a time [default: the number of threads, at most 8]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// List the trials with their sizes and estimated times, and run nothing
    #[arg(long, conflicts_with = "plan")]
    pub dry_run: bool,
    /// Try failed trials again
    #[arg(long)]
    pub retry_failed: bool,
    /// Run only every n-th trial, starting with the i-th; shards may share a folder
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Run any trial that no other process runs, the longest first, until none is left;
    /// with --shard, look first at the i-th longest
    #[arg(long)]
    pub any: bool,
    /// Run only the trial with this id; several may be given
    #[arg(long, value_name = "ID", conflicts_with_all = ["any", "shard"])]
    pub trial: Vec<String>,
}

impl Trials {
    /// Adds these options to those of all commands.
    pub fn options(&self, common: &Common) -> Result<RunOptions> {
        if self.jobs == Some(0) {
            return Err(Usage("--jobs 0: at least one is needed".into()).into());
        }
        Ok(RunOptions {
            jobs: self.jobs,
            retry_failed: self.retry_failed,
            shard: self.shard,
            any: self.any,
            only: self.trial.clone(),
            ..common.options()?
        })
    }
}

/// Options of all commands that train.
#[derive(clap::Args)]
pub struct Common {
    /// Change a value of the config, as in --set model.width=64
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for the results [default: runs/NAME; for `prequential`
    /// runs/NAME-prequential]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Continue interrupted trials from their checkpoints
    #[arg(long)]
    pub resume: bool,
    /// Threads for all trials together [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Device to train on: flex (CPU), ndarray (CPU), wgpu or vulkan (GPU)
    #[arg(long, default_value = "flex")]
    pub device: DeviceKind,
    /// Print results as JSON
    #[arg(long)]
    pub json: bool,
}

impl Common {
    /// The options of a run without shards.
    pub fn options(&self) -> Result<RunOptions> {
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
}
