//! The command, driven from outside.

mod archive;
mod contamination;
#[cfg(unix)]
mod data;
mod generate;
mod lengths;
#[cfg(unix)]
mod limits;
mod online;
#[cfg(unix)]
mod output;
mod own_model;
mod pretrained;
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
