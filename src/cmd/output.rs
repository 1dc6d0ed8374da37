//! Outputs of the archive commands, with the conventions of zstd and xz: `-` is standard
//! output, nothing is overwritten without `-f`, and a run that fails or is interrupted
//! leaves no output.

use super::files::{Common, is_dash, is_read, is_same};
use crate::console;
use crate::exit::Usage;
use anyhow::{Context, Result, bail};
use brevity_codec::archive::EXTENSION;
use brevity_files::{Readers, Temporary};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, IsTerminal, StdoutLock, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

impl Common {
    /// Refuses to overwrite: a file, unless `-f` is given and it is neither the source nor the
    /// model; anything that is not a file, always.
    pub fn free(&self, path: &Path, source: &Path) -> Result<()> {
        let Ok(taken) = path.symlink_metadata() else {
            return Ok(());
        };
        let is_model = |model: &PathBuf| is_read(path, model);
        let problem = if !is_dash(source) && is_same(path, source) {
            "is the source itself: write elsewhere"
        } else if self.model.as_ref().is_some_and(is_model) {
            "is the model: write elsewhere"
        } else if taken.is_dir() {
            "is a folder"
        } else if !taken.is_file() && !taken.is_symlink() {
            "is not a file: write to it with -c"
        } else if !self.force {
            "exists: overwrite it with -f"
        } else {
            return Ok(());
        };
        bail!(Usage(format!("{} {problem}", path.display())))
    }

    /// The output for `source`; `derived` is its name beside the source, if one can be
    /// derived.
    pub fn target(&self, source: &Path, derived: Option<PathBuf>) -> Result<Target> {
        let path = match (&self.output, derived) {
            (Some(path), _) if !is_dash(path) => path.clone(),
            (Some(_), _) => return Ok(Target::Stdout),
            (None, _) if self.stdout || is_dash(source) => return Ok(Target::Stdout),
            (None, Some(_)) if is_systems_own(source) => bail!(Usage(no_place(source))),
            (None, Some(path)) => path,
            (None, None) => bail!(Usage(format!(
                "{} does not end in .{EXTENSION}: say where to write with -o",
                source.display()
            ))),
        };
        Ok(Target::File(self.file(path, source)?))
    }

    /// Prepares the file `path` for the output of `source`.
    pub fn file(&self, path: PathBuf, source: &Path) -> Result<OutputFile> {
        self.free(&path, source)?;
        OutputFile::new(path, source, self.force)
    }
}

/// Whether a path is one of the system's own, beside which nothing belongs: `/dev/stdin`, or
/// `/dev/fd/63` of a shell's `<(...)`.
pub fn is_systems_own(path: &Path) -> bool {
    // A file system in memory.
    !path.starts_with("/dev/shm") && ["/dev", "/proc"].iter().any(|of| path.starts_with(of))
}

/// What to do about a source beside which nothing belongs.
pub fn no_place(source: &Path) -> String {
    format!(
        "no output is written beside {}: say where with -o, or give `-` to read standard input",
        source.display()
    )
}

/// An open output.
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file.
    File(OutputFile),
}

/// A file that appears under its name only when it is complete.
pub struct OutputFile {
    path: PathBuf,
    writer: BufWriter<Temporary>,
    force: bool,
    /// When the source was last changed.
    modified: Option<SystemTime>,
}

impl OutputFile {
    fn new(path: PathBuf, source: &Path, force: bool) -> Result<OutputFile> {
        let context = || format!("cannot write {}", path.display());
        path.file_name().with_context(context)?;
        let like = match is_dash(source) {
            true => None,
            false => fs::metadata(source).ok().filter(fs::Metadata::is_file),
        };
        // The permissions are those of the source from the start.
        let readers = match like {
            Some(_) => Readers::Owner,
            None => Readers::Ordinary,
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let file = Temporary::new(folder, readers).with_context(context)?;
        if let Some(like) = &like {
            let _ = file.as_file().set_permissions(like.permissions());
        }
        Ok(OutputFile {
            writer: BufWriter::with_capacity(1 << 16, file),
            path,
            force,
            modified: like.and_then(|like| like.modified().ok()),
        })
    }

    /// The final path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content written so far, synced to the disk.
    pub fn reread(&mut self) -> Result<BufReader<File>> {
        let context = || format!("cannot write {}", self.path.display());
        self.writer.flush().with_context(context)?;
        let file = self.writer.get_ref();
        file.as_file().sync_all().with_context(context)?;
        let file = File::open(file.path()).with_context(context)?;
        Ok(BufReader::with_capacity(1 << 16, file))
    }

    /// Gives the file its final name and the modification time of its source.
    pub fn finish(self) -> Result<()> {
        let context = || format!("cannot write {}", self.path.display());
        let file = self.writer.into_inner();
        let file = file.map_err(io::IntoInnerError::into_error);
        let file = file.with_context(context)?;
        if let Some(modified) = self.modified {
            let _ = file.as_file().set_modified(modified);
        }
        if self.force {
            return brevity_files::publish(file, &self.path).with_context(context);
        }
        match brevity_files::publish_new(file, &self.path).with_context(context)? {
            true => Ok(()),
            false => bail!(Usage(format!(
                "{} exists now: overwrite it with -f",
                self.path.display()
            ))),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.writer.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Standard output for binary data; refuses a terminal.
pub fn stdout_for_archives(force: bool) -> Result<StdoutLock<'static>> {
    let out = console::stdout()?;
    if out.is_terminal() && !force {
        bail!(Usage(
            "not writing an archive to a terminal: use -o, or -f to insist".into()
        ));
    }
    Ok(out)
}
