//! Standard output and standard error, including closed ones and broken pipes.

use anyhow::{Result, bail};
use std::fmt::Display;
use std::io::{self, StdoutLock, Write};

/// Writes a line to standard error. A closed standard error is not a failure.
pub fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Standard output, for results.
///
/// # Errors
/// If this process was started with a closed standard output. Rust's runtime replaces it
/// by the null device, so results would be lost silently.
pub fn stdout() -> Result<StdoutLock<'static>> {
    if closed::stdout_was_closed() {
        bail!("cannot write to standard output: it is closed");
    }
    Ok(io::stdout().lock())
}

/// Detects streams that were closed before the runtime opened them.
#[cfg(target_os = "linux")]
mod closed {
    use std::sync::atomic::{AtomicBool, Ordering};

    static CLOSED: AtomicBool = AtomicBool::new(false);

    extern "C" fn look() {
        // SAFETY: F_GETFD reads the flags of a descriptor, or fails if it is closed.
        let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
        CLOSED.store(flags == -1, Ordering::Relaxed);
    }

    /// The C runtime calls the functions in this section before `main`, and so before
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
