//! A plan in the words of existing schedulers.
//!
//! brevity schedules nothing: a task is a command, and how a command ends says what to do
//! next. 0: its trials are done. 1: something failed. 75: nothing failed, others work on
//! what is left. 130: stopped with a checkpoint; the same command continues.

mod commands;
mod hq;
mod slurm;

pub use commands::commands;
pub use hq::write_hq_job;
pub use slurm::{SlurmScripts, write_slurm_scripts};
