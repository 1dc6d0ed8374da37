//! The command, driven from outside.

mod archive;
mod compare;
mod contamination;
mod generate;
mod lengths;
mod loss_log;
mod online;
#[cfg(unix)]
mod output;
mod own_model;
mod predictor;
mod pretrained;
mod price;
mod score;
mod shell;
mod snapshot;
#[cfg(unix)]
mod streams;
mod sweep;
mod table;
mod terminal;
mod usage;
mod util;
