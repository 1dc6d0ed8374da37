//! The folder of a sweep: its files, the states of its trials, its locks.

use super::error::SweepError;
use super::manifest::{Manifest, Trial};
use super::{checksums, files};
use brevity_files::{FolderError, OwnedFolder};
use brevity_length::{Provenance, ROW_VERSION, Score, Training};
use brevity_model::is_whole_model;
use brevity_train::MODEL;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Marks a trial as done; holds its scores.
const SCORE: &str = "score.json";
/// Marks a trial as failed; holds the reason.
const FAILED: &str = "failed.json";
/// The training report, once training is complete.
const TRAINED: &str = "trained.json";
/// Scores of the finished regimes, until all are done.
const SCORED: &str = "scored.json";

/// The state of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not started.
    Pending,
    /// Started and not finished; nobody works on it, as far as was looked.
    Interrupted,
    /// A process works on it.
    Running,
    /// Scored.
    Done,
    /// Failed.
    Failed(Failure),
}

impl State {
    /// The state in results.
    pub fn in_results(&self) -> brevity_length::State {
        match self {
            State::Pending => brevity_length::State::Pending,
            State::Interrupted => brevity_length::State::Interrupted,
            State::Running => brevity_length::State::Running,
            State::Done => brevity_length::State::Done,
            State::Failed(_) => brevity_length::State::Failed,
        }
    }

    /// The name in results.
    pub fn name(&self) -> &'static str {
        self.in_results().name()
    }
}

/// Why a trial failed: the file `failed.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error with its causes.
    pub message: String,
    /// Number of attempts.
    pub attempts: u32,
}

/// The result of a finished trial: the file `score.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialScore {
    /// Version of the file; files of version 0.1 have none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "known"
    )]
    pub version: Option<u32>,
    /// The trial.
    pub id: String,
    /// One per regime.
    pub scores: Vec<Score>,
    /// The training report.
    pub training: Training,
    /// Versions, device and hashes behind the numbers.
    pub provenance: Provenance,
}

fn known<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    match Option::<u32>::deserialize(from)? {
        Some(version) if version > ROW_VERSION => Err(serde::de::Error::custom(format!(
            "it is of version {version}, and this program reads up to version {ROW_VERSION}"
        ))),
        version => Ok(version),
    }
}

/// The folder of a sweep.
#[derive(Clone, Debug)]
pub struct SweepFolder {
    root: PathBuf,
}

impl SweepFolder {
    /// The folder at `root`, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> SweepFolder {
        SweepFolder { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Path of the manifest.
    pub fn manifest_path(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    /// Path of a trial's folder.
    pub fn trial(&self, trial: &Trial) -> PathBuf {
        self.root.join("trials").join(&trial.id)
    }

    /// The manifest.
    ///
    /// # Errors
    /// A folder that holds no sweep, or a damaged one.
    pub fn manifest(&self) -> Result<Manifest, SweepError> {
        let path = self.manifest_path();
        let manifest: Manifest = files::read_json(&path)?.ok_or_else(|| {
            SweepError::Usage(format!(
                "{} holds no sweep: there is no manifest.json",
                self.root.display()
            ))
        })?;
        match manifest.fault() {
            None => Ok(manifest),
            Some(message) => Err(SweepError::Corrupt { path, message }),
        }
    }

    /// Creates the sweep's folder, or checks that it belongs to the same sweep. Safe
    /// when several processes do so at once. Returns the trials as this folder names
    /// them.
    pub(super) fn claim(&self, manifest: &Manifest, config: &str) -> Result<Manifest, SweepError> {
        files::create_folder(&self.root.join("trials"))?;
        let path = self.manifest_path();
        let mut manifest = manifest.clone();
        if !files::write_new(&path, &files::json(&manifest))? {
            let frozen = self.manifest()?;
            frozen.refuse_drift(&path, &manifest)?;
            if frozen.format != manifest.format {
                manifest = manifest.with_ids_of(&frozen);
            }
        }
        files::write_new(&self.root.join("config.toml"), config.as_bytes())?;
        Ok(manifest)
    }

    /// Replaces the manifest by one with the same trials.
    pub(super) fn write_manifest(&self, manifest: &Manifest) -> Result<(), SweepError> {
        files::write_json(&self.manifest_path(), manifest)
    }

    /// Locks the folder for this process: exclusively, or shared with other processes
    /// that run trials of the same sweep. Where locks do nothing, it is not shared.
    pub(super) fn lock(&self, shared: bool) -> Result<OwnedFolder, SweepError> {
        if !shared {
            return Ok(OwnedFolder::take(&self.root)?);
        }
        let lock = OwnedFolder::share(&self.root)?;
        match lock.holds()? {
            true => Ok(lock),
            false => Err(SweepError::NoLocks {
                path: self.root.clone(),
            }),
        }
    }

    /// Creates and locks one trial's folder. `None` if another shard holds it.
    pub(super) fn lock_trial(&self, trial: &Trial) -> Result<Option<OwnedFolder>, SweepError> {
        match OwnedFolder::take(self.trial(trial)) {
            Err(FolderError::Busy { .. }) => Ok(None),
            taken => Ok(Some(taken?)),
        }
    }

    /// The state of a trial.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn state(&self, trial: &Trial) -> Result<State, SweepError> {
        let folder = self.trial(trial);
        if folder.join(SCORE).exists() {
            return Ok(State::Done);
        }
        if let Some(failure) = files::read_json(&folder.join(FAILED))? {
            return Ok(State::Failed(failure));
        }
        let begun = ["config.toml", MODEL, "checkpoint"];
        if begun.iter().any(|name| folder.join(name).exists()) {
            return Ok(State::Interrupted);
        }
        Ok(State::Pending)
    }

    /// As [`state`](Self::state), and whether a process works on the trial now.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn state_now(&self, trial: &Trial) -> Result<State, SweepError> {
        match self.state(trial)? {
            State::Interrupted if OwnedFolder::is_owned(&self.trial(trial))? => Ok(State::Running),
            state => Ok(state),
        }
    }

    /// Whether the trial is done.
    pub(super) fn is_done(&self, trial: &Trial) -> bool {
        self.trial(trial).join(SCORE).exists()
    }

    /// The scores of a finished trial.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn score(&self, trial: &Trial) -> Result<Option<TrialScore>, SweepError> {
        let folder = self.trial(trial);
        checksums::refuse_damage(&folder, SCORE)?;
        files::read_json(&folder.join(SCORE))
    }

    /// The first file of a trial whose hash is not the recorded one, if any.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn damage(&self, trial: &Trial) -> Result<Option<PathBuf>, SweepError> {
        let folder = self.trial(trial);
        let done = folder.join(SCORE).exists();
        // Weights are large, and a finished trial no longer needs them: `lost_model` looks
        // at their header.
        let names = [(MODEL, !done), (TRAINED, true), (SCORE, true)];
        for (name, looked_at) in names {
            if looked_at && checksums::is_damaged(&folder, name)? {
                return Ok(Some(folder.join(name)));
            }
        }
        Ok(None)
    }

    /// The model file of a finished trial, if it is missing or not as long as its header
    /// says.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn lost_model(&self, trial: &Trial) -> Result<Option<PathBuf>, SweepError> {
        if !self.is_done(trial) {
            return Ok(None);
        }
        let path = self.trial(trial).join(MODEL);
        match is_whole_model(&path) {
            Ok(whole) => Ok((!whole).then_some(path)),
            Err(error) => Err(SweepError::io("read", &path, error)),
        }
    }

    /// Removes a damaged file of a trial and every file derived from it, so that they
    /// are made again.
    pub(super) fn discard(&self, trial: &Trial, damaged: &Path) -> Result<(), SweepError> {
        let folder = self.trial(trial);
        let score_alone = damaged.ends_with(SCORE);
        let names = [SCORE, SCORED, TRAINED, MODEL];
        for name in &names[..if score_alone { 2 } else { 4 }] {
            files::remove(&folder.join(name))?;
            checksums::forget(&folder, name)?;
        }
        Ok(())
    }

    pub(super) fn write_score(&self, trial: &Trial, score: &TrialScore) -> Result<(), SweepError> {
        let folder = self.trial(trial);
        write_recorded(&folder, SCORE, score)?;
        files::remove(&folder.join(SCORED))?;
        files::remove(&folder.join(FAILED))
    }

    pub(super) fn write_failure(&self, trial: &Trial, failure: &Failure) -> Result<(), SweepError> {
        files::write_json(&self.trial(trial).join(FAILED), failure)
    }

    pub(super) fn write_config(&self, trial: &Trial) -> Result<(), SweepError> {
        let path = self.trial(trial).join("config.toml");
        if path.exists() {
            return Ok(());
        }
        let text = toml::to_string(&trial.config).expect("a config came from TOML");
        files::write(&path, text.as_bytes())
    }

    /// The training report, if training is complete.
    pub(super) fn trained(&self, trial: &Trial) -> Result<Option<Training>, SweepError> {
        let folder = self.trial(trial);
        if !folder.join(MODEL).exists() {
            return Ok(None);
        }
        // Killed after the weights were written and before the report: the weights
        // count.
        checksums::record_as_it_is(&folder, MODEL)?;
        Ok(Some(
            files::read_json(&folder.join(TRAINED))?.unwrap_or_default(),
        ))
    }

    pub(super) fn write_trained(&self, trial: &Trial, report: &Training) -> Result<(), SweepError> {
        let folder = self.trial(trial);
        checksums::record_as_it_is(&folder, MODEL)?;
        write_recorded(&folder, TRAINED, report)
    }
}

/// The scores of the finished regimes of the trial in `folder`.
pub(crate) fn scored(folder: &Path) -> Result<Vec<Score>, SweepError> {
    // The file only saves time, so a damaged one is made again.
    if checksums::is_damaged(folder, SCORED)? {
        return Ok(Vec::new());
    }
    Ok(files::read_json(&folder.join(SCORED))?.unwrap_or_default())
}

pub(crate) fn write_scored(folder: &Path, scores: &[Score]) -> Result<(), SweepError> {
    write_recorded(folder, SCORED, &scores)
}

/// Records the hash of a value's JSON, then writes it.
fn write_recorded(folder: &Path, name: &str, value: &impl Serialize) -> Result<(), SweepError> {
    let bytes = files::json(value);
    checksums::record(folder, name, &bytes)?;
    files::write(&folder.join(name), &bytes)
}
