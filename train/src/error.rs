//! Why training fails.

use crate::checkpoint::CheckpointError;
use crate::metrics::LogError;
use crate::ops::DeviceError;
use crate::recipe::TrainConfigError;
use brevity_model::{FileError, SpecError, WeightsError};
use std::io;
use std::path::PathBuf;

/// Bytes in a GiB.
const GIB: f64 = (1_u64 << 30) as f64;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The spec is invalid.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A hyperparameter is invalid.
    #[error(transparent)]
    Config(#[from] TrainConfigError),
    /// The device is not available.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The data is shorter than one sequence.
    #[error("the data has {bytes} bytes, less than one sequence: model.context is {context}")]
    TooShort {
        /// Bytes of data.
        bytes: usize,
        /// Bytes of a sequence.
        context: usize,
    },
    /// A step needs more memory than there is.
    #[error(
        "training takes at least {:.1} GiB of memory, and this machine has {:.1}: make \
         train.batch_bytes ({batch_bytes}) smaller, or train.accumulation larger",
        *needs as f64 / GIB,
        *has as f64 / GIB
    )]
    Memory {
        /// Bytes of memory needed, about.
        needs: u64,
        /// Bytes of the machine, or what this process may use of them.
        has: u64,
        /// Bytes a step.
        batch_bytes: u64,
    },
    /// What context models say is of other data.
    #[error("the data has {bytes} bytes, and the context models priced {beside}")]
    Beside {
        /// Bytes of data.
        bytes: usize,
        /// Bytes that the context models priced.
        beside: usize,
    },
    /// The loss is not finite.
    #[error(
        "training diverged at step {step}: the loss is {loss}; \
         try a lower train.learning_rate (it is {learning_rate})"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// Its loss.
        loss: f64,
        /// The configured learning rate.
        learning_rate: f64,
    },
    /// The folder of the run cannot be created.
    #[error("cannot create {path}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A checkpoint cannot be written or resumed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Metrics cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A weight is not finite.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The model cannot be written.
    #[error(transparent)]
    Model(#[from] FileError),
}
