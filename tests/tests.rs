//! The command, driven from outside.

mod archive;
mod sweep;
mod usage;
mod util;
