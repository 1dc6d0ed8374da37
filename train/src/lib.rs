//! Training with burn: from a spec and bytes to weights.
//!
//! - [`run`] trains one model: [`TrainSetup`] is its input, [`Control`]
//!   connects it to the caller, [`Outcome`] is its result; [`evaluate`]
//!   computes the burn model's loss.
//! - [`TrainConfig`] is the `[train]` table of an experiment: optimizer,
//!   learning-rate schedule, number of steps, regularisation.
//! - [`QuantiseConfig`] is its `[train.quantise]` table: quantisation-aware
//!   training, which minimises the length of weights and data together.
//! - [`online`] learns the bytes it has scored: the prequential code, and archives
//!   that contain a recipe instead of weights.
//! - [`ops`] extends burn's backends by the operations of a byte transformer;
//!   on the CPU they run the kernels of `brevity-kernels`.
//!
//! On the CPU a run is reproducible: the same setup and bytes give the same
//! `model.safetensors` on every machine, with any number of threads, also after it
//! was killed and resumed. Models are defined in `brevity-model`, code lengths in
//! `brevity-codec`, description lengths in `brevity-length`; `brevity-lab` runs many
//! trainings.
//!
//! ```
//! use brevity_model::Spec;
//! use brevity_train::{Control, DeviceKind, Outcome, Stop, TrainConfig, TrainSetup, run};
//!
//! let data = b"to be or not to be, ".repeat(10);
//! let setup = TrainSetup {
//!     spec: Spec::brevity(8, 1, 1, 16),
//!     config: TrainConfig { steps: Some(5), batch_bytes: 64, ..TrainConfig::default() },
//!     seed: 1,
//!     device: DeviceKind::Flex,
//!     beside: None,
//! };
//! let folder = tempfile::tempdir()?;
//! let stop = Stop::new();
//! let control = Control::silent(&stop);
//! let Outcome::Finished { weights, metrics } = run(&setup, &data, folder.path(), &control)?
//! else {
//!     unreachable!("nobody stopped it")
//! };
//! assert_eq!(weights.spec(), &setup.spec);
//! assert!(metrics.loss < 8.5);
//! assert!(folder.path().join("model.safetensors").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// The types of GPU backends are deeply nested.
#![recursion_limit = "256"]

mod batches;
mod checkpoint;
mod error;
mod gates;
mod gradients;
mod identity;
mod memory;
mod metrics;
pub mod online;
pub mod ops;
mod optimizer;
mod parameters;
mod permutation;
mod quantise;
mod random;
mod recipe;
mod run;
mod schedule;
mod transformer;

pub use brevity_task::{Control, Progress, Stop};
pub use checkpoint::{CheckpointError, checkpoint_path};
pub use error::TrainError;
pub use identity::{Difference, RunIdentity};
pub use memory::machine_memory;
pub use metrics::{LogError, Metrics};
pub use ops::{DeviceError, DeviceKind};
pub use recipe::{
    OptimizerKind, Order, QuantiseConfig, ScheduleKind, TrainConfig, TrainConfigError,
};
pub use run::{MODEL, Outcome, TrainSetup, check, evaluate, run, run_hashed};
