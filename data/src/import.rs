//! Import of files as data sets of the store.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use brevity_media::{Conversion, HEAD_BYTES, Item};

use crate::error::{DataError, Result};
use crate::files::{self, Files, Named, PassedOver};
use crate::listing::{is_reserved, nearest};
use crate::pattern;
use crate::store::{FileRecord, HashingWriter, SetRecord, Store};

/// Options of an import: the conversion, and the name of the new set.
#[derive(Debug, Clone)]
pub struct Import {
    /// The conversion of each file.
    pub conversion: Conversion,
    /// The name of the set, of letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// Whether a set of this name is replaced.
    pub replace: bool,
    /// Whether files that do not decode are skipped; otherwise they are an
    /// error.
    pub skip_bad: bool,
}

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The record of the new set.
    pub record: SetRecord,
    /// Entries of the folders that were left out.
    pub passed_over: Vec<PassedOver>,
}

/// Makes a data set from files, folders and patterns and keeps it in the store.
/// Its items follow the order of `paths`; the files of a folder or pattern are
/// sorted.
///
/// From a folder or pattern, a file is converted if its first bytes or its
/// extension are those of a format that the conversion reads; other files are
/// skipped. A file that is named itself is always converted or refused. The set
/// appears complete or not at all.
///
/// # Errors
/// A name that is taken (unless `replace`) or invalid; a path that does not
/// exist; no file that the conversion reads; a file that does not decode
/// (unless `skip_bad`); a full disk.
pub fn import(paths: &[PathBuf], options: &Import, store: &Store) -> Result<Imported> {
    let Import {
        conversion,
        ref name,
        ..
    } = *options;
    check_name(name)?;
    if is_reserved(name) {
        return Err(DataError::Config {
            field: "--name",
            message: format!(
                "`{name}` is the name of a built-in or registered set; choose another"
            ),
        });
    }
    let (files, mut passed_over) = find(paths, conversion, store)?;
    if files.is_empty() {
        let what = match passed_over.len() {
            0 => format!("file that `{conversion}` can read"),
            n => format!("file that `{conversion}` can read, of {n}"),
        };
        return Err(DataError::NoMatch {
            pattern: all_of(paths),
            what,
        });
    }

    let _lock = store.lock(name)?;
    if !options.replace && store.set_dir(name).exists() {
        return Err(DataError::Exists {
            name: name.into(),
            path: store.set_dir(name),
        });
    }
    let record = store.install(
        name,
        |out| {
            let mut made = Vec::new();
            for path in &files {
                match convert_file(conversion, path, options.skip_bad, out) {
                    Ok(one) => made.push(one),
                    Err(DataError::Media(error)) if options.skip_bad && !error.is_io() => {
                        passed_over.push(PassedOver {
                            path: path.clone(),
                            why: error.reason(),
                        });
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(made)
        },
        |files, digests| {
            if digests.bytes == 0 {
                return Err(DataError::Empty {
                    source_name: all_of(paths),
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
    )?;
    Ok(Imported {
        record,
        passed_over,
    })
}

fn all_of(paths: &[PathBuf]) -> String {
    let texts: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
    texts.join(" ")
}

/// The files to convert, and the entries that are left out.
fn find(
    paths: &[PathBuf],
    conversion: Conversion,
    store: &Store,
) -> Result<(Vec<PathBuf>, Vec<PassedOver>)> {
    let (mut found, mut passed_over) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for path in paths {
        let files = match path.to_str() {
            // An existing path takes precedence over a pattern.
            _ if path.symlink_metadata().is_ok() => match files::named(path)? {
                Named::Folder(files) => files,
                Named::File(_) | Named::Stream => {
                    found.push(path.clone());
                    continue;
                }
            },
            Some(text) if pattern::is_pattern(text) => files::matching(text)?,
            Some(name) if store.has(name) || is_reserved(name) => {
                return Err(DataError::Config {
                    field: "path",
                    message: format!("`{name}` is a data set, not a file, folder or pattern"),
                });
            }
            _ => {
                let source_name = path.display().to_string();
                let nearest = nearest(&source_name, store);
                return Err(DataError::NotFound {
                    source_name,
                    nearest,
                });
            }
        };
        let Files {
            files,
            passed_over: others,
        } = files;
        passed_over.extend(others);
        for (path, _) in files {
            match refused(conversion, &path)? {
                Some(why) => passed_over.push(PassedOver {
                    path,
                    why: why.to_owned(),
                }),
                None if seen.insert(path.clone()) => found.push(path),
                None => {}
            }
        }
    }
    Ok((found, passed_over))
}

/// Why a file of a folder is left out; `None` if it is converted.
fn refused(conversion: Conversion, path: &Path) -> Result<Option<&'static str>> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD_BYTES as u64).read_to_end(&mut head))
        .map_err(DataError::io("read", path))?;
    Ok(conversion.passes_over(&path.to_string_lossy(), &head))
}

/// Converts a file. If `whole`, nothing is written to `out` when the conversion
/// fails.
fn convert_file(
    conversion: Conversion,
    path: &Path,
    whole: bool,
    out: &mut dyn Write,
) -> Result<(FileRecord, Item)> {
    let file = File::open(path).map_err(DataError::io("read", path))?;
    let mut input = Tee {
        inner: BufReader::with_capacity(1 << 16, file),
        hash: HashingWriter::new(io::sink()),
    };
    let name = path.to_string_lossy();
    let item = if whole {
        let mut aside = tempfile::tempfile().map_err(DataError::io("write", "a temporary file"))?;
        let item = conversion.convert(&name, &mut input, &mut aside)?;
        aside
            .rewind()
            .and_then(|()| io::copy(&mut aside, out))
            .map_err(DataError::io("copy", path))?;
        item
    } else {
        conversion.convert(&name, &mut input, out)?
    };
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

/// A reader that hashes the bytes read through it.
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

/// The default name of an import: the name of the file without its extension,
/// of the folder, or of the folder that contains all the files.
pub fn default_name(paths: &[PathBuf]) -> Option<String> {
    let whole = |path: &PathBuf| match path.to_str() {
        Some(text) if path.symlink_metadata().is_err() && pattern::is_pattern(text) => {
            pattern::root(text).canonicalize().ok()
        }
        _ => path.canonicalize().ok(),
    };
    let path = match paths {
        [path] => whole(path)?,
        paths => {
            let mut folders = paths.iter().map(|p| Some(whole(p)?.parent()?.to_owned()));
            let first = folders.next()??;
            folders
                .all(|folder| folder.as_ref() == Some(&first))
                .then_some(first)?
        }
    };
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    check_name(&stem).is_ok().then_some(stem)
}
