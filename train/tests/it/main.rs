//! The tests of `brevity-train`, in one binary, because each binary links burn.

mod devices;
mod mixture;
mod online;
mod quantise;
mod training;
