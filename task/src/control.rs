//! Stop and progress.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stop, shared by those who make it and those who look.
///
/// It is only ever set: work that was asked to stop leaves what is needed to
/// continue, and returns.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Not set. Can be a `static`, for a signal handler.
    pub const fn new() -> Stop {
        Stop(AtomicBool::new(false))
    }

    /// Asks to stop. Returns whether that was asked before.
    pub fn set(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    /// Whether to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How far some work is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress<'a> {
    /// Parts done: steps of a training, pairs of a table, bytes of a file.
    pub done: u64,
    /// Parts of the whole work; 0 where that is not known.
    pub of: u64,
    /// Bytes that were worked on so far, with repetition.
    pub bytes: u64,
    /// Cost of the latest bytes in bits per byte, where they are priced.
    pub bits_per_byte: Option<f64>,
    /// What is worked on, in words for people; empty where it does not change.
    pub what: &'a str,
}

/// The connection of some work to whoever started it.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Looked at between parts of the work.
    pub stop: &'a Stop,
    /// Told after each part, from the thread that did it.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

impl<'a> Control<'a> {
    /// Nobody stops the work, and nobody is told how far it is.
    pub fn none() -> Control<'static> {
        static NEVER: Stop = Stop::new();
        Control::silent(&NEVER)
    }

    /// Tells nobody how far the work is.
    pub fn silent(stop: &'a Stop) -> Control<'a> {
        Control {
            stop,
            progress: &|_| {},
        }
    }

    /// Tells how far the work is.
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
