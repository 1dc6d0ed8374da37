//! The tests of `brevity-train`, as one binary: it links burn.

mod devices;
mod online;
mod quantise;
mod training;
