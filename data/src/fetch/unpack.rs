//! Unpacking of downloads. Members are converted straight into the set; no other file
//! is written, so an archive cannot choose paths.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;

use brevity_media::{Conversion, HEAD_BYTES, Item};
use flate2::read::MultiGzDecoder;

use crate::error::{DataError, Result};
use crate::registry::Unpack;

/// Writes the content of the files to `out`, members of an archive in its order, and
/// returns the items. Names in `files` are used in error messages.
pub(super) fn unpack(
    unpack: Unpack,
    convert: Conversion,
    files: &[(&str, &PathBuf)],
    out: &mut dyn Write,
) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for (name, path) in files {
        let file = File::open(path).map_err(DataError::io("read", path))?;
        let input = BufReader::with_capacity(1 << 16, file);
        match unpack {
            Unpack::Raw => items.push(member(convert, name, input, out)?),
            Unpack::Gz => items.push(member(convert, name, MultiGzDecoder::new(input), out)?),
            Unpack::Zip => zip(convert, name, input, out, &mut items)?,
            Unpack::TarGz => tar(convert, name, MultiGzDecoder::new(input), out, &mut items)?,
        }
    }
    if items.is_empty() {
        let pattern = files
            .first()
            .map_or_else(String::new, |(name, _)| (*name).to_owned());
        return Err(DataError::NoMatch {
            pattern,
            what: format!("file that `{convert}` can read"),
        });
    }
    Ok(items)
}

fn damaged(archive: &str, reason: impl std::fmt::Display) -> DataError {
    DataError::Decode {
        path: archive.into(),
        message: format!("damaged archive: {reason}"),
    }
}

fn member(
    convert: Conversion,
    name: &str,
    mut input: impl Read,
    out: &mut dyn Write,
) -> Result<Item> {
    let mut input = Reading {
        inner: &mut input,
        failed: None,
    };
    let mut result = convert
        .convert(name, &mut input, out)
        .map_err(DataError::from);
    if result.is_ok() {
        // Reads to the end, where zip and gzip have their checksums.
        let rest = io::copy(&mut input, &mut io::sink()).map_err(DataError::io("read", name));
        result = rest.and(result);
    }
    // If a read failed, the error is that of the archive, not the one that the conversion
    // reports.
    match input.failed {
        Some(reason) => Err(damaged(name, reason)),
        None => result,
    }
}

/// A reader that records why a read failed.
struct Reading<'a, R> {
    inner: &'a mut R,
    failed: Option<String>,
}

impl<R: Read> Read for Reading<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner
            .read(buf)
            .inspect_err(|e| self.failed = Some(e.to_string()))
    }
}

/// A reader of the whole member, if the conversion accepts its first bytes.
fn accepted<R: Read>(
    convert: Conversion,
    name: &str,
    mut input: R,
) -> io::Result<Option<impl Read + use<R>>> {
    let mut head = Vec::new();
    (&mut input)
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    let refused = convert.passes_over(name, &head);
    Ok(refused
        .is_none()
        .then(|| io::Cursor::new(head).chain(input)))
}

fn zip(
    convert: Conversion,
    archive: &str,
    input: impl Read + io::Seek,
    out: &mut dyn Write,
    items: &mut Vec<Item>,
) -> Result<()> {
    let mut zip = zip::ZipArchive::new(input).map_err(|e| damaged(archive, e))?;
    for i in 0..zip.len() {
        let file = zip.by_index(i).map_err(|e| damaged(archive, e))?;
        let name = format!(
            "{archive}: {}",
            file.name().map_err(|e| damaged(archive, e))?
        );
        if file.is_file()
            && let Some(file) = accepted(convert, &name, file).map_err(|e| damaged(archive, e))?
        {
            items.push(member(convert, &name, file, out)?);
        }
    }
    Ok(())
}

fn tar(
    convert: Conversion,
    archive: &str,
    input: impl Read,
    out: &mut dyn Write,
    items: &mut Vec<Item>,
) -> Result<()> {
    let mut tar = tar::Archive::new(input);
    for entry in tar.entries().map_err(|e| damaged(archive, e))? {
        let entry = entry.map_err(|e| damaged(archive, e))?;
        let name = format!(
            "{archive}: {}",
            String::from_utf8_lossy(&entry.path_bytes())
        );
        if entry.header().entry_type().is_file()
            && let Some(entry) = accepted(convert, &name, entry).map_err(|e| damaged(archive, e))?
        {
            items.push(member(convert, &name, entry, out)?);
        }
    }
    // The checksum of the gzip stream follows the last entry.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(|e| damaged(archive, e))?;
    Ok(())
}
