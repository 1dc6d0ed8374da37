//! `--plan`, `--engine`, `--submit`: trials for others to run.

use super::execute::tell;
use super::{Common, Target, Trials};
use crate::cmd::files::{self, is_dash};
use crate::console;
use crate::exit::Usage;
use anyhow::{Context, Result};
use brevity_lab::sweep::{
    self, Plan, Prepared, SchedulerKind, Submission, SweepFolder, TaskOptions, commands, freeze,
    prepare, round_of, submit,
};
use clap::ValueEnum;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What runs the trials.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// This process
    Local,
    /// A Slurm job array; this command writes its scripts
    Slurm,
    /// A HyperQueue job; this command writes its file
    Hq,
    /// Anything that runs commands; this command prints them, one a line
    Commands,
}

impl Engine {
    fn scheduler(self) -> Option<SchedulerKind> {
        match self {
            Engine::Slurm => Some(SchedulerKind::Slurm),
            Engine::Hq => Some(SchedulerKind::Hq),
            Engine::Local | Engine::Commands => None,
        }
    }
}

/// Options of commands whose trials others may run.
#[derive(clap::Args)]
#[command(next_help_heading = "Schedulers")]
pub struct Scheduling {
    /// What runs the trials
    #[arg(long, value_enum, default_value = "local")]
    engine: Engine,
    /// Write the unfinished trials as JSON, with the command, cores, memory and seconds of
    /// each, and run nothing; `-` is standard output
    #[arg(long, value_name = "FILE.json")]
    plan: Option<PathBuf>,
    /// Submit to the scheduler, and record the jobs in the folder
    #[arg(long)]
    submit: bool,
    /// An option for `sbatch`, such as --option=--partition=short; several may be given
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    option: Vec<String>,
    /// Most tasks of a Slurm array
    #[arg(long, value_name = "N", default_value_t = 64)]
    tasks: usize,
    /// Short trials share a task of about this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600.0)]
    task_seconds: f64,
    /// The program that tasks run [default: this one]
    #[arg(long, value_name = "PATH")]
    program: Option<String>,
}

impl Scheduling {
    /// Whether others are to run the trials.
    pub fn is_wanted(&self) -> bool {
        let told = self.plan.is_some() || !self.option.is_empty();
        told || self.engine != Engine::Local || self.submit
    }

    /// Refuses options that contradict each other, and a plan in place of the config; `task`
    /// says whether there are options for tasks.
    pub fn refuse(&self, task: bool, config: &Path) -> Result<()> {
        if let Some(plan) = &self.plan {
            files::apart(plan, [config], [])?;
        }
        let message = if task {
            "options that pick trials are for tasks, and go with neither --engine nor --plan: \
             leave out --shard, --any, --trial, --model"
        } else if self.submit && self.engine.scheduler().is_none() {
            "--submit needs --engine slurm or --engine hq"
        } else if !self.option.is_empty() && self.engine != Engine::Slurm {
            "--option is for --engine slurm"
        } else if self.tasks == 0 {
            "--tasks 0: at least one is needed"
        } else {
            return Ok(());
        };
        Err(Usage(message.into()).into())
    }

    /// Freezes the trials in their folder and hands them over.
    pub fn run(&self, target: &Target, trials: &Trials, common: &Common) -> Result<()> {
        let folder = &target.folder;
        let manifest = freeze(folder, &target.manifest, target.config.as_deref())?;
        let options = TaskOptions {
            program: self.program()?,
            device: common.device.to_string(),
            jobs: trials.jobs.unwrap_or(1),
            threads: common.threads,
            retry_failed: trials.retry_failed,
            json: common.json,
            task_seconds: self.task_seconds,
        };
        let Some(goal) = target.adaptive else {
            let plan = Plan::of(folder, &manifest, &options)?;
            return self.hand_over(folder, &plan, common.json);
        };
        let round = round_of(folder, &manifest, goal, trials.retry_failed)?;
        tell(&round.ends);
        let plan = Plan::of_round(folder, &manifest, &options, &round.trials)?;
        if !round.trials.is_empty() {
            let again = "a round of an adaptive plan: when it has ended, the same command again";
            console::note(again);
        }
        self.hand_over(folder, &plan, common.json)
    }

    /// What the tasks of a table are told.
    pub fn table_options(
        &self,
        device: String,
        threads: Option<usize>,
        json: bool,
    ) -> Result<TaskOptions> {
        Ok(TaskOptions {
            program: self.program()?,
            device,
            jobs: 1,
            threads,
            retry_failed: false,
            json,
            task_seconds: self.task_seconds,
        })
    }

    /// Writes, prints or submits a plan.
    pub fn hand_over(&self, folder: &SweepFolder, plan: &Plan, json: bool) -> Result<()> {
        console::note(plan);
        if let Some(path) = &self.plan {
            let mut text = serde_json::to_string_pretty(plan)?;
            text.push('\n');
            write_plan(path, &text)?;
        }
        if plan.trials.is_empty() {
            let collect = sweep::join(&plan.collect);
            console::note(format_args!("nothing to queue; to collect: {collect}"));
            return Ok(());
        }
        let Some(scheduler) = self.engine.scheduler() else {
            if self.engine == Engine::Commands {
                write!(console::stdout()?, "{}", commands(plan))?;
            }
            return Ok(());
        };
        let prepared = prepare(plan, scheduler, self.tasks, &self.option)?;
        let submission = match self.submit {
            true => Some(submit(folder, &prepared)?),
            false => None,
        };
        print(json, plan, &prepared, submission.as_ref())
    }

    /// The program that tasks run.
    fn program(&self) -> Result<String> {
        match &self.program {
            Some(program) => Ok(program.clone()),
            None => own_path(),
        }
    }
}

fn write_plan(path: &Path, text: &str) -> Result<()> {
    if is_dash(path) {
        return Ok(write!(console::stdout()?, "{text}")?);
    }
    let context = || format!("cannot write {}", path.display());
    brevity_files::write(path, text.as_bytes()).with_context(context)
}

/// The path of this program, as other machines may find it.
fn own_path() -> Result<String> {
    let path = std::env::current_exe().context("cannot tell where this program lies")?;
    match path.to_str() {
        Some(path) => Ok(path.to_owned()),
        None => Err(Usage(format!("{path:?} is not UTF-8: name it with --program")).into()),
    }
}

fn print(
    as_json: bool,
    plan: &Plan,
    prepared: &Prepared,
    submission: Option<&Submission>,
) -> Result<()> {
    let mut out = console::stdout()?;
    if as_json {
        let told = json!({ "plan": plan, "submitted": submission });
        serde_json::to_writer_pretty(&mut out, &told)?;
        return Ok(writeln!(out)?);
    }
    let quote = |path: &Path| sweep::quote(&path.display().to_string());
    match (submission, prepared) {
        (Some(submission), _) => {
            let ids: Vec<&str> = submission.ids().collect();
            writeln!(out, "submitted: job {}", ids.join(", then "))?;
        }
        (None, Prepared::Slurm(scripts)) => writeln!(
            out,
            "job=$(sbatch --parsable {}) && sbatch --dependency=afterany:\"$job\" {}",
            quote(&scripts.tasks),
            quote(&scripts.collect)
        )?,
        (None, Prepared::Hq(file)) => writeln!(out, "hq job submit-file {}", quote(file))?,
    }
    Ok(())
}
