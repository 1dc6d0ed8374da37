//! The training folder of a model for one file.

use brevity_codec::ScoreError;
use brevity_codec::archive;
use brevity_files::{FolderError, OwnedFolder};
use brevity_measure::MeasureError;
use brevity_model::{FileError, Weights, WeightsError};
use brevity_train::Difference;
use brevity_train::MODEL;
use brevity_train::TrainError;
use brevity_train::TrainSetup;
use brevity_train::online::{OnlineError, RecipeError};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// File that records the setup of the training in this folder.
const SETUP: &str = "setup.json";

/// Why no model for a file could be made.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The storage plan of the model cannot be found.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The trained model cannot be read.
    #[error(transparent)]
    Model(#[from] FileError),
    /// The trained weights are no weights.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The model cannot go on learning.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The file cannot be read.
    #[error("cannot read")]
    Read(#[source] io::Error),
    /// The archive cannot be written.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The online learner cannot be made.
    #[error(transparent)]
    Online(#[from] OnlineError),
    /// The output of a model is not finite.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// An operation of the file system failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder is not a training folder.
    #[error("{} is in the way: it is not the folder of an interrupted training", path.display())]
    InTheWay {
        /// The folder.
        path: PathBuf,
    },
    /// The folder belongs to another run.
    #[error(
        "{} holds another interrupted training: `{key}` is {there} there and \
         {here} here; give the same options to continue it, or delete the folder",
        path.display()
    )]
    Another {
        /// The folder.
        path: PathBuf,
        /// The first key that differs.
        key: String,
        /// Its value in the folder.
        there: String,
        /// Its value in this run.
        here: String,
    },
    /// Another process trains there.
    #[error("another process trains in {}", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
}

impl From<FolderError> for PackError {
    fn from(error: FolderError) -> PackError {
        match error {
            FolderError::Busy { path, .. } => PackError::Busy { path },
            FolderError::Io {
                action,
                path,
                source,
            } => PackError::Io {
                action,
                path,
                source,
            },
        }
    }
}

/// A folder for checkpoints and the trained model, locked for one process.
#[derive(Debug)]
pub struct Workspace {
    folder: OwnedFolder,
}

impl Workspace {
    /// Creates the folder, or opens one that a run of this kind left.
    ///
    /// # Errors
    /// Something else with this name; another process that works there.
    pub fn open(folder: PathBuf) -> Result<Workspace, PackError> {
        let ours = || OwnedFolder::was_owned(&folder) || is_empty(&folder);
        if folder.symlink_metadata().is_ok() && !ours() {
            return Err(PackError::InTheWay { path: folder });
        }
        Ok(Workspace {
            folder: OwnedFolder::take(folder)?,
        })
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether a training has begun here.
    pub fn is_in_use(&self) -> bool {
        self.folder().join(SETUP).exists()
    }

    /// Records the setup, or checks it against the recorded one; returns the model if
    /// it is trained.
    pub(super) fn begin(
        &self,
        setup: &TrainSetup,
        data: &[u8],
    ) -> Result<Option<Weights>, PackError> {
        let path = self.folder().join(SETUP);
        let identity = setup.identity(data);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                brevity_files::write(&path, &identity.to_json()).map_err(io("write", &path))?;
            }
            Err(error) => return Err(io("read", &path)(error)),
            Ok(text) => {
                if let Some(Difference { key, there, here }) = identity.difference_to(&text) {
                    return Err(PackError::Another {
                        path: self.folder().to_owned(),
                        key,
                        there,
                        here,
                    });
                }
            }
        }
        let model = self.folder().join(MODEL);
        match model.exists() {
            true => Ok(Some(Weights::load(&model)?)),
            false => Ok(None),
        }
    }

    /// Removes the folder with its content.
    ///
    /// # Errors
    /// An error of the file system.
    pub fn remove(self) -> Result<(), PackError> {
        fs::remove_dir_all(self.folder()).map_err(io("remove", self.folder()))
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PackError {
    let path = path.to_path_buf();
    move |source| PackError::Io {
        action,
        path,
        source,
    }
}
