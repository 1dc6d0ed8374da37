//! Files that appear under their name when all of their bytes are on the disk.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// A file in `folder` under a temporary name, removed unless it is published.
pub(crate) fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    // Readable by everybody the umask lets, as an ordinary file.
    let mut builder = tempfile::Builder::new();
    builder.prefix(".brevity-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Syncs a file and gives it its name in the same folder, in place of what had
/// it.
pub(crate) fn publish(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(path)
}

/// As [`publish`], but leaves a file that has the name alone. Returns whether
/// there was none.
pub(crate) fn publish_new(file: NamedTempFile, path: &Path) -> io::Result<bool> {
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(e) => return Err(e.error),
    }
    sync_folder(path)?;
    Ok(true)
}

/// Writes `bytes` to a temporary name beside `path`, syncs, renames.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    publish(with_bytes(path, bytes)?, path)
}

/// As [`write()`], but leaves a file that is there alone. Returns whether it
/// wrote.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    publish_new(with_bytes(path, bytes)?, path)
}

fn with_bytes(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = temporary(folder_of(path))?;
    file.write_all(bytes)?;
    Ok(file)
}

/// A rename itself is durable once the folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
