//! Description lengths: baselines, critical size, selection, contamination, reports.
pub mod baselines;
pub mod critical;
pub mod format;
pub mod report;
pub mod rows;
pub mod table;
