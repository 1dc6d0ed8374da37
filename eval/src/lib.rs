//! Description lengths: baselines, critical size, selection, contamination, reports.
pub mod baselines;
pub mod critical;
pub mod format;
mod random;
pub mod report;
pub mod rows;
pub mod selection;
pub mod table;
