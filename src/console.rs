//! Standard output and standard error, whatever they are connected to.

use anyhow::{Result, bail};
use std::fmt::Display;
use std::io::{self, StdoutLock, Write};

/// A line on standard error. One that nobody can read any more is no failure.
pub fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Standard output, for results.
///
/// # Errors
/// When this process was started with a closed one: Rust's runtime puts the null
/// device in its place, and results would vanish without a word.
pub fn stdout() -> Result<StdoutLock<'static>> {
    if closed::stdout_was_closed() {
        bail!("cannot write to standard output: it is closed");
    }
    Ok(io::stdout().lock())
}

/// What was closed before the runtime opened it.
#[cfg(target_os = "linux")]
mod closed {
    use std::sync::atomic::{AtomicBool, Ordering};

    static CLOSED: AtomicBool = AtomicBool::new(false);

    extern "C" fn look() {
        // SAFETY: F_GETFD reads the flags of a descriptor, or fails if it is closed.
        let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
        CLOSED.store(flags == -1, Ordering::Relaxed);
    }

    /// The C runtime calls what stands here before it calls `main`, and so before
    /// Rust's runtime starts.
    #[used]
    // SAFETY: the section holds pointers to functions of this signature.
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;

    pub fn stdout_was_closed() -> bool {
        CLOSED.load(Ordering::Relaxed)
    }
}

#[cfg(not(target_os = "linux"))]
mod closed {
    pub fn stdout_was_closed() -> bool {
        false
    }
}
