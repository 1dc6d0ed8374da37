//! The command, driven from outside.

mod apart;
mod archive;
#[cfg(unix)]
mod cluster;
mod compare;
mod contamination;
#[cfg(unix)]
mod data;
mod generate;
mod lengths;
#[cfg(unix)]
mod limits;
mod loss_log;
mod online;
#[cfg(unix)]
mod output;
mod own_model;
mod predictor;
mod pretrained;
mod price;
mod rank;
mod score;
mod shell;
mod snapshot;
#[cfg(unix)]
mod streams;
#[cfg(unix)]
mod submission;
mod sweep;
mod table;
#[cfg(unix)]
mod tasks;
mod terminal;
mod usage;
mod util;
