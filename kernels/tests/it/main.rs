//! The crate's tests: one binary, one module for each subject.

mod attention;
mod attention_reference;
mod gemm;
mod layers;
mod math;
mod mixture;
mod optim;
mod support;
