//! Description lengths: baselines, scores, critical size, selection, reports.
