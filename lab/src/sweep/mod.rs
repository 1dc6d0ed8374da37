//! Sweeps: many trials in one folder that survives interruption.
//!
//! An [`Experiment`](crate::config::Experiment) is expanded once into a [`Manifest`],
//! which is stored unchanged in the sweep's folder; [`run`] runs the trials that are
//! not done. It takes a [`Trainer`] and a [`Scorer`], usually those of
//! [`two_part`](crate::experiments::two_part) and
//! [`prequential`](crate::experiments::prequential).
//!
//! ```text
//! runs/NAME/
//!   manifest.json          the trials: ids, axes, complete configs
//!   config.toml            the config as it was given
//!   lock                   held while a sweep runs here
//!   results.json, .csv     one row per trial and regime
//!   index/                 hints for tasks that share the folder
//!   sweep.sbatch, ...      what schedulers were given
//!   jobs.json              the jobs that were submitted
//!   logs/                  what they printed
//!   trials/ID/
//!     config.toml          the trial's complete config
//!     metrics.jsonl        training metrics, one line per step logged
//!     tensorboard/         the same for TensorBoard
//!     checkpoint/          the state that training continues from
//!     model.safetensors    the weights, once training is complete
//!     trained.json         the training report
//!     archive/             for each regime, the archive that holds its model
//!     scored.json          scores of the finished regimes, until all are done
//!     score.json           scores and provenance, once the trial is done
//!     failed.json          why the trial failed
//!     checksums.json       hashes of the files above that others are derived from
//! ```
//!
//! A sweep can be killed at any time: a file appears under its name only after all its
//! bytes are on the disk; the state of a trial is determined by which of its files
//! exist; the locks are the operating system's, which releases those of a dead process.
//! A file that differs from its recorded hash is reported and not used; `--resume`
//! makes it again.

mod adaptive;
mod attempt;
mod by_kind;
pub(crate) mod checksums;
mod data_cache;
pub(crate) mod demand;
mod dry_run;
mod engines;
mod error;
pub(crate) mod files;
mod folder;
mod free;
pub(crate) mod frozen;
mod index;
mod job;
mod jobs;
mod kind;
mod log_lines;
mod machine;
mod manifest;
mod options;
pub(crate) mod plan;
mod progress;
mod provenance;
mod results;
mod run;
mod scheduler;
pub(crate) mod shell;
mod speed;
mod status;
mod submit;
mod table;
mod trial_record;

pub use adaptive::{Round, next_round, round_of, run_adaptive};
pub use attempt::Attempt;
pub use by_kind::ByKind;
pub use data_cache::DataCache;
pub use demand::{Calibration, Demand};
pub use dry_run::{DryRun, clock};
pub use engines::{SlurmScripts, commands, write_hq_job, write_slurm_scripts};
pub use error::{SchedulerError, SweepError};
pub use folder::{Failure, State, SweepFolder, TrialScore};
pub(crate) use folder::{scored, write_scored};
pub use job::{Job, Observer, Scorer, Step, Trainer, Unobserved, Work, WorkError};
pub use jobs::{SchedulerKind, Submission, submissions};
pub use kind::Kind;
pub use log_lines::LogLines;
pub use machine::Place;
pub use manifest::{DataIdentity, FORMAT, Manifest, Trial};
pub use options::{RunOptions, Shard, Summary};
pub use plan::{Plan, PlannedTask, PlannedTrial, TaskOptions};
pub use progress::Bars;
pub use results::{collect, csv, rows};
pub use run::{run, run_frozen};
pub use scheduler::{JobState, JobStates, cancel, job_states};
pub use shell::{join, quote};
pub use speed::{Speed, product_speed};
pub use status::{Standing, Status, TrialStatus};
pub use submit::{Prepared, freeze, prepare, submit};
pub use table::table;
pub use trial_record::TrialRecord;
