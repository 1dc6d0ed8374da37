//! Progress as lines, for the logs of tasks.

use super::folder::State;
use super::job::Observer;
use super::machine::Place;
use super::manifest::Trial;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A line on standard error when a trial starts, ends, or has gone on for a while: with
/// its name, so that the lines of several trials can be told apart.
pub struct LogLines {
    start: Instant,
    /// When each running trial started here, and when it had its last line.
    running: Mutex<HashMap<String, (Instant, Instant)>>,
}

/// Time between two lines about the progress of one trial.
const PAUSE: Duration = Duration::from_secs(60);

impl LogLines {
    /// Lines with the seconds since now.
    pub fn new() -> LogLines {
        LogLines {
            start: Instant::now(),
            running: Mutex::default(),
        }
    }

    fn line(&self, text: &str) {
        let seconds = self.start.elapsed().as_secs_f64();
        // In one write, so that the lines of other processes in the same log stay whole. A
        // closed standard error is no reason to stop.
        let line = format!("[{seconds:8.1} s] {text}\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

impl Default for LogLines {
    fn default() -> LogLines {
        LogLines::new()
    }
}

impl Observer for LogLines {
    fn started(&self, trial: &Trial, resumed: bool) {
        let axes = trial.axes.iter();
        let axes: Vec<String> = axes.map(|(key, value)| format!("{key} {value}")).collect();
        self.line(&format!(
            "trial {} {}: {}, seed {}, {} parameters; {}",
            trial.id,
            if resumed { "continued" } else { "started" },
            axes.join(", "),
            trial.seed,
            trial.parameters,
            Place::here(),
        ));
        let now = Instant::now();
        if let Ok(mut running) = self.running.lock() {
            running.insert(trial.id.clone(), (now, now));
        }
    }

    fn advanced(&self, trial: &Trial, done: f64, bits_per_byte: f64) {
        let due = match self.running.lock() {
            Ok(mut running) => match running.get_mut(&trial.id) {
                Some((_, last)) if last.elapsed() >= PAUSE => {
                    *last = Instant::now();
                    true
                }
                _ => false,
            },
            Err(_) => false,
        };
        if due {
            let percent = 100.0 * done;
            self.line(&format!(
                "trial {}: {percent:.1}% trained, {bits_per_byte:.3} bits a byte",
                trial.id
            ));
        }
    }

    fn repaired(&self, trial: &Trial, path: &Path) {
        self.line(&format!(
            "trial {}: {} is damaged or missing, it is done again from there",
            trial.id,
            path.display()
        ));
    }

    fn noted(&self, line: &str) {
        self.line(line);
    }

    fn ended(&self, trial: &Trial, state: &State) {
        let began = match self.running.lock() {
            Ok(mut running) => running.remove(&trial.id),
            Err(_) => None,
        };
        let seconds = began.map_or(0.0, |(began, _)| began.elapsed().as_secs_f64());
        let end = match state {
            State::Failed(failure) => format!("failed: {}", failure.message),
            State::Interrupted => "stopped with a checkpoint".to_owned(),
            state => state.name().to_owned(),
        };
        self.line(&format!("trial {} {end} after {seconds:.1} s", trial.id));
    }
}
