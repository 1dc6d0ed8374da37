//! Counts what several threads do of one piece of work.

use crate::{Control, Progress};
use std::sync::atomic::{AtomicU64, Ordering};

/// Adds up bytes that are done, from any thread, and reports each sum.
#[derive(Debug)]
pub struct Counter<'a> {
    control: Control<'a>,
    what: &'a str,
    of: u64,
    done: AtomicU64,
}

impl<'a> Counter<'a> {
    /// None of `of` bytes are done; `what` describes the work.
    pub fn new(control: &Control<'a>, what: &'a str, of: u64) -> Counter<'a> {
        Counter {
            control: *control,
            what,
            of,
            done: AtomicU64::new(0),
        }
    }

    /// Reports that so many more bytes are done. Returns whether to go on: `false` once a
    /// stop is requested.
    pub fn add(&self, more: u64) -> bool {
        let done = more + self.done.fetch_add(more, Ordering::Relaxed);
        self.control.tell(Progress {
            done,
            of: self.of,
            bytes: done,
            what: self.what,
            ..Progress::default()
        });
        !self.control.stop.is_set()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stop;

    #[test]
    fn sums_are_reported_until_a_stop() {
        let stop = Stop::new();
        let (sum, of) = (AtomicU64::new(0), AtomicU64::new(0));
        let progress = |progress: Progress<'_>| {
            sum.store(progress.done, Ordering::Relaxed);
            of.store(progress.of, Ordering::Relaxed);
        };
        let control = Control {
            stop: &stop,
            progress: &progress,
        };
        let counter = Counter::new(&control, "hash", 10);
        assert!(counter.add(3));
        assert!(counter.add(4));
        stop.set();
        assert!(!counter.add(1));
        assert_eq!((sum.into_inner(), of.into_inner()), (8, 10));
    }
}
