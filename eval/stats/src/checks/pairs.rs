//! Which rows of a sweep can be compared with each other.

use serde_json::Value;

use crate::critical::group_name;
use brevity_length::rows::{ResultRow, RowCheck};

/// Which bytes, and their relation to those trained on.
pub(super) fn series(row: &ResultRow) -> String {
    let regime = row.regime.as_deref().unwrap_or_default();
    group_name(&row.data.source, row.data.bytes as f64, &[regime])
}

/// Whether two rows are the same but for the axes that `differ` names.
pub(super) fn alike(x: &ResultRow, y: &ResultRow, differ: impl Fn(&str) -> bool) -> bool {
    let rest = |row: &ResultRow| -> Vec<(String, Value)> {
        row.axes
            .iter()
            .filter(|(key, _)| !differ(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    x.data == y.data && x.regime == y.regime && x.parameters == y.parameters && rest(x) == rest(y)
}

/// What the training of `row` was varied in by the sweep's own checks, with the row
/// of the trial that it checks.
pub(super) fn checked<'a>(
    row: &ResultRow,
    rows: &[&'a ResultRow],
) -> Option<(&'a ResultRow, RowCheck)> {
    let check = row.check.clone()?;
    let base = rows
        .iter()
        .find(|base| base.id == check.of && base.regime == row.regime)?;
    Some((base, check))
}

/// Rows that are alike but for `key`, with its value in each; none of them is a check.
pub(super) fn varied<'a>(
    first: &ResultRow,
    rows: &[&'a ResultRow],
    key: &str,
) -> Vec<(&'a ResultRow, f64)> {
    rows.iter()
        .filter(|row| row.check.is_none() && row.seed == first.seed)
        .filter(|row| alike(row, first, |k| k == key))
        .filter_map(|row| Some((*row, row.axes.get(key)?.as_f64()?)))
        .collect()
}

/// Share of the adjusted rate that `after` takes off `before`, by the convention where
/// that is most.
pub(super) fn gain(before: &ResultRow, after: &ResultRow) -> Option<f64> {
    before
        .conventions()
        .iter()
        .filter_map(|name| Some(1.0 - after.adjusted(name)? / before.adjusted(name)?))
        .reduce(f64::max)
}
