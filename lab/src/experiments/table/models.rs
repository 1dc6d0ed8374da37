//! The models of a table, each trained once and kept in its folder.

use std::fs;
use std::path::{Path, PathBuf};

use brevity_data::{ByteSet, regime};
use brevity_length::Regime;
use brevity_measure::{Archives, MeasureError, StoredModel, measure};
use brevity_model::Weights;
use brevity_train::{Control, DeviceKind, MODEL, Outcome, Progress, Stop, TrainSetup};

use super::config::{Config, ModelRow};
use super::sets::{Bytes, mixture};
use super::{Cell, MatrixError, Options, slug};

/// A model that was trained on `learned`.
pub(super) struct Trained<'a> {
    /// Name of its row.
    pub name: &'a str,
    pub folder: PathBuf,
    pub learned: &'a ByteSet,
    /// The sets that `learned` is made of.
    pub parts: &'a [&'a ByteSet],
    pub setup: &'a TrainSetup,
}

/// Folder of the tasks of models, in that of the table.
pub(super) const TASKS: &str = "tasks";

/// File that records the origin of a model, so that another config in the same folder
/// does not use it.
const ORIGIN: &str = "origin.txt";

/// Hash of everything that determines the weights.
pub(super) fn origin(setup: &TrainSetup, learned: &ByteSet) -> String {
    let text = format!("{setup:?} {}", learned.blake3());
    ByteSet::new("origin", text.into_bytes()).provenance.blake3
}

impl Trained<'_> {
    /// The weights: read from the folder, or trained, continuing an interrupted training.
    pub fn weights(&self, options: &Options<'_>) -> Result<Weights, MatrixError> {
        let origin = origin(self.setup, self.learned);
        let file = |action, path: &Path| {
            let path = path.to_owned();
            move |source| MatrixError::File {
                action,
                path,
                source,
            }
        };
        let path = self.folder.join(ORIGIN);
        if fs::read_to_string(&path).ok().as_deref() != Some(&origin) {
            match fs::remove_dir_all(&self.folder) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(file("remove", &self.folder)(e));
                }
                _ => {}
            }
            fs::create_dir_all(&self.folder).map_err(file("create", &self.folder))?;
            brevity_files::write(&path, origin.as_bytes()).map_err(file("write", &path))?;
        }
        let model = self.folder.join(MODEL);
        let failed = |source| MatrixError::Train {
            row: self.name.to_owned(),
            source,
        };
        if model.exists() {
            return Weights::load(&model).map_err(|e| failed(e.into()));
        }
        let progress = |at: Progress<'_>| {
            let done = {
                let bits = at.bits_per_byte.unwrap_or_default();
                format!("training {}, {bits:.2} bpb", self.name)
            };
            (options.progress)(Progress { what: &done, ..at });
        };
        let control = Control {
            stop: options.stop,
            progress: &progress,
        };
        match brevity_train::run(self.setup, &self.learned.bytes, &self.folder, &control) {
            Ok(Outcome::Finished { weights, .. }) => Ok(weights),
            Ok(Outcome::Interrupted { .. }) => Err(MatrixError::Stopped),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// How `set` relates to the training data. A mixture counts as the same source as
    /// each of its parts.
    fn regime(&self, set: &ByteSet) -> Regime {
        if let [one] = self.parts {
            return regime(one, set);
        }
        let parts = self.parts.iter().map(|part| regime(part, set));
        let parts: Vec<Regime> = parts.collect();
        let any = |regime| parts.contains(&regime);
        if any(Regime::InSample) || any(Regime::Overlap) {
            Regime::Overlap
        } else if any(Regime::HeldOut) {
            Regime::HeldOut
        } else {
            Regime::Shifted
        }
    }

    /// The cell of `set` under the model. The model is charged to its training bytes if
    /// the set is held out from them, otherwise to the set.
    pub fn cell(
        &self,
        weights: &Weights,
        set: &ByteSet,
        options: &Options<'_>,
    ) -> Result<Cell, MatrixError> {
        let failed = |source: MeasureError| match source {
            MeasureError::Stopped => MatrixError::Stopped,
            source => MatrixError::Train {
                row: self.name.to_owned(),
                source: source.into(),
            },
        };
        let regime = self.regime(set);
        let paying = match regime {
            Regime::HeldOut => self.learned,
            _ => set,
        };
        let model = StoredModel::for_data(weights.clone(), &paying.bytes, options.stop);
        let model = model.map_err(failed)?;
        let scratch = tempfile::tempdir_in(&self.folder).map_err(|source| MatrixError::File {
            action: "write into",
            path: self.folder.to_owned(),
            source,
        })?;
        let path = self.folder.join(MODEL);
        let archives = options.decoder.map(|decoder| Archives {
            folder: scratch.path(),
            name: "cell",
            model: &path,
            decoder,
        });
        let trained_on = self.learned.len() as u64;
        let (bytes, stop) = (&set.bytes, options.stop);
        let found = measure(&model, bytes, regime, trained_on, archives.as_ref(), stop);
        Ok(Cell::of(&found.map_err(failed)?))
    }
}

/// A model of the table: a row of the config, and one of the sets that it learns.
pub(super) struct ModelOf<'a> {
    pub row: &'a ModelRow,
    pub learns: &'a str,
    pub name: String,
    parts: Vec<&'a ByteSet>,
}

/// All models whose training sets are there, with a note about the others.
pub(super) fn all<'a>(
    config: &'a Config,
    sets: &'a [Option<Bytes>],
    notes: &mut Vec<String>,
) -> Vec<ModelOf<'a>> {
    let mut models = Vec::new();
    for row in &config.models {
        for learns in &row.learns {
            let part = |name: &str| {
                let mut named = config.sets.iter().zip(sets);
                let (_, bytes) = named.find(|(set, _)| set.name == name)?;
                bytes.as_ref().map(|bytes| &bytes.train)
            };
            let Some(parts) = learns.split('+').map(part).collect::<Option<Vec<_>>>() else {
                notes.push(format!(
                    "{} on {learns} is left out: a set is missing",
                    row.name
                ));
                continue;
            };
            let name = match row.learns.len() {
                1 => row.name.clone(),
                _ => format!("{} on {learns}", row.name),
            };
            models.push(ModelOf {
                row,
                learns,
                name,
                parts,
            });
        }
    }
    models
}

impl ModelOf<'_> {
    /// The training setup.
    pub fn setup(&self, device: DeviceKind) -> TrainSetup {
        TrainSetup {
            spec: self.row.spec.resolve().expect("the config was checked"),
            config: self.row.train.clone(),
            seed: self.row.seed,
            device,
            beside: None,
        }
    }

    /// The training bytes.
    pub fn learned(&self) -> ByteSet {
        let spec = self.row.spec.resolve().expect("the config was checked");
        mixture(self.learns, &self.parts, 16 * spec.context)
    }

    /// The folder of its task in that of the table: lock and cells.
    pub fn task(&self, table: &Path) -> PathBuf {
        table.join(TASKS).join(slug(&self.name))
    }

    /// The model, to be trained in the folder of the table.
    pub fn trained<'a>(
        &'a self,
        table: &Path,
        setup: &'a TrainSetup,
        learned: &'a ByteSet,
    ) -> Trained<'a> {
        Trained {
            name: &self.name,
            folder: table.join("models").join(slug(&self.name)),
            learned,
            parts: &self.parts,
            setup,
        }
    }
}

/// A stop request that is never set.
pub static NEVER: Stop = Stop::new();
