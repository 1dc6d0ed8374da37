//! Import of files as data sets of the store.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use brevity_media::{Conversion, Item};

use crate::error::{DataError, Result};
use crate::listing::is_reserved;
use crate::source::Source;
use crate::source_content::{self, Content};
use crate::store::{FileRecord, HashingWriter, SetRecord, Store};

/// Makes a data set of a file, a folder or the files of a glob, in sorted order, and
/// stores it under `name`.
///
/// Files of a folder that the conversion does not accept are skipped. The set appears
/// complete or not at all.
///
/// # Errors
/// A name that is taken (unless `replace`) or has other characters than letters,
/// digits, `.`, `_` and `-`; a source that is not files; no file that the conversion
/// accepts; a file that does not decode; a full disk.
pub fn import(
    source: &Source,
    conversion: Conversion,
    name: &str,
    replace: bool,
    store: &Store,
) -> Result<SetRecord> {
    check_name(name)?;
    if is_reserved(name) {
        return Err(DataError::Config {
            field: "--name",
            message: format!(
                "`{name}` is the name of a built-in or registered set; choose another"
            ),
        });
    }
    let (Source::Path(_) | Source::Glob(_)) = source else {
        return Err(DataError::Config {
            field: "path",
            message: format!(
                "`{source}` is a data set, not a file, folder or glob; write `./{source}` for a file of that name"
            ),
        });
    };
    let Content::Files(files) = Content::open(source, 0, store)? else {
        return Err(DataError::Config {
            field: "path",
            message: format!("`{source}` is already a data set"),
        });
    };
    let one = matches!(source, Source::Path(path) if path.is_file());
    // A file named explicitly is converted or refused, whatever its extension.
    let files: Vec<_> = files
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| one || conversion.accepts(&path.to_string_lossy()))
        .collect();
    if files.is_empty() {
        let what = format!("file that `{conversion}` can read");
        return Err(DataError::NoMatch {
            pattern: source.to_string(),
            what,
        });
    }

    let _lock = store.lock(name)?;
    if !replace && store.set_dir(name).exists() {
        return Err(DataError::Exists {
            name: name.into(),
            path: store.set_dir(name),
        });
    }
    store.install(
        name,
        |out| {
            files
                .iter()
                .map(|path| convert_file(conversion, path, out))
                .collect::<Result<Vec<_>>>()
        },
        |files, digests| {
            if digests.bytes == 0 {
                return Err(DataError::Empty {
                    source_name: source.to_string(),
                });
            }
            let (file, item) = files.into_iter().unzip();
            Ok(SetRecord {
                name: name.into(),
                bytes: digests.bytes,
                blake3: digests.blake3,
                sha256: digests.sha256,
                licence: None,
                convert: conversion,
                layout: conversion.layout().into(),
                file,
                item,
            })
        },
    )
}

fn convert_file(
    conversion: Conversion,
    path: &Path,
    out: &mut dyn Write,
) -> Result<(FileRecord, Item)> {
    let file = File::open(path).map_err(DataError::io("read", path))?;
    let mut input = Tee {
        inner: BufReader::with_capacity(1 << 16, file),
        hash: HashingWriter::new(io::sink()),
    };
    let item = conversion.convert(&path.to_string_lossy(), &mut input, out)?;
    // A decoder may stop before trailing tags; the hash is of the whole file.
    io::copy(&mut input, &mut io::sink()).map_err(DataError::io("read", path))?;
    let (digests, _) = input.hash.finish();
    let record = FileRecord {
        origin: path.display().to_string(),
        bytes: digests.bytes,
        sha256: digests.sha256,
    };
    Ok((record, item))
}

/// Hashes what is read.
struct Tee<R> {
    inner: R,
    hash: HashingWriter<io::Sink>,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.hash.write_all(&buf[..read])?;
        Ok(read)
    }
}

fn check_name(name: &str) -> Result<()> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.starts_with(['.', '-']) || !name.chars().all(fine) {
        return Err(DataError::Config {
            field: "--name",
            message: format!("`{name}` is not made of letters, digits, `.`, `_` and `-`"),
        });
    }
    Ok(())
}

/// The default name of an import: that of the file without its extension.
pub fn default_name(source: &Source) -> Option<String> {
    let path = match source {
        Source::Path(path) => path.clone(),
        Source::Glob(pattern) => source_content::glob_root(pattern),
        _ => return None,
    };
    let stem = path
        .canonicalize()
        .ok()?
        .file_stem()?
        .to_string_lossy()
        .into_owned();
    check_name(&stem).is_ok().then_some(stem)
}
