//! `sweep.plan = "adaptive"`: trains the trials that say most about the critical size
//! first, and stops when it is known well enough.
//!
//! The trials are those of the grid: same ids, same seeds, same results, so that a sweep
//! can be continued under the other plan. What is decided is their order, and which are
//! left out ([`brevity_stats::design`]). Each ladder of sizes is planned by itself.

use super::error::SweepError;
use super::folder::{State, SweepFolder};
use super::job::Work;
use super::manifest::{Manifest, Trial};
use super::options::{RunOptions, Summary};
use super::results::{self, head};
use super::run::{repair, run_locked};
use brevity_length::{Row, State as Done, variants};
use brevity_stats::critical::{Estimator, points::from_rows};
use brevity_stats::design::{Candidate, Decision, Goal, decide};
use brevity_task::Stop;
use std::collections::BTreeSet;

/// Runs rounds of trials until every ladder has come to its end. Gives what was run, and
/// why each ladder ended.
///
/// # Errors
/// Like [`run`](super::run()).
pub fn run_adaptive(
    folder: &SweepFolder,
    manifest: &Manifest,
    config: &str,
    goal: Goal,
    work: &Work<'_>,
    options: &RunOptions,
    stop: &Stop,
) -> Result<(Summary, Vec<Decision>), SweepError> {
    if options.is_shared() {
        return Err(SweepError::Usage(
            "an adaptive plan decides after each trial, so one process runs it, without \
             --shard, --any, --trial, or a scheduler in rounds, with --engine"
                .into(),
        ));
    }
    let _lock = folder.lock(false)?;
    let manifest = folder.claim(manifest, config)?;
    let mut total = Summary::default();
    if options.resume {
        // A round has none of the trials that are done.
        for trial in &manifest.trials {
            repair(folder, trial, work, options)?;
        }
    }
    if options.retry_failed {
        let failed: Vec<usize> = failed(&results::rows(folder, &manifest)?)
            .into_iter()
            .collect();
        total.add(run_locked(
            folder,
            &manifest,
            Some(&failed),
            work,
            options,
            stop,
        )?);
    }
    loop {
        let round = next_round(&manifest, &results::rows(folder, &manifest)?, goal);
        if round.trials.is_empty() || total.interrupted > 0 || stop.is_set() {
            return Ok((total, round.ends));
        }
        let chosen = Some(&round.trials[..]);
        total.add(run_locked(folder, &manifest, chosen, work, options, stop)?);
    }
}

/// The next round of a folder whose trials others run. With `retry_failed`, trials that
/// failed may be in it.
///
/// # Errors
/// Files that cannot be read.
pub fn round_of(
    folder: &SweepFolder,
    manifest: &Manifest,
    goal: Goal,
    retry_failed: bool,
) -> Result<Round, SweepError> {
    let mut rows = results::rows(folder, manifest)?;
    if retry_failed {
        rows.retain(|row| row.state != Done::Failed);
    }
    Ok(next_round(manifest, &rows, goal))
}

/// What an adaptive plan does next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Indices of the trials to run: one for each ladder that needs one.
    pub trials: Vec<usize>,
    /// Why each ladder that needs none is at its end.
    pub ends: Vec<Decision>,
}

/// The next round, from the rows that there are. Failed trials are left out, as if the
/// grid did not have them.
#[must_use]
pub fn next_round(manifest: &Manifest, rows: &[Row], goal: Goal) -> Round {
    let mut round = Round::default();
    for ladder in ladders(manifest, rows) {
        match next_of(&ladder, rows, goal) {
            Decision::Train(next) => round.trials.push(ladder[next].index),
            end => round.ends.push(end),
        }
    }
    round
}

/// The trials of each ladder: same data and same settings but for size and seed.
fn ladders<'a>(manifest: &'a Manifest, rows: &[Row]) -> Vec<Vec<&'a Trial>> {
    let failed = failed(rows);
    let trials: Vec<&Trial> = manifest
        .trials
        .iter()
        .filter(|trial| trial.check.is_none() && !failed.contains(&trial.index))
        .collect();
    let heads: Vec<Row> = trials
        .iter()
        .map(|trial| head(&manifest.name, trial, &State::Pending))
        .collect();
    let variants = variants(&heads.iter().collect::<Vec<_>>());
    let mut ladders: Vec<(usize, Vec<&Trial>)> = Vec::new();
    for (i, trial) in trials.iter().enumerate() {
        let same = |j: usize| variants[j] == variants[i] && trials[j].data == trial.data;
        match ladders.iter_mut().find(|(first, _)| same(*first)) {
            Some((_, ladder)) => ladder.push(trial),
            None => ladders.push((i, vec![trial])),
        }
    }
    ladders.into_iter().map(|(_, ladder)| ladder).collect()
}

fn next_of(ladder: &[&Trial], rows: &[Row], goal: Goal) -> Decision {
    let of_ladder = |row: &&Row| ladder.iter().any(|trial| trial.index == row.index);
    let rows: Vec<Row> = rows.iter().filter(of_ladder).cloned().collect();
    let done = |trial: &Trial| rows.iter().any(|r| r.index == trial.index && r.is_scored());
    let candidates: Vec<Candidate> = ladder
        .iter()
        .map(|trial| Candidate {
            parameters: trial.parameters as f64,
            cost: trial.flops,
            done: done(trial),
        })
        .collect();
    let points = from_rows(&rows);
    let data_bytes = points
        .first()
        .map_or(ladder[0].data.bytes as f64, |point| point.data_bytes);
    decide(
        data_bytes,
        &points,
        &candidates,
        goal,
        &Estimator::default(),
    )
}

fn failed(rows: &[Row]) -> BTreeSet<usize> {
    let failed = rows.iter().filter(|row| row.state == Done::Failed);
    failed.map(|row| row.index).collect()
}
