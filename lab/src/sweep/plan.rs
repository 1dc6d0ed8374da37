//! What a sweep still has to do, as tasks for a scheduler.

use super::attempt::Attempt;
use super::demand::{Calibration, Demand};
use super::error::SweepError;
use super::folder::{State, SweepFolder};
use super::free::longest_first;
use super::manifest::Manifest;
use super::shell;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// What every task is told.
#[derive(Clone, Debug)]
pub struct TaskOptions {
    /// The program, valid where tasks run.
    pub program: String,
    /// Device to train on.
    pub device: String,
    /// Trials at a time in one task.
    pub jobs: usize,
    /// Cores of a task; otherwise what its trials use well.
    pub threads: Option<usize>,
    /// Whether tasks try failed trials again.
    pub retry_failed: bool,
    /// Whether the collector prints JSON.
    pub json: bool,
    /// Short trials share a task until it takes this many seconds.
    pub task_seconds: f64,
}

/// A trial that is not done.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedTrial {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: &'static str,
    /// The command that runs it alone.
    pub command: Vec<String>,
    /// Cores that it uses well.
    pub cpus: usize,
    /// Estimate of the most memory it holds at once, in bytes.
    pub memory_bytes: u64,
    /// Estimate of its duration on these cores, in seconds.
    pub seconds: f64,
    /// The longer, the higher.
    pub priority: usize,
    /// Its task, from 0.
    pub task: usize,
}

/// Trials that run one after the other, or `jobs` at a time, in one process.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedTask {
    /// Ids of the trials.
    pub trials: Vec<String>,
    /// The command.
    pub command: Vec<String>,
    /// Cores.
    pub cpus: usize,
    /// Estimate of the most memory held at once, in bytes.
    pub memory_bytes: u64,
    /// Estimate of the duration, in seconds.
    pub seconds: f64,
    /// The longer, the higher.
    pub priority: usize,
}

/// The unfinished work of a sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Version of this form: 1.
    pub version: u32,
    /// Name of the sweep.
    pub name: String,
    /// Its folder, absolute.
    pub folder: String,
    /// How well the estimates are known.
    pub calibration: Calibration,
    /// The trials, the longest first.
    pub trials: Vec<PlannedTrial>,
    /// The tasks, the longest first.
    pub tasks: Vec<PlannedTask>,
    /// The command for whatever trial is free, the longest first; it uses all cores that
    /// it sees. None for a round of an adaptive plan, which leaves out the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<String>>,
    /// The command that collects results and writes the report.
    pub collect: Vec<String>,
}

/// Something to run, whatever it is.
pub(crate) struct Item {
    pub id: String,
    pub state: &'static str,
    pub demand: Demand,
}

/// The words of commands, by what is to run.
pub(crate) struct Words {
    /// Program, subcommand, and what it runs in.
    pub start: Vec<String>,
    /// The option that names one thing to run.
    pub one: &'static str,
    /// What every command ends with.
    pub end: Vec<String>,
    /// The command that collects.
    pub collect: Vec<String>,
}

impl Plan {
    /// Plans what `folder` has not done yet. Trials that other processes run are left to
    /// them.
    ///
    /// # Errors
    /// Files that cannot be read; data that tasks cannot read; paths that cannot stand in
    /// a script.
    pub fn of(
        folder: &SweepFolder,
        manifest: &Manifest,
        options: &TaskOptions,
    ) -> Result<Plan, SweepError> {
        refuse_stdin(manifest)?;
        let root = shell::absolute(folder.root())?;
        let calibration = Calibration::of(folder, manifest)?;
        let mut items = Vec::new();
        for trial in longest_first(manifest) {
            let state = folder.state_now(trial)?;
            let due = match state {
                State::Pending | State::Interrupted => true,
                State::Failed(_) => options.retry_failed,
                State::Running | State::Done => false,
            };
            if !due {
                continue;
            }
            let mut demand = calibration.demand(trial, options.cores());
            raise(&mut demand, &folder.trial(trial))?;
            items.push(Item {
                id: trial.id.clone(),
                state: state.name(),
                demand,
            });
        }
        let start = [&options.program, manifest.kind().command(), &root];
        let mut end = vec!["--jobs".into(), options.jobs.to_string()];
        end.extend(["--device".into(), options.device.clone()]);
        if options.retry_failed {
            end.push("--retry-failed".into());
        }
        let mut collect = [&options.program, "sweep", "collect", &root]
            .map(String::from)
            .to_vec();
        if options.json {
            collect.push("--json".into());
        }
        let words = Words {
            start: start.map(String::from).to_vec(),
            one: "--trial",
            end,
            collect,
        };
        Ok(Plan::new(
            &manifest.name,
            root,
            calibration,
            items,
            &words,
            options,
        ))
    }

    /// As [`Plan::of`], of the trials with these indices alone.
    ///
    /// # Errors
    /// As [`Plan::of`].
    pub fn of_round(
        folder: &SweepFolder,
        manifest: &Manifest,
        options: &TaskOptions,
        round: &[usize],
    ) -> Result<Plan, SweepError> {
        let mut chosen = manifest.clone();
        chosen.trials.retain(|trial| round.contains(&trial.index));
        let plan = Plan::of(folder, &chosen, options)?;
        Ok(Plan { any: None, ..plan })
    }

    /// A plan of items, the longest first.
    pub(crate) fn new(
        name: &str,
        folder: String,
        calibration: Calibration,
        items: Vec<Item>,
        words: &Words,
        options: &TaskOptions,
    ) -> Plan {
        let count = items.len();
        let planned = |(place, item): (usize, Item)| PlannedTrial {
            command: words.command(std::slice::from_ref(&item.id), item.demand.cpus),
            id: item.id,
            state: item.state,
            cpus: item.demand.cpus,
            memory_bytes: item.demand.memory,
            seconds: item.demand.seconds,
            priority: count - place,
            task: 0,
        };
        let mut trials: Vec<PlannedTrial> = items.into_iter().enumerate().map(planned).collect();
        let tasks = pack(&mut trials, words, options);
        let any = Some([&words.start[..], &["--any".into()], &words.end].concat());
        Plan {
            version: 1,
            name: name.to_owned(),
            folder,
            calibration,
            trials,
            tasks,
            any,
            collect: words.collect.clone(),
        }
    }

    /// Cores, memory with a margin, and seconds of a task that takes whatever is free,
    /// if there are `tasks` of them.
    pub(super) fn largest(&self, tasks: usize) -> Demand {
        let cpus = self.tasks.iter().map(|task| task.cpus).max();
        let memory = self.tasks.iter().map(|task| task.memory_bytes).max();
        let longest = self
            .tasks
            .iter()
            .map(|task| task.seconds)
            .fold(0.0, f64::max);
        let all: f64 = self.tasks.iter().map(|task| task.seconds).sum();
        Demand {
            cpus: cpus.unwrap_or(1),
            memory: memory.unwrap_or(0),
            seconds: longest.max(all / tasks.max(1) as f64),
        }
    }
}

/// Printed before a submission: how much it is.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The sum of nothing is -0.
        let core_seconds = self.trials.iter().map(|t| t.seconds * t.cpus as f64);
        let core_hours = core_seconds.sum::<f64>().abs() / 3600.0;
        let longest = self.trials.iter().map(|t| t.seconds).fold(0.0, f64::max);
        let peak = self.tasks.iter().map(|t| t.memory_bytes).max().unwrap_or(0);
        write!(
            f,
            "{} trials to do in {} tasks: about {:.1} core hours, the longest trial {}, \
             at most {} MiB at once ({})",
            self.trials.len(),
            self.tasks.len(),
            core_hours,
            super::dry_run::clock(longest),
            peak.div_ceil(1 << 20),
            match (self.calibration.timed, self.calibration.weighed) {
                (0, _) => "estimated".to_owned(),
                (timed, weighed) => format!("by {timed} measured times and {weighed} peaks"),
            }
        )
    }
}

impl Words {
    fn command(&self, ids: &[String], cpus: usize) -> Vec<String> {
        let mut words = self.start.clone();
        for id in ids {
            words.extend([self.one.to_owned(), id.clone()]);
        }
        words.extend(["--threads".to_owned(), cpus.to_string()]);
        words.extend(self.end.iter().cloned());
        words
    }
}

impl TaskOptions {
    /// Cores of one trial, if they are given.
    fn cores(&self) -> Option<usize> {
        self.threads.map(|threads| threads.div_ceil(self.jobs))
    }
}

/// Puts trials with equal needs of cores into common tasks, the longest first.
fn pack(trials: &mut [PlannedTrial], words: &Words, options: &TaskOptions) -> Vec<PlannedTask> {
    let jobs = options.jobs;
    let mut tasks: Vec<PlannedTask> = Vec::new();
    // The task that is being filled, by cores.
    let mut open: BTreeMap<usize, usize> = BTreeMap::new();
    for trial in trials.iter_mut() {
        let seconds = trial.seconds / jobs as f64;
        let fits = |task: &PlannedTask| task.seconds + seconds <= options.task_seconds;
        let place = match open.get(&trial.cpus) {
            Some(&place) if fits(&tasks[place]) => place,
            _ => {
                tasks.push(PlannedTask {
                    trials: Vec::new(),
                    command: Vec::new(),
                    cpus: trial.cpus * jobs,
                    memory_bytes: 0,
                    seconds: 0.0,
                    priority: trial.priority,
                });
                tasks.len() - 1
            }
        };
        open.insert(trial.cpus, place);
        let task = &mut tasks[place];
        task.trials.push(trial.id.clone());
        task.seconds += seconds;
        task.memory_bytes = task.memory_bytes.max(trial.memory_bytes * jobs as u64);
        trial.task = place;
    }
    for task in &mut tasks {
        task.command = words.command(&task.trials, task.cpus);
    }
    tasks
}

/// After an attempt that was killed under a limit of memory, asks for twice as much.
fn raise(demand: &mut Demand, folder: &Path) -> Result<(), SweepError> {
    if let Some(attempt) = Attempt::read(folder)?
        && !attempt.stopped
        && let Some(limit) = attempt.memory_limit
    {
        demand.memory = demand.memory.max(2 * limit);
    }
    Ok(())
}

fn refuse_stdin(manifest: &Manifest) -> Result<(), SweepError> {
    let stdin = |trial: &super::Trial| trial.config.data.source == brevity_data::Source::Stdin;
    match manifest.trials.iter().any(stdin) {
        true => Err(SweepError::Usage(
            "data.source is `-`, standard input, which tasks on other machines cannot read: \
             save it to a file"
                .into(),
        )),
        false => Ok(()),
    }
}

/// Memory to ask a scheduler for, in mebibytes: with a quarter and 64 MiB to spare.
pub(super) fn mebibytes(memory: u64) -> u64 {
    (memory + memory / 4).div_ceil(1 << 20).next_multiple_of(64) + 64
}

/// Minutes to ask a scheduler for: half as long again, ten minutes at least.
pub(super) fn minutes(seconds: f64) -> u64 {
    ((1.5 * seconds / 60.0).ceil() as u64).max(10)
}
