//! How each trial of a sweep stands, by its folder and the scheduler.

use super::attempt::Attempt;
use super::error::SweepError;
use super::folder::{State, SweepFolder};
use super::manifest::{Manifest, Trial};
use super::scheduler::{JobState, JobStates};
use brevity_draw::Table;
use brevity_train::Metrics;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Scored.
    Done,
    /// A process works on it.
    Running,
    /// Stopped with a checkpoint; its job waits to start again.
    WaitingForRequeue,
    /// Not started; jobs wait or run that will take it.
    Queued,
    /// Not started, and no job will take it.
    Pending,
    /// Stopped with a checkpoint, and no job will take it.
    Interrupted,
    /// Killed for its memory.
    OutOfMemory,
    /// Its process was killed or its machine died, and no job will take it.
    Lost,
    /// Failed.
    Failed,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Standing::Done => "done",
            Standing::Running => "running",
            Standing::WaitingForRequeue => "waiting for requeue",
            Standing::Queued => "queued",
            Standing::Pending => "pending",
            Standing::Interrupted => "interrupted",
            Standing::OutOfMemory => "out of memory",
            Standing::Lost => "lost",
            Standing::Failed => "failed",
        })
    }
}

/// How one trial stands.
#[derive(Clone, Debug, Serialize)]
pub struct TrialStatus {
    /// Its id.
    pub id: String,
    /// Axis values and seed, as text.
    pub settings: String,
    /// How it stands.
    pub state: Standing,
    /// Number of parameters.
    pub parameters: u64,
    /// The share of its training that is done, from 0 to 1.
    pub done: f64,
    /// The loss at the last line of its log, in bits per byte.
    pub bits_per_byte: Option<f64>,
    /// Seconds until its training ends, at its last speed; of running trials.
    pub eta_seconds: Option<f64>,
    /// Who works on it, or did last.
    pub place: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// How all trials of a sweep stand.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The trials, in the order of the manifest.
    pub trials: Vec<TrialStatus>,
    /// Jobs that wait.
    pub jobs_queued: usize,
    /// Jobs that run.
    pub jobs_running: usize,
}

impl Status {
    /// Looks at every trial. `jobs` is what the scheduler says; none if there is none or
    /// it does not answer.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn of(
        folder: &SweepFolder,
        manifest: &Manifest,
        jobs: Option<&JobStates>,
    ) -> Result<Status, SweepError> {
        let count = |state| {
            let states = jobs.into_iter().flat_map(BTreeMap::values);
            states.filter(|&&of| of == state).count()
        };
        let trials = manifest.trials.iter();
        Ok(Status {
            trials: trials
                .map(|trial| look(folder, trial, jobs))
                .collect::<Result<_, _>>()?,
            jobs_queued: count(JobState::Queued),
            jobs_running: count(JobState::Running),
        })
    }

    /// How many trials stand how.
    pub fn counts(&self) -> BTreeMap<Standing, usize> {
        let mut counts = BTreeMap::new();
        for trial in &self.trials {
            *counts.entry(trial.state).or_default() += 1;
        }
        counts
    }

    /// Whether a trial runs, or a job waits or runs that will take one.
    pub fn is_active(&self) -> bool {
        use Standing::*;
        let active =
            |trial: &TrialStatus| matches!(trial.state, Running | Queued | WaitingForRequeue);
        self.trials.iter().any(active)
    }

    /// The counts in words: `3 done, 2 running`.
    pub fn summary(&self) -> String {
        let counts = self.counts();
        let words = counts.iter().map(|(state, n)| format!("{n} {state}"));
        words.collect::<Vec<_>>().join(", ")
    }

    /// `Ok` if every trial is done.
    ///
    /// # Errors
    /// [`SweepError::Failed`] if trials failed, [`SweepError::Incomplete`] if others are
    /// missing.
    pub fn verdict(&self) -> Result<(), SweepError> {
        let left = |trial: &&TrialStatus| trial.state != Standing::Done;
        let left: Vec<&TrialStatus> = self.trials.iter().filter(left).collect();
        let failed = |trial: &&TrialStatus| {
            let message = trial.error.clone().unwrap_or_default();
            (trial.state == Standing::Failed).then(|| (trial.id.clone(), message))
        };
        let failed: Vec<_> = left.iter().filter_map(failed).collect();
        match (left.len(), failed.len()) {
            (0, _) => Ok(()),
            (all, some) if all == some => Err(SweepError::Failed {
                trials: self.trials.len(),
                failed,
            }),
            (left, _) => Err(SweepError::Incomplete {
                left,
                trials: self.trials.len(),
                states: self.summary(),
            }),
        }
    }
}

fn look(
    folder: &SweepFolder,
    trial: &Trial,
    jobs: Option<&JobStates>,
) -> Result<TrialStatus, SweepError> {
    let path = folder.trial(trial);
    let state = folder.state_now(trial)?;
    let attempt = match state {
        State::Interrupted | State::Running => Attempt::read(&path)?,
        _ => None,
    };
    let error = match &state {
        State::Failed(failure) => Some(failure.message.clone()),
        _ => None,
    };
    let standing = standing(&state, attempt.as_ref(), jobs);
    let mut status = TrialStatus {
        id: trial.id.clone(),
        settings: settings(trial),
        state: standing,
        parameters: trial.parameters,
        done: 0.0,
        bits_per_byte: None,
        eta_seconds: None,
        place: attempt.map(|attempt| attempt.place.to_string()),
        error,
    };
    if standing == Standing::Done {
        let score = folder.score(trial)?;
        let first = score.as_ref().and_then(|score| score.scores.first());
        status.bits_per_byte = first.map(|score| score.description.bits_per_byte());
        status.done = 1.0;
    } else if let Some(last) = last_metrics(&path) {
        let config = &trial.config;
        let all = config.train.total_bytes(&config.model, trial.data.bytes) as f64;
        status.bits_per_byte = Some(last.loss);
        status.done = (last.bytes as f64 / all).min(1.0);
        if standing == Standing::Running {
            status.eta_seconds = Some((all - last.bytes as f64).max(0.0) / last.bytes_per_second);
        }
    }
    Ok(status)
}

fn standing(state: &State, attempt: Option<&Attempt>, jobs: Option<&JobStates>) -> Standing {
    let active = |state: &JobState| matches!(state, JobState::Queued | JobState::Running);
    let someone = jobs.is_some_and(|jobs| jobs.values().any(active));
    match state {
        State::Done => Standing::Done,
        State::Failed(_) => Standing::Failed,
        State::Running => Standing::Running,
        State::Pending if someone => Standing::Queued,
        State::Pending => Standing::Pending,
        State::Interrupted => {
            let own = attempt.and_then(|attempt| attempt.place.job.as_ref());
            let own = own.and_then(|job| jobs?.get(job));
            let stopped = attempt.is_none_or(|attempt| attempt.stopped);
            match own {
                Some(JobState::Queued) => Standing::WaitingForRequeue,
                // Its lock may not be seen from here.
                Some(JobState::Running) => Standing::Running,
                Some(JobState::OutOfMemory) => Standing::OutOfMemory,
                _ if someone => Standing::Queued,
                _ if stopped => Standing::Interrupted,
                _ => Standing::Lost,
            }
        }
    }
}

fn settings(trial: &Trial) -> String {
    let axes = trial.axes.iter();
    let mut words: Vec<String> = axes.map(|(key, value)| format!("{key} {value}")).collect();
    words.push(format!("seed {}", trial.seed));
    words.join(", ")
}

/// The last whole line of a trial's metrics.
fn last_metrics(folder: &Path) -> Option<Metrics> {
    // Far more than a line has.
    const TAIL: u64 = 4096;
    let mut file = File::open(folder.join("metrics.jsonl")).ok()?;
    let start = file.metadata().ok()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let mut lines = text.lines().rev();
    lines.find_map(|line| serde_json::from_str(line).ok())
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = [
            "id",
            "state",
            "settings",
            "parameters",
            "done",
            "bits/byte",
            "eta",
            "by",
        ];
        let mut table = Table::new(&header.map(String::from)).left(&[0, 1, 2, 7]);
        for trial in &self.trials {
            let number = |value: Option<f64>| value.map(|value| format!("{value:.3}"));
            table.push(vec![
                trial.id.clone(),
                trial.state.to_string(),
                trial.settings.clone(),
                trial.parameters.to_string(),
                format!("{:.0}%", 100.0 * trial.done),
                number(trial.bits_per_byte).unwrap_or_default(),
                trial
                    .eta_seconds
                    .map(super::dry_run::clock)
                    .unwrap_or_default(),
                trial.place.clone().unwrap_or_default(),
            ]);
        }
        table.fmt(f)?;
        for trial in &self.trials {
            if let Some(error) = &trial.error {
                writeln!(f, "\n{} failed: {error}", trial.id)?;
            }
        }
        writeln!(f, "\n{} trials: {}", self.trials.len(), self.summary())?;
        if self.jobs_queued + self.jobs_running > 0 {
            let (queued, running) = (self.jobs_queued, self.jobs_running);
            writeln!(f, "jobs: {queued} queued, {running} running")?;
        }
        Ok(())
    }
}
