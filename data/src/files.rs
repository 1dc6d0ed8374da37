//! Which files a path or a pattern stands for, and what is passed over.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{DataError, Result};
use crate::pattern;

/// Something in a folder that is not read, and why.
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

/// Files with their lengths, and what lies among them that is none.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Regular files, sorted by their paths.
    pub files: Vec<(PathBuf, u64)>,
    /// What is passed over.
    pub passed_over: Vec<PassedOver>,
}

/// What a path that exists is.
#[derive(Debug)]
pub(crate) enum Named {
    /// A folder, with all its files: hidden ones, and those behind links, included.
    Folder(Files),
    /// A regular file of this length.
    File(u64),
    /// Bytes that can be read once: a pipe, or a file of the kernel that does not
    /// say how long it is.
    Stream,
}

/// Looks at a path that was named.
///
/// # Errors
/// Nothing there, or nothing that could be read to an end: a socket, a device.
pub(crate) fn named(path: &Path) -> Result<Named> {
    let meta = fs::metadata(path).map_err(DataError::io("read", path))?;
    if meta.is_dir() {
        let mut files = Files::default();
        // One that cannot be listed is an error here, where it was named.
        fs::read_dir(path).map_err(DataError::io("list", path))?;
        files.add_folder(path);
        files.files.sort();
        return Ok(Named::Folder(files));
    }
    match kind(&meta) {
        None if meta.len() > 0 => Ok(Named::File(meta.len())),
        // An empty file, or one of the kernel.
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
/// No pattern, or one that no file matches.
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

    /// Adds a regular file that can be read, what lies in a folder if `folders`,
    /// and notes anything else.
    fn add(&mut self, path: PathBuf, folders: bool) {
        let link = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_symlink());
        match fs::metadata(&path) {
            Err(error) if link && error.kind() == io::ErrorKind::NotFound => {
                self.pass_over(&path, "a link to nothing");
            }
            Err(error) => self.pass_over(&path, &error.to_string()),
            // A link to a folder above would never end.
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

/// What it is, if no regular file.
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
    (!meta.is_file()).then_some("no regular file")
}
