//! Finds the files that a path or a pattern refers to, and lists what is left
//! out.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{DataError, Result};
use crate::pattern;

/// An entry of a folder that is not read, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The file, link or folder.
    pub path: PathBuf,
    /// What it is, such as "a named pipe".
    pub why: String,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

/// Regular files with their lengths, and the other entries found beside them.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Regular files, sorted by their paths.
    pub files: Vec<(PathBuf, u64)>,
    /// The entries that are left out.
    pub passed_over: Vec<PassedOver>,
}

/// The kind of an existing path.
#[derive(Debug)]
pub(crate) enum Named {
    /// A folder with all its files, including hidden files and files behind
    /// links.
    Folder(Files),
    /// A regular file of this length.
    File(u64),
    /// Bytes that can be read only once: a pipe, or a file of the kernel, whose
    /// length is not known in advance.
    Stream,
}

/// Determines the kind of a path that the user named.
///
/// # Errors
/// The path does not exist, or cannot be read to an end: a socket, a device.
pub(crate) fn named(path: &Path) -> Result<Named> {
    let meta = fs::metadata(path).map_err(DataError::io("read", path))?;
    if meta.is_dir() {
        let mut files = Files::default();
        // If the user named a folder that cannot be listed, that is an error.
        fs::read_dir(path).map_err(DataError::io("list", path))?;
        files.add_folder(path);
        files.files.sort();
        return Ok(Named::Folder(files));
    }
    match kind(&meta) {
        None if meta.len() > 0 => Ok(Named::File(meta.len())),
        // An empty file, or a file of the kernel, which shows length 0.
        None | Some(PIPE) => Ok(Named::Stream),
        Some(what) => Err(DataError::Config {
            field: "data.source",
            message: format!("`{}` is {what}, not a file", path.display()),
        }),
    }
}

/// The files that match a pattern.
///
/// # Errors
/// The text is not a valid pattern, or no file matches it.
pub(crate) fn matching(pattern: &str) -> Result<Files> {
    let mut files = Files::default();
    for path in pattern::expand(pattern)? {
        files.add(path, false);
    }
    if files.files.is_empty() {
        return Err(DataError::NoMatch {
            pattern: pattern.into(),
            what: "file".into(),
        });
    }
    files.files.sort();
    Ok(files)
}

impl Files {
    fn add_folder(&mut self, dir: &Path) {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) => return self.pass_over(dir, &format!("cannot be listed: {error}")),
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.add(entry.path(), true),
                Err(error) => self.pass_over(dir, &format!("cannot be listed: {error}")),
            }
        }
    }

    /// Adds a readable regular file or, if `folders`, the content of a folder;
    /// records anything else as left out.
    fn add(&mut self, path: PathBuf, folders: bool) {
        let link = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_symlink());
        match fs::metadata(&path) {
            Err(error) if link && error.kind() == io::ErrorKind::NotFound => {
                self.pass_over(&path, "a link to nothing");
            }
            Err(error) => self.pass_over(&path, &error.to_string()),
            // A link to a parent folder would be followed for ever.
            Ok(meta) if meta.is_dir() && link => self.pass_over(&path, "a link to a folder"),
            Ok(meta) if meta.is_dir() && folders => self.add_folder(&path),
            Ok(meta) if meta.is_dir() => self.pass_over(&path, "a folder"),
            Ok(meta) => match kind(&meta) {
                Some(what) => self.pass_over(&path, what),
                None => match File::open(&path) {
                    Ok(_) => self.files.push((path, meta.len())),
                    Err(error) => self.pass_over(&path, &format!("cannot be read: {error}")),
                },
            },
        }
    }

    fn pass_over(&mut self, path: &Path, why: &str) {
        self.passed_over.push(PassedOver {
            path: path.to_owned(),
            why: why.to_owned(),
        });
    }
}

const PIPE: &str = "a named pipe";

/// Describes the entry; `None` for a regular file.
#[cfg(unix)]
fn kind(meta: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    let kind = meta.file_type();
    if kind.is_file() {
        None
    } else if kind.is_fifo() {
        Some(PIPE)
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

#[cfg(not(unix))]
fn kind(meta: &Metadata) -> Option<&'static str> {
    (!meta.is_file()).then_some("not a regular file")
}
