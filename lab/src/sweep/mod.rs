//! Sweeps: many trials, one folder, and nothing lost whatever happens.
//!
//! An [`Experiment`](crate::config::Experiment) is expanded once into a
//! [`Manifest`], which is frozen in the sweep's folder; [`run`] does what is
//! left of it. Training and scoring are given to it as a [`Trainer`] and a
//! [`Scorer`]; those of [`two_part`](crate::experiments::two_part) and
//! [`prequential`](crate::experiments::prequential) are the usual ones.
//!
//! ```text
//! runs/NAME/
//!   manifest.json          the trials: ids, axes, complete configs
//!   config.toml            the config as it was given
//!   lock                   held while a sweep runs here
//!   results.json, .csv     one row a trial and regime
//!   trials/ID/
//!     config.toml          the trial's complete config
//!     metrics.jsonl        the training, line by line
//!     tensorboard/         the same for TensorBoard
//!     checkpoint/          where the training continues
//!     model.safetensors    the weights: the training is complete
//!     trained.json         what the training reports
//!     archive/             of each regime the archive that holds its model
//!     scored.json          scores of the regimes that are done, until all are
//!     score.json           scores and provenance: the trial is done
//!     failed.json          why it failed
//! ```
//!
//! What makes a sweep safe to kill: every file appears whole, under its name,
//! after its bytes are on the disk; a trial's state is nothing but which of its
//! files are there; and the locks are the operating system's, which takes them
//! back from a dead process.

mod by_kind;
mod data_cache;
mod dry_run;
mod error;
mod folder;
mod job;
mod manifest;
mod options;
mod progress;
mod provenance;
mod record;
mod results;
mod run;
mod slurm;
pub(crate) mod store;
mod table;

pub use by_kind::ByKind;
pub use data_cache::DataCache;
pub use dry_run::{DryRun, Speed};
pub use error::SweepError;
pub use folder::{Failure, State, SweepFolder, TrialScore};
pub(crate) use folder::{scored, write_scored};
pub use job::{Job, Observer, Scorer, Step, Trainer, Unobserved, Work, WorkError};
pub use manifest::{DataIdentity, FORMAT, Manifest, Trial};
pub use options::{RunOptions, Shard, Summary};
pub use progress::Bars;
pub use record::TrialRecord;
pub use results::{csv, rows};
pub use run::run;
pub use slurm::write_script;
pub use table::table;
