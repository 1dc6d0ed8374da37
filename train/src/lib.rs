//! From a spec and bytes to weights, with burn.
//!
//! - [`run`] trains one model: [`TrainSetup`] says what and how, [`Control`]
//!   connects it to the caller, [`Outcome`] is what comes back; [`evaluate`]
//!   measures the burn model's loss.
//! - [`TrainConfig`] is the `[train]` table of an experiment: optimiser,
//!   schedule, budget, regularisation.
//! - [`QuantiseConfig`] is its `[train.quantise]` table, which makes the last
//!   part of a run minimise the length of weights and data together.
//! - [`online`] learns the bytes it prices: the prequential code, and archives
//!   that hold a recipe instead of weights.
//! - [`ops`] extends burn's backends by the operations of a byte transformer;
//!   on the CPU they are the kernels of `brevity-kernels`.
//!
//! On the CPU a run is reproducible: the same setup and bytes give the same
//! `model.safetensors` on every machine, with any number of threads, and when
//! it was killed and continued. What a model is lives in `brevity-model`, what
//! a code length is in `brevity-codec`, what runs many trainings in `brevity-lab`.
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

// The types of a GPU backend nest deeply.
#![recursion_limit = "256"]

mod batches;
mod checkpoint;
mod gradients;
mod identity;
mod metrics;
pub mod online;
pub mod ops;
mod optimizer;
mod parameters;
mod quantise;
mod random;
mod recipe;
mod run;
mod schedule;
mod transformer;

pub use brevity_task::{Control, Progress, Stop};
pub use checkpoint::{CheckpointError, checkpoint_path};
pub use identity::{Difference, RunIdentity};
pub use metrics::{LogError, Metrics};
pub use ops::{DeviceError, DeviceKind};
pub use recipe::{
    OptimizerKind, Order, QuantiseConfig, ScheduleKind, TrainConfig, TrainConfigError,
};
pub use run::{MODEL, Outcome, TrainError, TrainSetup, evaluate, run};
