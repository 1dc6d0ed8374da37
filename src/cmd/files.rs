//! Options that commands share: input, number of threads, progress reports. `-`
//! is standard input; a source is never changed.

use crate::console::note;
use crate::exit::{self, Usage};
use crate::signals;
use anyhow::{Context, Result, bail};
use brevity_data::DataConfig;
use brevity_lab::experiments::score::model_file;
use brevity_task::{Control, Progress};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
    /// A model that is read, too: no output replaces it.
    #[arg(skip)]
    pub model: Option<PathBuf>,
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

/// Limit on the number of threads: each takes memory for a block.
const MOST_THREADS: usize = 256;

/// A number of threads; 0 is all.
pub fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 0..=MOST_THREADS) => Ok(count),
        _ => Err(format!("not a number from 0 to {MOST_THREADS}")),
    }
}

impl Run {
    /// Runs `work` with the requested number of threads.
    pub fn with_threads<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads);
        Ok(pool.build().context("cannot start threads")?.install(work))
    }

    /// [`exit::each`] with the requested number of threads.
    ///
    /// # Errors
    /// Those of [`exit::each`].
    pub fn each(&self, paths: &[PathBuf], work: impl Fn(&Path) -> Result<()> + Send) -> Result<()> {
        self.with_threads(|| exit::each(paths, work))?
    }

    /// Prints the speed at which `bytes` were processed; `done` is the verb.
    pub fn say_speed(&self, done: &str, bytes: u64, start: Instant) {
        self.say(|| {
            let speed = bytes as f64 / start.elapsed().as_secs_f64();
            format!("{done} at {}/s", HumanBytes(speed as u64))
        });
    }

    /// A line on standard error, unless quiet.
    pub fn say(&self, line: impl FnOnce() -> String) {
        if !self.quiet {
            note(line());
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

    /// Runs work that can stop, with the requested number of threads and a
    /// progress bar for its parts.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub fn in_steps<T: Send>(&self, work: impl FnOnce(&Control<'_>) -> T + Send) -> Result<T> {
        self.with_threads(|| watched(&self.steps(), work))
    }

    /// A progress bar for `length` bytes, if the length is known; silent when
    /// standard error is not a terminal.
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

/// A bar for work whose parts are not counted: what it is, and for how long it runs. Silent
/// when standard error is not a terminal.
pub fn waiting(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Runs work that can stop and shows its progress on a bar.
pub fn watched<T>(bar: &ProgressBar, work: impl FnOnce(&Control<'_>) -> T) -> T {
    let progress = |at: Progress<'_>| {
        bar.set_length(at.of);
        bar.set_position(at.done);
        bar.set_message(match at.bits_per_byte {
            Some(bits) => format!("{} {bits:.3} bits per byte", at.what),
            None => at.what.to_owned(),
        });
    };
    let result = signals::stoppable(|stop| {
        work(&Control {
            stop,
            progress: &progress,
        })
    });
    bar.finish_and_clear();
    result
}

/// Whether a path stands for standard input or output.
pub fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether two paths lead to one file.
pub fn is_same(a: &Path, b: &Path) -> bool {
    a.canonicalize()
        .is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

/// Whether a path is a file that is read, or that of the model in a folder that is.
pub fn is_read(path: &Path, read: &Path) -> bool {
    is_same(path, read) || is_same(path, &model_file(read))
}

/// Refuses an output that would replace what the command reads: files, models or the folders
/// that they are in, byte sets.
pub fn apart<'a>(
    output: &Path,
    files: impl IntoIterator<Item = &'a Path>,
    sets: impl IntoIterator<Item = &'a DataConfig>,
) -> Result<()> {
    let mut files = files.into_iter();
    let is_read = files.any(|file| is_read(output, file))
        || sets.into_iter().any(|set| set.source.reads(output));
    if is_read {
        bail!(Usage(format!(
            "{} is what this command reads: write elsewhere",
            output.display()
        )));
    }
    Ok(())
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

/// The text on standard input.
pub fn standard_input() -> Result<String> {
    io::read_to_string(io::stdin()).context("cannot read standard input")
}

/// Refuses a table where the folder of a sweep is expected; `option` is the one that reads it.
pub fn no_table(sweep: &Path, option: &str) -> Result<()> {
    let is_table = |end: &OsStr| end.eq_ignore_ascii_case("csv") && !sweep.is_dir();
    if is_dash(sweep) || sweep.extension().is_some_and(is_table) {
        let path = sweep.display();
        bail!(Usage(format!(
            "{path} is no folder of a sweep: a table is read with {option} {path}"
        )));
    }
    Ok(())
}

/// Opens a file; refuses a folder.
pub fn open_file(path: &Path) -> Result<File> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        bail!(Usage(format!("{} is a folder", path.display())));
    }
    Ok(file)
}
