//! Runs trials in this process.

use super::{Common, Target};
use crate::cmd::decompress::{self, own_program};
use crate::console;
use crate::signals;
use anyhow::Result;
use brevity_lab::experiments::contamination::Detectors;
use brevity_lab::experiments::prequential::{PrequentialScorer, PrequentialTrainer};
use brevity_lab::experiments::two_part::{ArchiveScorer, LocalTrainer};
use brevity_lab::sweep::{
    self, Bars, ByKind, LogLines, Observer, RunOptions, Scorer, Summary, Trainer, Work,
};
use brevity_measure::{Decoding, FreshProcess};
use brevity_stats::design::Decision;

/// Runs trials to their end, or to where they are stopped.
///
/// # Errors
/// A sweep that cannot start, or that cannot go on.
pub fn execute(common: &Common, target: &Target, options: &RunOptions) -> Result<Summary> {
    let Target { data, manifest, .. } = target;
    let bars = Bars::new(manifest.trials.len());
    let lines = LogLines::new();
    let observer: &dyn Observer = match options.is_task() {
        true => &lines,
        false => &bars,
    };
    let trainer = LocalTrainer::new(data, common.device);
    let program = own_program()?;
    let command = |decoding: &Decoding| decompress::command(&program, decoding);
    let decoder = FreshProcess { command: &command };
    let scorer = ArchiveScorer::new(data, &decoder);
    let learner = PrequentialTrainer::new(data, common.device);
    let pricer = PrequentialScorer::new(data, &decoder);
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
        scorer: &Detectors::new(&scorer, data),
        observer,
    };
    let summary = signals::stoppable(|stop| match (&target.config, target.adaptive) {
        (Some(config), Some(goal)) => {
            let folder = &target.folder;
            let (summary, ends) =
                sweep::run_adaptive(folder, manifest, config, goal, &work, options, stop)?;
            bars.clear();
            tell(&ends);
            Ok(summary)
        }
        (Some(config), None) => sweep::run(&target.folder, manifest, config, &work, options, stop),
        (None, _) => sweep::run_frozen(&target.folder, manifest, &work, options, stop),
    });
    bars.clear();
    Ok(summary?)
}

/// Says why an adaptive plan has ended.
pub(super) fn tell(ends: &[Decision]) {
    let count = |end: Decision| ends.iter().filter(|found| **found == end).count();
    for (end, why) in [
        (Decision::Enough, "every interval is as narrow as asked"),
        (Decision::Spent, "the budget is spent (sweep.budget)"),
        (Decision::Exhausted, "all trials are done"),
    ] {
        if let ladders @ 1.. = count(end) {
            let s = if ladders == 1 { "" } else { "s" };
            console::note(format_args!("adaptive plan, {ladders} ladder{s}: {why}"));
        }
    }
}
