//! The crate's tests: one binary, one module a subject.

mod files;
mod specs;
mod support;
