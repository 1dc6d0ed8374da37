//! Progress bars for the terminal.

use super::folder::State;
use super::job::Observer;
use super::manifest::Trial;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

/// A bar for the sweep and one for each running trial, on standard error; nothing if
/// that is not a terminal.
pub struct Bars {
    all: MultiProgress,
    sweep: ProgressBar,
    trials: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    /// Bars for a sweep of `trials` trials.
    pub fn new(trials: usize) -> Bars {
        let all = MultiProgress::new();
        let sweep = all.add(ProgressBar::new(trials as u64));
        sweep.set_style(style("{pos}/{len} trials {wide_bar} {elapsed} {msg}"));
        Bars {
            all,
            sweep,
            trials: Mutex::default(),
        }
    }

    /// Removes the bars.
    pub fn clear(&self) {
        // A failure affects only how the terminal looks.
        let _ = self.all.clear();
    }
}

/// Steps of a trial's bar, more than a terminal has columns.
const PARTS: f64 = 1000.0;

impl Observer for Bars {
    fn started(&self, trial: &Trial, resumed: bool) {
        let bar = self.all.add(ProgressBar::new(PARTS as u64));
        bar.set_style(style("{prefix} {bar:30} {percent:>3}% eta {eta} {msg}"));
        bar.set_prefix(format!("{} {:>9} parameters", trial.id, trial.parameters));
        if resumed {
            bar.set_message("resumed");
        }
        if let Ok(mut trials) = self.trials.lock() {
            trials.insert(trial.id.clone(), bar);
        }
    }

    fn advanced(&self, trial: &Trial, done: f64, bits_per_byte: f64) {
        if let Ok(trials) = self.trials.lock()
            && let Some(bar) = trials.get(&trial.id)
        {
            bar.set_position((done * PARTS) as u64);
            bar.set_message(format!("{bits_per_byte:.3} bits/byte"));
        }
    }

    fn repaired(&self, trial: &Trial, path: &Path) {
        let path = path.display();
        let line = format!(
            "{path} is damaged or missing: trial {} is done again from there",
            trial.id
        );
        // A closed standard error is no reason to stop.
        let _ = self.all.println(line);
    }

    fn noted(&self, line: &str) {
        // A closed standard error is no reason to stop.
        let _ = self.all.println(line);
    }

    fn ended(&self, trial: &Trial, state: &State) {
        if let Ok(mut trials) = self.trials.lock()
            && let Some(bar) = trials.remove(&trial.id)
        {
            bar.finish_and_clear();
        }
        match state {
            State::Failed(failure) => {
                // A closed standard error is no reason to stop.
                let _ = self
                    .all
                    .println(format!("trial {} failed: {}", trial.id, failure.message));
                self.sweep.inc(1);
            }
            State::Done => self.sweep.inc(1),
            State::Pending | State::Interrupted | State::Running => {}
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are valid")
}
