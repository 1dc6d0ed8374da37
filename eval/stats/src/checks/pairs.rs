//! Which rows of a sweep can be compared with each other.

use crate::critical::group_name;
use brevity_length::{AxisValue, Check, Row, byte_sets};

/// Names of the series of some rows: which bytes, and their relation to those trained on.
pub(super) struct Series<'a>(Vec<(&'a Row, String)>);

impl<'a> Series<'a> {
    pub(super) fn new(rows: &[&'a Row]) -> Self {
        let named = rows.iter().zip(byte_sets(rows)).map(|(&row, set)| {
            let told = [row.regime_name(), &set, &row.test_set()];
            let name = group_name(&row.data.source, row.data.bytes as f64, &told);
            (row, name)
        });
        Self(named.collect())
    }

    /// The name of the series of one of the rows.
    ///
    /// # Panics
    /// If it is another row.
    pub(super) fn of(&self, row: &Row) -> String {
        let mut named = self.0.iter();
        let found = named.find(|(other, _)| std::ptr::eq(*other, row));
        found.expect("one of the rows").1.clone()
    }
}

/// Whether two rows are the same but for the axes that `differ` names.
pub(super) fn alike(x: &Row, y: &Row, differ: impl Fn(&str) -> bool) -> bool {
    let rest = |row: &Row| -> Vec<(String, AxisValue)> {
        row.axes
            .iter()
            .filter(|(key, _)| !differ(key))
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect()
    };
    x.data == y.data
        && x.regime() == y.regime()
        && x.parameters == y.parameters
        && rest(x) == rest(y)
}

/// What the training of `row` was varied in by the sweep's own checks, with the row
/// of the trial that it checks.
pub(super) fn checked<'a>(row: &Row, rows: &[&'a Row]) -> Option<(&'a Row, Check)> {
    let check = row.check.clone()?;
    let base = rows
        .iter()
        .find(|base| base.id() == check.of && base.regime() == row.regime())?;
    Some((base, check))
}

/// Rows that are alike but for `key`, with its value in each; none of them is a check.
pub(super) fn varied<'a>(first: &Row, rows: &[&'a Row], key: &str) -> Vec<(&'a Row, f64)> {
    rows.iter()
        .filter(|row| row.check.is_none() && row.seed == first.seed)
        .filter(|row| alike(row, first, |k| k == key))
        .filter_map(|row| Some((*row, row.axes.get(key)?.as_f64()?)))
        .collect()
}

/// Share of the adjusted rate that `after` takes off `before`, by the convention where
/// that is most.
pub(super) fn gain(before: &Row, after: &Row) -> Option<f64> {
    before
        .conventions()
        .iter()
        .filter_map(|name| {
            Some(1.0 - after.adjusted(name.as_str())? / before.adjusted(name.as_str())?)
        })
        .reduce(f64::max)
}
