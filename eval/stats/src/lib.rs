//! Statistics of description lengths: rows or points in, claims out.

pub mod ablation;
pub mod checks;
pub mod critical;
mod distribution;
pub mod random;
pub mod rank;
pub mod selection;
mod ties;
