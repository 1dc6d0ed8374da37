//! What a sweep would do, with estimated times.

use super::demand::Calibration;
use super::error::SweepError;
use super::folder::{State, SweepFolder};
use super::manifest::{Manifest, Trial};
use super::options::RunOptions;
use super::results::head;
use super::speed::Speed;
use super::table::Columns;
use brevity_draw::Table;
use brevity_length::Row;
use brevity_train::machine_memory;
use std::fmt;

/// The trials of a sweep with their states and estimated times. `Display` prints a
/// table.
#[derive(Clone, Debug)]
pub struct DryRun {
    name: String,
    trials: Vec<(Trial, State)>,
    speed: Speed,
    calibration: Calibration,
}

impl DryRun {
    /// Reads the state of the trials of `folder`, which need not exist, that a run with
    /// these options takes.
    ///
    /// # Errors
    /// A folder that another config made, or that cannot be read; an id of the options that
    /// no trial has.
    pub fn new(
        folder: &SweepFolder,
        manifest: &Manifest,
        options: &RunOptions,
    ) -> Result<DryRun, SweepError> {
        let mut manifest = manifest.clone();
        if folder.manifest_path().exists() {
            let frozen = folder.manifest()?;
            frozen.refuse_drift(&folder.manifest_path(), &manifest)?;
            if frozen.format != manifest.format {
                manifest = manifest.with_ids_of(&frozen);
            }
        }
        let manifest = &manifest;
        let unread = manifest
            .trials
            .iter()
            .any(|trial| trial.data.hash.is_none());
        if unread && !options.only.is_empty() {
            let message = "the ids of trials are not known before their data are read, which a dry run \
                           does not do with long files: leave out --trial";
            return Err(SweepError::Usage(message.into()));
        }
        let mine = options.trials(manifest, folder.root())?;
        let trials = mine.into_iter().map(|trial| {
            let state = folder.state_now(trial)?;
            Ok((trial.clone(), state))
        });
        Ok(DryRun {
            name: manifest.name.clone(),
            trials: trials.collect::<Result<_, SweepError>>()?,
            speed: Speed::of(folder, manifest, options.threads)?,
            calibration: Calibration::of(folder, manifest)?,
        })
    }

    /// One row per trial, as in the results, with `estimated_seconds` of training and
    /// `estimated_memory`. Trials whose data have not been read have no `id`.
    pub fn rows(&self) -> Vec<Row> {
        let row = |(trial, state): &(Trial, State)| {
            let mut row = head(&self.name, trial, state);
            if trial.data.hash.is_none() {
                row.id = None;
            }
            row.estimated_seconds = Some(self.seconds(trial));
            row.estimated_memory = Some(self.memory(trial));
            row
        };
        self.trials.iter().map(row).collect()
    }

    fn seconds(&self, trial: &Trial) -> f64 {
        trial.flops / self.speed.flops_per_second
    }

    fn memory(&self, trial: &Trial) -> u64 {
        self.calibration.demand(trial, None).memory
    }

    fn cells(&self, axes: &Columns, trial: &Trial, state: &State) -> Vec<String> {
        let id = match trial.data.hash {
            Some(_) => trial.id.clone(),
            None => "-".into(),
        };
        let mut cells = vec![id, state.name().into()];
        cells.extend(axes.cells(&trial.axes));
        cells.extend([
            trial.seed.to_string(),
            trial.data.bytes.to_string(),
            trial.parameters.to_string(),
            format!("{:.2e}", trial.flops),
            clock(self.seconds(trial)),
            self.memory(trial).div_ceil(1 << 20).to_string(),
        ]);
        cells
    }
}

impl fmt::Display for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut header = vec!["id".to_string(), "state".into()];
        let axes = Columns::of(self.trials.iter().map(|(trial, _)| &trial.axes));
        header.extend(axes.header());
        let last = ["seed", "data bytes", "parameters", "FLOPs", "time", "MiB"];
        header.extend(last.map(String::from));
        let left: Vec<usize> = (0..2 + axes.words()).collect();
        let mut table = Table::new(&header).left(&left);
        for (trial, state) in &self.trials {
            table.push(self.cells(&axes, trial, state));
        }
        table.fmt(f)?;
        let left = self
            .trials
            .iter()
            .filter(|(_, state)| *state != State::Done);
        let seconds: f64 = left.clone().map(|(trial, _)| self.seconds(trial)).sum();
        let all = |(trial, _): &(Trial, State)| self.calibration.demand(trial, Some(1)).seconds;
        let all: f64 = left.clone().map(all).sum();
        writeln!(
            f,
            "\n{} trials, {} to do: about {} of training at {:.1} GFLOP/s ({}); with scoring, {} \
             of one core",
            self.trials.len(),
            left.clone().count(),
            clock(seconds),
            self.speed.flops_per_second / 1e9,
            match self.speed.measured {
                true => "measured on this sweep's finished trials",
                false => "assumed: half the speed of a matrix product here",
            },
            clock(all),
        )?;
        if let Some(has) = machine_memory() {
            let large = left.filter(|(trial, _)| self.memory(trial) > has).count();
            if large > 0 {
                writeln!(
                    f,
                    "{large} of these need more memory than this machine has ({} MiB)",
                    has >> 20
                )?;
            }
        }
        let unseen: Vec<_> = self
            .trials
            .iter()
            .filter(|(trial, _)| trial.data.hash.is_none())
            .map(|(trial, _)| &trial.data)
            .collect();
        if let Some(data) = unseen.first() {
            let (n, source) = (unseen.len(), &data.source);
            let length = match data.bytes + data.holdout_bytes {
                0 => "of unknown length".to_owned(),
                bytes => format!("{bytes} bytes"),
            };
            writeln!(
                f,
                "{n} trials have no id yet: the data `{source}` ({length}) have not been read"
            )?;
        }
        Ok(())
    }
}

/// Seconds in a year.
const YEAR: f64 = 365.25 * 86400.0;

/// A duration in readable units.
pub fn clock(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "<1 s".into(),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 90.0 * 60.0 => format!("{:.0} min", s / 60.0),
        s if s < 48.0 * 3600.0 => format!("{:.1} h", s / 3600.0),
        s if s < 2.0 * YEAR => format!("{:.1} d", s / 86400.0),
        s => format!("{:.0} years", s / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        let times = [0.2, 59.6, 200.0, 7200.0, 1e6, 1e9].map(clock);
        let words = ["<1 s", "60 s", "3 min", "2.0 h", "11.6 d", "32 years"];
        assert_eq!(times, words);
    }
}
