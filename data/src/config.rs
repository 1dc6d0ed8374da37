//! The `[data]` table of a config.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::byteset::ByteSet;
use crate::error::{DataError, Result};
use crate::leak::LeakConfig;
use crate::source::Source;
use crate::source_content::Content;
use crate::store::Store;

/// Default offset of the held-out bytes of a generated source; it lies beyond any prefix.
const GENERATED_HOLDOUT: u64 = 1 << 40;

/// The `[data]` table: the bytes of an experiment.
///
/// ```toml
/// [data]
/// source = "crates"
/// bytes = 500_000
///
/// [data.holdout]
/// bytes = 100_000
/// ```
///
/// ```
/// use brevity_data::DataConfig;
/// let config: DataConfig = toml::from_str("source = 'random'\nbytes = 1000").unwrap();
/// assert_eq!(config.load()?.train.len(), 1000);
/// # Ok::<(), brevity_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The source of the bytes.
    pub source: Source,
    /// Number of bytes from `offset`; longer prefixes contain shorter ones. Default:
    /// all bytes up to the held-out ones. Required for generated sources, which are
    /// endless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Offset of the first byte in the source.
    #[serde(default)]
    pub offset: u64,
    /// Seed of a generated source; ignored for others.
    #[serde(default)]
    pub seed: u64,
    /// Held-out bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<HoldoutConfig>,
    /// Contamination experiments: held-out bytes copied into the training bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leak: Option<LeakConfig>,
}

/// The held-out bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldoutConfig {
    /// Number of bytes.
    pub bytes: u64,
    /// Offset of the first byte. By default the held-out bytes are the last bytes of the
    /// source, the same for every prefix length. For generated sources they lie far
    /// beyond any prefix; for another `source`, they are its first bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Another source of the held-out bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// Training and held-out bytes, disjoint by construction if they share a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Training bytes.
    pub train: ByteSet,
    /// Held-out bytes.
    pub holdout: Option<ByteSet>,
    /// The leaked test; `train` contains copies of it.
    pub leak: Option<ByteSet>,
}

impl Split {
    /// The bytes that a prequential code, which needs no training bytes, describes: the
    /// leaked test if there is one, otherwise the training bytes.
    pub fn described(&self) -> &ByteSet {
        self.leak.as_ref().unwrap_or(&self.train)
    }
}

impl From<Source> for DataConfig {
    /// The whole source, with nothing held out.
    fn from(source: Source) -> Self {
        Self {
            source,
            bytes: None,
            offset: 0,
            seed: 0,
            holdout: None,
            leak: None,
        }
    }
}

impl DataConfig {
    /// Reads the bytes, with the data sets of the default [`Store`].
    ///
    /// # Errors
    /// An invalid field; a source that is missing, unreadable, empty or too short. Each
    /// error names the field or path.
    pub fn load(&self) -> Result<Split> {
        self.load_from(&Store::default())
    }

    /// Like [`load`](Self::load), with the data sets of `store`.
    ///
    /// # Errors
    /// Those of `load`.
    pub fn load_from(&self, store: &Store) -> Result<Split> {
        self.check()?;
        let content = Content::open(&self.source, self.seed, store)?;
        let (train, holdout) = self.ranges(content.len())?;
        let ranges: Vec<_> = std::iter::once(train).chain(holdout).collect();
        let reading = content.read(&ranges, store)?;
        let mut sets = ranges.iter().zip(reading.pieces).map(|(range, piece)| {
            let origin = reading.origin.clone();
            ByteSet::of_source(self.source.to_string(), origin, range.start, piece)
        });
        let train = sets.next().expect("the first range is the training one");
        let holdout = match &self.holdout {
            Some(HoldoutConfig {
                source: Some(source),
                bytes,
                offset,
            }) => Some(other_holdout(
                source,
                *bytes,
                offset.unwrap_or(0),
                self.seed,
                store,
            )?),
            _ => sets.next(),
        };
        self.leak(train, holdout)
    }

    /// Takes the test off the held-out bytes and inserts copies of it into the training
    /// bytes.
    fn leak(&self, train: ByteSet, holdout: Option<ByteSet>) -> Result<Split> {
        let (Some(config), Some(all)) = (&self.leak, &holdout) else {
            return Ok(Split {
                train,
                holdout,
                leak: None,
            });
        };
        let bytes = config.bytes as usize;
        let leak = all.prefix(bytes)?;
        Ok(Split {
            train: config.mix(train, &leak),
            holdout: Some(all.slice(bytes..all.len())?),
            leak: Some(leak),
        })
    }

    /// Checks everything that does not need the source.
    pub(crate) fn check(&self) -> Result<()> {
        if self.bytes == Some(0) {
            return Err(config(
                "data.bytes",
                "no training bytes; omit the field for all",
            ));
        }
        if self.holdout.as_ref().is_some_and(|h| h.bytes == 0) {
            return Err(config(
                "data.holdout.bytes",
                "0 bytes; omit the table instead",
            ));
        }
        self.leak
            .as_ref()
            .map_or(Ok(()), |leak| self.check_leak(leak))
    }

    fn check_leak(&self, leak: &LeakConfig) -> Result<()> {
        let held_out = self.holdout.as_ref().map_or(0, |h| h.bytes);
        if leak.bytes == 0 || leak.bytes >= held_out {
            let message = format!(
                "{} bytes; the test is taken off the {held_out} of data.holdout, some of which \
                 must stay clean",
                leak.bytes
            );
            return Err(config("data.leak.bytes", message));
        }
        if !leak.copies.checked_mul(leak.bytes).is_some_and(fits_memory) {
            let message = format!("{} copies do not fit memory", leak.copies);
            return Err(config("data.leak.copies", message));
        }
        Ok(())
    }

    /// The training bytes, and the held-out ones of the same source.
    pub(crate) fn ranges(&self, len: Option<u64>) -> Result<(Range<u64>, Option<Range<u64>>)> {
        let shared = self.holdout.as_ref().filter(|h| h.source.is_none());
        let holdout = shared.map(|h| self.shared_holdout(h, len)).transpose()?;
        let train = self.train_range(len, holdout.as_ref())?;
        Ok((train, holdout))
    }

    fn shared_holdout(&self, holdout: &HoldoutConfig, len: Option<u64>) -> Result<Range<u64>> {
        let start = match (holdout.offset, len) {
            (Some(offset), _) => offset,
            (None, Some(len)) => len.saturating_sub(holdout.bytes),
            (None, None) => GENERATED_HOLDOUT,
        };
        range(
            "data.holdout.bytes",
            &self.source,
            start,
            holdout.bytes,
            len,
        )
    }

    fn train_range(&self, len: Option<u64>, holdout: Option<&Range<u64>>) -> Result<Range<u64>> {
        // By default, up to the start of the held-out bytes.
        let end = match holdout {
            Some(h) if h.start >= self.offset => Some(h.start),
            _ => len,
        };
        let bytes = match (self.bytes, end) {
            (Some(bytes), _) => bytes,
            (None, Some(end)) if len.is_some() => end.saturating_sub(self.offset),
            _ => {
                let message = "a generated source has no end: give the number of bytes";
                return Err(config("data.bytes", message));
            }
        };
        if bytes == 0 {
            let message = format!("no byte of `{}` is left after this offset", self.source);
            return Err(config("data.offset", message));
        }
        let train = range("data.bytes", &self.source, self.offset, bytes, len)?;
        match holdout {
            Some(h) if h.start < train.end && train.start < h.end => Err(config(
                "data.holdout",
                format!(
                    "bytes {}..{} of `{}` are held out but {}..{} are to be learned from; ask for \
                     fewer or move one of them",
                    h.start, h.end, self.source, train.start, train.end
                ),
            )),
            _ => Ok(train),
        }
    }
}

fn other_holdout(
    source: &Source,
    bytes: u64,
    offset: u64,
    seed: u64,
    store: &Store,
) -> Result<ByteSet> {
    let content = Content::open(source, seed, store)?;
    let range = range("data.holdout.bytes", source, offset, bytes, content.len())?;
    let mut reading = content.read(std::slice::from_ref(&range), store)?;
    let piece = reading.pieces.pop().expect("one range was asked for");
    let (source, origin) = (source.to_string(), reading.origin);
    Ok(ByteSet::of_source(source, origin, range.start, piece))
}

/// `start..start + bytes`, checked against the length of the source.
fn range(
    field: &'static str,
    source: &Source,
    start: u64,
    bytes: u64,
    len: Option<u64>,
) -> Result<Range<u64>> {
    let end = start
        .checked_add(bytes)
        .filter(|_| len.is_some() || fits_memory(bytes))
        .ok_or_else(|| {
            config(
                field,
                format!("{bytes} bytes from {start} do not fit memory"),
            )
        })?;
    match len {
        Some(have) if end > have => Err(DataError::TooShort {
            field,
            source_name: source.to_string(),
            need: end,
            have,
        }),
        _ => Ok(start..end),
    }
}

/// An endless source does not bound the range.
fn fits_memory(bytes: u64) -> bool {
    usize::try_from(bytes).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok())
}

fn config(field: &'static str, message: impl Into<String>) -> DataError {
    DataError::Config {
        field,
        message: message.into(),
    }
}
