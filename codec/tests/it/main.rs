//! The crate's tests: one binary, one module for each subject. `paths.rs` is apart, because
//! it changes the instruction set of its process.

mod archive;
mod brief;
mod golden;
mod hostile;
mod lstm;
mod page;
mod predictors;
mod range;
mod salvage;
mod seeds;
mod verified;
