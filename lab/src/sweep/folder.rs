//! The folder of a sweep: where things lie, in which state a trial is, and who
//! may work there.

use super::error::SweepError;
use super::manifest::{Manifest, Trial};
use super::store;
use brevity_files::{FolderError, OwnedFolder};
use brevity_length::{Provenance, ROW_VERSION, Score, Training};
use brevity_train::MODEL;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file that says that a trial is done.
const SCORE: &str = "score.json";
/// The file that says that a trial failed, and why.
const FAILED: &str = "failed.json";
/// What is known of the training once it is complete.
const TRAINED: &str = "trained.json";
/// Scores of some of the regimes, until all are done.
const SCORED: &str = "scored.json";

/// How far a trial is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing was done yet.
    Pending,
    /// Work began and did not end.
    Interrupted,
    /// It has its scores.
    Done,
    /// It failed.
    Failed(Failure),
}

impl State {
    /// The state in results.
    pub fn in_results(&self) -> brevity_length::State {
        match self {
            State::Pending => brevity_length::State::Pending,
            State::Interrupted => brevity_length::State::Interrupted,
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
    /// How often it was tried.
    pub attempts: u32,
}

/// What a finished trial yields: the file `score.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialScore {
    /// Version of the file; none in those of version 0.1.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "known"
    )]
    pub version: Option<u32>,
    /// The trial.
    pub id: String,
    /// One a regime.
    pub scores: Vec<Score>,
    /// What the training reports of itself.
    pub training: Training,
    /// Where the numbers come from.
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

    /// Where the manifest lies.
    pub fn manifest_path(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    /// The folder of a trial.
    pub fn trial(&self, trial: &Trial) -> PathBuf {
        self.root.join("trials").join(&trial.id)
    }

    /// The manifest.
    ///
    /// # Errors
    /// A folder that holds no sweep, or a damaged one.
    pub fn manifest(&self) -> Result<Manifest, SweepError> {
        let path = self.manifest_path();
        store::read_json(&path)?.ok_or_else(|| {
            SweepError::Usage(format!(
                "{} holds no sweep: there is no manifest.json",
                self.root.display()
            ))
        })
    }

    /// Makes the folder a sweep's, or checks that it already is this sweep's.
    /// Safe against others that do the same at the same time.
    pub(super) fn claim(&self, manifest: &Manifest, config: &str) -> Result<(), SweepError> {
        store::create_folder(&self.root.join("trials"))?;
        let path = self.manifest_path();
        if !store::write_new(&path, &store::json(manifest))? {
            self.manifest()?.refuse_drift(&path, manifest)?;
        }
        store::write_new(&self.root.join("config.toml"), config.as_bytes())?;
        Ok(())
    }

    /// Takes the folder for this process: alone, or together with other shards
    /// of the same sweep.
    pub(super) fn lock(&self, shared: bool) -> Result<OwnedFolder, SweepError> {
        Ok(match shared {
            true => OwnedFolder::share(&self.root)?,
            false => OwnedFolder::take(&self.root)?,
        })
    }

    /// Takes one trial's folder, making it. `None` if another shard has it.
    pub(super) fn lock_trial(&self, trial: &Trial) -> Result<Option<OwnedFolder>, SweepError> {
        match OwnedFolder::take(self.trial(trial)) {
            Err(FolderError::Busy { .. }) => Ok(None),
            taken => Ok(Some(taken?)),
        }
    }

    /// How far a trial is.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn state(&self, trial: &Trial) -> Result<State, SweepError> {
        let folder = self.trial(trial);
        if folder.join(SCORE).exists() {
            return Ok(State::Done);
        }
        if let Some(failure) = store::read_json(&folder.join(FAILED))? {
            return Ok(State::Failed(failure));
        }
        let begun = ["config.toml", MODEL, "checkpoint"];
        if begun.iter().any(|name| folder.join(name).exists()) {
            return Ok(State::Interrupted);
        }
        Ok(State::Pending)
    }

    /// The scores of a finished trial.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn score(&self, trial: &Trial) -> Result<Option<TrialScore>, SweepError> {
        store::read_json(&self.trial(trial).join(SCORE))
    }

    pub(super) fn write_score(&self, trial: &Trial, score: &TrialScore) -> Result<(), SweepError> {
        let folder = self.trial(trial);
        store::write_json(&folder.join(SCORE), score)?;
        store::remove(&folder.join(SCORED))?;
        store::remove(&folder.join(FAILED))
    }

    pub(super) fn write_failure(&self, trial: &Trial, failure: &Failure) -> Result<(), SweepError> {
        store::write_json(&self.trial(trial).join(FAILED), failure)
    }

    pub(super) fn write_config(&self, trial: &Trial) -> Result<(), SweepError> {
        let path = self.trial(trial).join("config.toml");
        if path.exists() {
            return Ok(());
        }
        let text = toml::to_string(&trial.config).expect("a config came from TOML");
        store::write(&path, text.as_bytes())
    }

    /// What the complete training reported, where it is complete.
    pub(super) fn trained(&self, trial: &Trial) -> Result<Option<Training>, SweepError> {
        let folder = self.trial(trial);
        if !folder.join(MODEL).exists() {
            return Ok(None);
        }
        // Killed between the weights and the report: the weights are what counts.
        Ok(Some(
            store::read_json(&folder.join(TRAINED))?.unwrap_or_default(),
        ))
    }

    pub(super) fn write_trained(&self, trial: &Trial, report: &Training) -> Result<(), SweepError> {
        store::write_json(&self.trial(trial).join(TRAINED), report)
    }
}

/// The scores of the regimes that are done so far, of the trial in `folder`.
pub(crate) fn scored(folder: &Path) -> Result<Vec<Score>, SweepError> {
    Ok(store::read_json(&folder.join(SCORED))?.unwrap_or_default())
}

pub(crate) fn write_scored(folder: &Path, scores: &[Score]) -> Result<(), SweepError> {
    store::write_json(&folder.join(SCORED), &scores)
}
