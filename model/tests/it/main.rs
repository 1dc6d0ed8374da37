//! The crate's tests: one binary, one module a subject.

mod files;
mod forward;
mod reference;
mod specs;
mod support;
