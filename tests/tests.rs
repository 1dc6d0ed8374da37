//! The command, driven from outside.

mod archive;
mod online;
mod own_model;
mod sweep;
mod usage;
mod util;
