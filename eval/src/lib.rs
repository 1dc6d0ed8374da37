//! Description lengths: baselines, critical size, selection, contamination, reports.
pub mod baselines;
