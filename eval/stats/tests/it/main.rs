//! The tests of `brevity-stats`, as one binary.

mod critical;
mod joint_law;
mod noise;
