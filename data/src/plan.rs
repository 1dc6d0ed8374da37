//! What a `[data]` table asks for, told without reading the bytes.

use crate::config::{DataConfig, HoldoutConfig};
use crate::error::{DataError, Result};
use crate::registry::Registry;
use crate::source_content::{Found, Length};
use crate::store::Store;

/// Lengths of the parts of a `[data]` table.
///
/// ```
/// use brevity_data::{DataConfig, Store};
/// let config: DataConfig = "random,bytes=1000".parse()?;
/// let plan = config.plan(&Store::default())?;
/// assert_eq!((plan.train, plan.unread), (Some(1000), 0));
/// # Ok::<(), brevity_data::DataError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Training bytes, the copies of a leaked test included. `None` if the source is a
    /// stream, or compressed and not unpacked yet, or a set that has not been fetched and
    /// whose length the registry does not know.
    pub train: Option<u64>,
    /// Held-out bytes, without the leaked test.
    pub holdout: u64,
    /// Bytes to be read before the hashes are known, if more than a moment's worth;
    /// `u64::MAX` for a stream or a set that has not been fetched.
    pub unread: u64,
}

impl DataConfig {
    /// Looks the sources up and tells the lengths; no content is read.
    ///
    /// # Errors
    /// As [`load`](Self::load), as far as they can be known without reading.
    pub fn plan(&self, store: &Store) -> Result<Plan> {
        self.check()?;
        let (length, found) = match Found::of(&self.source, store) {
            Ok(found) => (found.length(store)?, Some(found)),
            Err(DataError::NotFetched { name }) => (registered(&name), None),
            Err(error) => return Err(error),
        };
        let (train, mut unread) = match length {
            Length::Unknown => (self.bytes, u64::MAX),
            Length::Known(_) | Length::Endless => {
                let length = match length {
                    Length::Known(length) => Some(length),
                    _ => None,
                };
                let (train, holdout) = self.ranges(length)?;
                let bytes = train.end - train.start;
                let ranges: Vec<_> = std::iter::once(train).chain(holdout).collect();
                let unread = match &found {
                    Some(found) => found.unread(&ranges, store)?,
                    None => u64::MAX,
                };
                (Some(bytes), unread)
            }
        };
        if let Some(HoldoutConfig {
            source: Some(source),
            bytes,
            offset,
        }) = &self.holdout
        {
            let start = offset.unwrap_or(0);
            let range = start..start.saturating_add(*bytes);
            let more = Found::of(source, store)?.unread(&[range], store)?;
            unread = unread.saturating_add(more);
        }
        let held_out = self.holdout.as_ref().map_or(0, |holdout| holdout.bytes);
        let (leak, copies) = self.leak.as_ref().map_or((0, 0), |l| (l.bytes, l.copies));
        Ok(Plan {
            train: train.map(|bytes| bytes.saturating_add(copies.saturating_mul(leak))),
            holdout: held_out.saturating_sub(leak),
            unread,
        })
    }
}

/// The length of a set that has not been fetched.
fn registered(name: &str) -> Length {
    let entry = Registry::builtin().get(name);
    match entry.and_then(|entry| entry.bytes) {
        Some(bytes) => Length::Known(bytes),
        None => Length::Unknown,
    }
}
