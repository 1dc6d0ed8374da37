//! Input and output files of the archive commands, with the conventions of zstd and
//! xz: `-` is standard input or output, nothing is overwritten without `-f`, a run
//! that fails or is interrupted leaves no output, the source is never changed.

use crate::exit::{self, Usage};
use anyhow::{Context, Result, bail};
use brevity_codec::archive::EXTENSION;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, IsTerminal, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Options that the archive commands share.
#[derive(clap::Args, Clone)]
pub struct Common {
    /// Write to this file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write to standard output
    #[arg(short = 'c', long, conflicts_with = "output")]
    pub stdout: bool,
    /// Overwrite existing files; allow archives on a terminal
    #[arg(short, long)]
    pub force: bool,
    /// Keep the source (always the case; accepted for compatibility)
    #[arg(short, long)]
    pub keep: bool,
    #[command(flatten)]
    pub run: Run,
}

/// Options that commands without output files take too.
#[derive(clap::Args, Clone)]
pub struct Run {
    /// Threads to use; 0 means all
    #[arg(short = 'T', long, value_name = "COUNT", default_value_t = 0, value_parser = threads)]
    pub threads: usize,
    /// Print more details
    #[arg(short, long)]
    pub verbose: bool,
    /// Print no progress and no summary
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// Most threads that may be asked for: each takes memory for a block.
const MOST_THREADS: usize = 256;

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 0..=MOST_THREADS) => Ok(count),
        _ => Err(format!("not a number from 0 to {MOST_THREADS}")),
    }
}

impl Run {
    /// Runs `work` with the threads asked for.
    pub fn with_threads<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads);
        Ok(pool.build().context("cannot start threads")?.install(work))
    }

    /// [`exit::each`] with the threads asked for.
    ///
    /// # Errors
    /// As there.
    pub fn each(&self, paths: &[PathBuf], work: impl Fn(&Path) -> Result<()> + Send) -> Result<()> {
        self.with_threads(|| exit::each(paths, work))?
    }

    /// Says how fast `bytes` were `done`.
    pub fn say_speed(&self, done: &str, bytes: u64, start: Instant) {
        self.say(|| {
            let speed = bytes as f64 / start.elapsed().as_secs_f64();
            format!("{done} at {}/s", HumanBytes(speed as u64))
        });
    }

    /// A line on standard error, unless quiet.
    pub fn say(&self, line: impl FnOnce() -> String) {
        if !self.quiet {
            eprintln!("{}", line());
        }
    }

    /// A bar that counts pieces of work; silent when standard error is not a
    /// terminal.
    pub fn steps(&self) -> ProgressBar {
        let target = match self.quiet {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// Runs `work` with the threads asked for and a bar that it tells how much is
    /// done, of how much, and of what. The first interrupt sets the flag that
    /// `work` gets, so that it cleans up; a second one ends the process.
    pub fn in_steps<T: Send>(
        &self,
        work: impl FnOnce(&AtomicBool, &(dyn Fn(u64, u64, &str) + Sync)) -> T + Send,
    ) -> Result<T> {
        ctrlc::set_handler(|| {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        })
        .context("cannot handle interrupts")?;
        let bar = self.steps();
        let result = self.with_threads(|| {
            work(&STOP, &|done, of, what| {
                bar.set_length(of);
                bar.set_position(done);
                bar.set_message(what.to_owned());
            })
        });
        bar.finish_and_clear();
        result
    }

    /// A bar for `length` bytes, or what is known of them; silent when standard
    /// error is not a terminal.
    pub fn bar(&self, what: &str, length: Option<u64>) -> ProgressBar {
        let target = if self.quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(length, target);
        let template = match length {
            Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            None => "{msg} {spinner} {bytes} {bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// Whether a path stands for standard input or output.
pub fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses an output that cannot be written, before the work.
pub fn writable(path: &Path) -> Result<()> {
    brevity_files::check(path).with_context(|| format!("cannot write {}", path.display()))
}

/// Opens a source; also gives its length, if it has one.
pub fn open(path: &Path) -> Result<(Box<dyn Read + Send>, Option<u64>)> {
    if is_dash(path) {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = open_file(path)?;
    let length = file.metadata().ok().filter(fs::Metadata::is_file);
    let length = length.map(|m| m.len());
    Ok((Box::new(BufReader::with_capacity(1 << 16, file)), length))
}

/// Opens a file that is no folder.
pub fn open_file(path: &Path) -> Result<File> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        bail!(Usage(format!("{} is a folder", path.display())));
    }
    Ok(file)
}

impl Common {
    /// Refuses to write where something is: a file, unless it may be overwritten
    /// and is not the source; anything else always.
    pub fn free(&self, path: &Path, source: &Path) -> Result<()> {
        let Ok(taken) = path.symlink_metadata() else {
            return Ok(());
        };
        let same = |source: PathBuf| path.canonicalize().is_ok_and(|path| path == source);
        let problem = if !is_dash(source) && source.canonicalize().is_ok_and(same) {
            "is the source itself: write elsewhere"
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

    /// Where the output for `source` goes; `derived` is its name beside the
    /// source, if one can be derived.
    pub fn target(&self, source: &Path, derived: Option<PathBuf>) -> Result<Target> {
        let path = match (&self.output, derived) {
            (Some(path), _) if !is_dash(path) => path.clone(),
            (Some(_), _) => return Ok(Target::Stdout),
            (None, _) if self.stdout || is_dash(source) => return Ok(Target::Stdout),
            (None, Some(path)) => path,
            (None, None) => bail!(Usage(format!(
                "{} does not end in .{EXTENSION}: say where to write with -o",
                source.display()
            ))),
        };
        self.free(&path, source)?;
        Ok(Target::File(OutputFile::new(path, source, self.force)?))
    }
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
    temporary: PathBuf,
    writer: BufWriter<File>,
    force: bool,
    /// When the source was last changed.
    modified: Option<SystemTime>,
}

/// The temporary file to remove on an interrupt.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

fn set_unfinished(path: Option<PathBuf>) {
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        *unfinished = path;
    }
}

/// Set by an interrupt while something runs that can stop.
static STOP: AtomicBool = AtomicBool::new(false);

/// Whether such a thing runs.
static STOPPABLE: AtomicBool = AtomicBool::new(false);

/// Makes an interrupt remove what is unfinished.
pub fn clean_up_on_interrupt() -> Result<()> {
    ctrlc::set_handler(|| {
        if STOPPABLE.load(Ordering::Relaxed) && !STOP.swap(true, Ordering::Relaxed) {
            eprintln!("stopping: writing a checkpoint; once more to end at once");
            return;
        }
        if let Ok(unfinished) = UNFINISHED.lock()
            && let Some(path) = &*unfinished
        {
            let _ = fs::remove_file(path);
        }
        std::process::exit(130);
    })
    .context("cannot handle interrupts")
}

/// Runs what the first interrupt asks to stop, instead of ending the process.
pub fn stoppable<T>(work: impl FnOnce(&AtomicBool) -> T) -> T {
    STOPPABLE.store(true, Ordering::Relaxed);
    let result = work(&STOP);
    STOPPABLE.store(false, Ordering::Relaxed);
    result
}

impl OutputFile {
    fn new(path: PathBuf, source: &Path, force: bool) -> Result<OutputFile> {
        let context = || format!("cannot write {}", path.display());
        let name = path.file_name().with_context(context)?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(hidden);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let like = match is_dash(source) {
            true => None,
            false => fs::metadata(source).ok().filter(fs::Metadata::is_file),
        };
        // As readable as its source, at no instant more.
        #[cfg(unix)]
        if like.is_some() {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        let file = options.open(&temporary).with_context(context)?;
        set_unfinished(Some(temporary.clone()));
        if let Some(like) = &like {
            let _ = file.set_permissions(like.permissions());
        }
        Ok(OutputFile {
            path,
            temporary,
            writer: BufWriter::with_capacity(1 << 16, file),
            force,
            modified: like.and_then(|like| like.modified().ok()),
        })
    }

    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was written so far, complete as far as the disk goes.
    pub fn reread(&mut self) -> Result<BufReader<File>> {
        let context = || format!("cannot write {}", self.path.display());
        self.writer.flush().with_context(context)?;
        self.writer.get_ref().sync_all().with_context(context)?;
        let file = File::open(&self.temporary).with_context(context)?;
        Ok(BufReader::with_capacity(1 << 16, file))
    }

    /// Begins anew.
    pub fn restart(&mut self) -> Result<()> {
        let context = || format!("cannot write {}", self.path.display());
        self.writer.flush().with_context(context)?;
        self.writer.get_ref().set_len(0).with_context(context)?;
        self.writer.rewind().with_context(context)
    }

    /// Gives the file its name, and its source's time of last change.
    pub fn finish(mut self) -> Result<()> {
        self.reread()?;
        if let Some(modified) = self.modified {
            let _ = self.writer.get_ref().set_modified(modified);
        }
        let result = if self.force {
            fs::rename(&self.temporary, &self.path)
        } else {
            // Unlike a rename, a link never replaces a file. Some file systems
            // have none.
            match fs::hard_link(&self.temporary, &self.path) {
                Err(_) if self.path.symlink_metadata().is_err() => {
                    fs::rename(&self.temporary, &self.path)
                }
                result => result,
            }
        };
        result.with_context(|| format!("cannot write {}", self.path.display()))
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

impl Drop for OutputFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary);
        set_unfinished(None);
    }
}

/// Standard output for bytes that are not for people.
pub fn stdout_for_archives(force: bool) -> Result<io::Stdout> {
    let out = io::stdout();
    if out.is_terminal() && !force {
        bail!(Usage(
            "not writing an archive to a terminal: use -o, or -f to insist".into()
        ));
    }
    Ok(out)
}
