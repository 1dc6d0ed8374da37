//! Export of a data set's items to files that other programs open.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use brevity_media::{Item, Shape};

use crate::error::{DataError, Result};
use crate::listing::{is_reserved, nearest};
use crate::registry::Registry;
use crate::store::{SetRecord, Store};

/// A range of a set's items, counted from 0, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Select {
    /// The first.
    pub first: usize,
    /// The last; may lie beyond the end of the set.
    pub last: usize,
}

impl Select {
    /// All items.
    pub const ALL: Self = Self {
        first: 0,
        last: usize::MAX,
    };
}

impl FromStr for Select {
    type Err = String;

    /// `3` or `0-9`.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(format!("`{text}` is neither an item nor a range like 0-9")),
        }
    }
}

/// Writes items of a set as files into `folder`: pictures as PNG, sounds as
/// WAV, bytes as they are. The folder must be empty or is created. Grey patches
/// give the part of the picture that they cover.
///
/// A file appears complete or not at all. Its name is the item's number and the
/// name of the file it was imported from.
///
/// # Errors
/// A set that is not in the store, has no record of its items (older versions
/// did not write one), is made when it is used, or has a record that does not match its bytes; a
/// selection without items; a folder that is not empty or cannot be written.
pub fn export(name: &str, select: Select, folder: &Path, store: &Store) -> Result<Vec<PathBuf>> {
    let unknown = || DataError::NoSet {
        name: name.into(),
        nearest: nearest(name, store),
    };
    if !store.has(name) {
        let fetchable = Registry::builtin().get(name).is_some();
        return Err(match is_reserved(name) {
            true if fetchable => DataError::NotFetched { name: name.into() },
            true => DataError::NoItems { name: name.into() },
            false => unknown(),
        });
    }
    let record = store.record(name)?.ok_or_else(unknown)?;
    check_record(&record, store)?;
    let items = record.item.len();
    if select.first >= items {
        return Err(DataError::Config {
            field: "--items",
            message: format!(
                "`{name}` has items 0 to {}, not {}",
                items - 1,
                select.first
            ),
        });
    }
    std::fs::create_dir_all(folder).map_err(DataError::io("create", folder))?;
    let mut there = std::fs::read_dir(folder).map_err(DataError::io("list", folder))?;
    if there.next().is_some() {
        return Err(DataError::NotEmpty {
            path: folder.to_owned(),
        });
    }
    let path = store.data_path(name);
    let file = File::open(&path).map_err(DataError::io("read", &path))?;
    let mut data = BufReader::with_capacity(1 << 16, file);
    let skipped: u64 = record.item[..select.first].iter().map(|i| i.bytes).sum();
    data.seek(SeekFrom::Start(skipped))
        .map_err(DataError::io("read", &path))?;
    let last = select.last.min(items - 1);
    let mut written = Vec::new();
    for (number, item) in record
        .item
        .iter()
        .enumerate()
        .take(last + 1)
        .skip(select.first)
    {
        let target = folder.join(file_name(number, item));
        let failed = |e| DataError::io("write", &target)(e);
        let mut out = brevity_files::temporary(folder).map_err(failed)?;
        let failed = |e| DataError::io("write", &target)(e);
        record
            .convert
            .restore(item, &mut data, &mut out)
            .map_err(failed)?;
        brevity_files::publish(out, &target).map_err(DataError::io("write", &target))?;
        written.push(target);
    }
    Ok(written)
}

/// Checks the record of the items against the bytes of the set.
fn check_record(record: &SetRecord, store: &Store) -> Result<()> {
    let name = &record.name;
    if record.item.is_empty() {
        return Err(DataError::Config {
            field: "set.toml",
            message: format!(
                "data set `{name}` has no record of its files: fetch or import it again \
                 with --force"
            ),
        });
    }
    let mismatch = |what: String, expected: u128, got: u64| DataError::Mismatch {
        what,
        expected: expected.to_string(),
        got: got.to_string(),
        remedy: format!(
            "`{}` is damaged: fetch or import it again with --force",
            store.set_dir(name).join("set.toml").display()
        ),
    };
    let sum = record
        .item
        .iter()
        .try_fold(0u64, |sum, item| sum.checked_add(item.bytes));
    if sum != Some(record.bytes) {
        let what = format!("bytes of all items of `{name}`");
        return Err(mismatch(what, record.bytes.into(), sum.unwrap_or(u64::MAX)));
    }
    for item in &record.item {
        let Some(expected) = record.convert.bytes_of(item.shape()) else {
            continue;
        };
        if expected != item.bytes.into() {
            let what = format!("bytes of `{}`", item.origin);
            return Err(mismatch(what, expected, item.bytes));
        }
    }
    Ok(())
}

/// A name such as `00007-name.png`: it sorts in the order of the items and
/// contains no path.
fn file_name(number: usize, item: &Item) -> String {
    let last = item.origin.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean = |text: &str| -> String {
        let fine = |c: char| c.is_alphanumeric() || "._-".contains(c);
        text.chars().filter(|&c| fine(c)).take(100).collect()
    };
    let (stem, extension) = last.rsplit_once('.').unwrap_or((last, ""));
    let extension = match item.shape() {
        Shape::Bytes => clean(extension),
        Shape::Picture(_) => "png".into(),
        Shape::Sound(_) => "wav".into(),
    };
    let dot = if extension.is_empty() { "" } else { "." };
    format!("{number:05}-{}{dot}{extension}", clean(stem))
}
