//! The command, driven from outside.

mod archive;
mod contamination;
mod generate;
mod lengths;
mod online;
#[cfg(unix)]
mod output;
mod own_model;
mod score;
mod sweep;
mod table;
mod usage;
mod util;
