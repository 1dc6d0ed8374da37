//! The tests of `brevity-stats`, as one binary.

mod coverage;
mod critical;
mod joint_law;
mod scenarios;
