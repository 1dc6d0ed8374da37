//! The byte sets of a table.

use brevity_data::{ByteSet, DataConfig, DataError};
use brevity_task::chain;

use super::MatrixError;
use super::config::{Config, SetConfig};

/// A set in memory.
pub(super) struct Bytes {
    /// Training bytes of models.
    pub train: ByteSet,
    /// Measured bytes: the held-out ones if there are any.
    pub test: ByteSet,
}

/// Reads all sets, in order; `None` for an optional set that is missing, with a note.
pub(super) fn read(
    config: &Config,
    notes: &mut Vec<String>,
) -> Result<Vec<Option<Bytes>>, MatrixError> {
    config
        .sets
        .iter()
        .enumerate()
        .map(|(i, set)| match load(set) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error @ (DataError::NotFetched { .. } | DataError::NotFound { .. }))
                if set.optional =>
            {
                notes.push(format!("{} is left out: {}", set.name, chain(&error)));
                Ok(None)
            }
            Err(cause) => Err(MatrixError::Data {
                key: format!("set.{i}"),
                cause: cause.into(),
            }),
        })
        .collect()
}

/// The sets that are columns and are there.
pub(super) fn columns<'a>(
    config: &'a Config,
    sets: &'a [Option<Bytes>],
) -> Vec<(&'a SetConfig, &'a Bytes)> {
    let named = config.sets.iter().zip(sets);
    named
        .filter(|(set, _)| set.column)
        .filter_map(|(set, bytes)| Some((set, bytes.as_ref()?)))
        .collect()
}

fn load(set: &SetConfig) -> Result<Bytes, DataError> {
    let split = DataConfig {
        bytes: set.bytes,
        offset: set.offset,
        seed: set.seed,
        holdout: set.holdout.clone(),
        ..DataConfig::from(set.source.clone())
    }
    .load()?;
    Ok(Bytes {
        test: split.holdout.unwrap_or_else(|| split.train.clone()),
        train: split.train,
    })
}

/// The training bytes for `a+b`: the bytes of one set, or equally many first bytes of
/// several, alternating in pieces of `piece` bytes.
pub(super) fn mixture(names: &str, parts: &[&ByteSet], piece: usize) -> ByteSet {
    if let [one] = parts {
        return (*one).clone();
    }
    let shortest = parts.iter().map(|part| part.len()).min().unwrap_or(0);
    let share = shortest / parts.len();
    let mut bytes = Vec::with_capacity(share * parts.len());
    let mut start = 0;
    while start < share {
        let end = (start + piece).min(share);
        for part in parts {
            bytes.extend_from_slice(&part.bytes[start..end]);
        }
        start = end;
    }
    ByteSet::new(names, bytes)
}
