//! The tests of `brevity-stats`, as one binary.

mod coverage;
mod critical;
mod larger_data;
mod scenarios;
mod tied;
