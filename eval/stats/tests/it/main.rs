//! The tests of `brevity-stats`, as one binary.

mod coverage;
mod critical;
mod documents;
mod larger_data;
mod others;
mod scenarios;
mod tied;
