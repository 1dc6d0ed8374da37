//! The signal handler of all commands.
//!
//! [`stoppable`] runs work that can stop. The first interrupt requests a stop; the work
//! then saves the state needed to continue. If no work can stop, if stopping takes longer
//! than [`GRACE`], or on a second interrupt, the process ends at once. That is safe at
//! any time, because a file gets its name only when it is complete; only the work since
//! the last checkpoint is lost.

use crate::console::note;
use anyhow::{Context, Result};
use brevity_task::Stop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The exit status of a process that was interrupted.
pub const INTERRUPTED: u8 = 130;

/// Time that work may take to stop.
const GRACE: Duration = Duration::from_millis(1800);

static STOP: Stop = Stop::new();

/// Whether work that can stop is running.
static STOPPABLE: AtomicBool = AtomicBool::new(false);

/// Handles interrupts, termination and hang-ups from now on. Writing beyond the limit on
/// file sizes becomes an error like a full disk.
///
/// # Errors
/// The operating system refuses the handler.
pub fn handle() -> Result<()> {
    #[cfg(unix)]
    // SAFETY: ignoring a signal installs no handler of ours.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
    ctrlc::set_handler(|| {
        if !STOPPABLE.load(Ordering::Relaxed) {
            note("brevity: interrupted");
            end();
        }
        if STOP.set() {
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

/// Runs work that checks the given [`Stop`].
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
