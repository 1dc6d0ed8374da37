//! The tests of `brevity-lab`, as one binary.

mod adaptive;
mod config;
mod configs;
mod local;
mod mixture;
mod pages;
mod report;
mod score;
mod simulation;
mod sweep;
mod tasks;
