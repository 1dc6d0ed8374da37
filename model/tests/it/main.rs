//! The crate's tests: one binary, one module for each subject.

mod files;
mod forward;
mod reference;
mod specs;
mod support;
