//! The one handler of signals, for all commands.
//!
//! Work that can stop is run by [`stoppable`]: the first interrupt asks it to, and it
//! leaves what is needed to continue. Where nothing can stop, where it takes longer
//! than [`GRACE`], and on a second interrupt, the process ends at once. That is safe at
//! any instant, for no file has its name before it is whole; only what was done since
//! the last checkpoint is lost.

use crate::console::note;
use anyhow::{Context, Result};
use brevity_task::Stop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The exit status of a process that was interrupted.
pub const INTERRUPTED: u8 = 130;

/// How long work may take to stop.
const GRACE: Duration = Duration::from_millis(1800);

static STOP: Stop = Stop::new();

/// Whether something runs that can stop.
static STOPPABLE: AtomicBool = AtomicBool::new(false);

/// Handles interrupts, termination and hang-ups from now on. Writing beyond the
/// largest size of files that is allowed becomes an error like a full disk.
///
/// # Errors
/// What the operating system says.
pub fn handle() -> Result<()> {
    #[cfg(unix)]
    // SAFETY: ignoring a signal installs no handler of ours.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
    ctrlc::set_handler(|| {
        if !STOPPABLE.load(Ordering::Relaxed) || STOP.set() {
            end();
        }
        note("stopping; once more to end at once");
        thread::spawn(|| {
            thread::sleep(GRACE);
            end();
        });
    })
    .context("cannot handle interrupts")
}

/// Runs work that looks at the [`Stop`] it is given.
pub fn stoppable<T>(work: impl FnOnce(&'static Stop) -> T) -> T {
    STOPPABLE.store(true, Ordering::Relaxed);
    let result = work(&STOP);
    STOPPABLE.store(false, Ordering::Relaxed);
    result
}

fn end() -> ! {
    brevity_files::remove_unfinished();
    std::process::exit(INTERRUPTED.into())
}
