//! Stop requests and progress reports.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// A stop request, shared by the code that sets it and the code that checks it.
///
/// It is never reset. Work that sees it saves the state needed to continue, and returns.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// A stop request that is not set. It can be a `static`, for a signal handler.
    pub const fn new() -> Stop {
        Stop(AtomicBool::new(false))
    }

    /// Requests a stop. Returns whether one was requested before.
    pub fn set(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    /// Whether a stop was requested.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The progress of some work.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress<'a> {
    /// Parts done: steps of a training, pairs of a table, bytes of a file.
    pub done: u64,
    /// Number of parts; 0 if unknown.
    pub of: u64,
    /// Bytes processed so far, with repetition.
    pub bytes: u64,
    /// Cost of the latest bytes in bits per byte, if they are priced.
    pub bits_per_byte: Option<f64>,
    /// Description of the current part; empty if it does not change.
    pub what: &'a str,
}

/// Stop request and progress reports of some work.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Checked between parts of the work.
    pub stop: &'a Stop,
    /// Called after each part, from the thread that did it.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

impl<'a> Control<'a> {
    /// No stop request, no progress reports.
    pub fn none() -> Control<'static> {
        static NEVER: Stop = Stop::new();
        Control::silent(&NEVER)
    }

    /// No progress reports.
    pub fn silent(stop: &'a Stop) -> Control<'a> {
        Control {
            stop,
            progress: &|_| {},
        }
    }

    /// Reports progress.
    pub fn tell(&self, progress: Progress<'_>) {
        (self.progress)(progress);
    }
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("stop", self.stop)
            .finish_non_exhaustive()
    }
}
