//! Long work: without the interpreter's lock, and stopped by Ctrl-C.

use brevity_task::Stop;
use pyo3::prelude::*;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How often the interpreter's signals are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Runs work on a thread of its own, while this one waits for signals. After an interrupt
/// the stop is set, and the work's end is waited for: it may call Python objects.
///
/// # Errors
/// `KeyboardInterrupt`, or what another signal's handler raises.
///
/// # Panics
/// If the work does.
pub fn run<T: Send>(py: Python<'_>, work: impl FnOnce(&Stop) -> T + Send) -> PyResult<T> {
    let stop = Stop::new();
    thread::scope(|scope| {
        let (done, mut over) = sync_channel::<()>(1);
        let stop = &stop;
        let worker = scope.spawn(move || {
            let result = work(stop);
            drop(done);
            result
        });
        let mut raised = None;
        // The channel closes when the work is over, also by a panic.
        let mut wait = || {
            // By itself: a receiver cannot be shared with another thread.
            let over = &mut over;
            over.recv_timeout(LOOK)
        };
        while let Err(RecvTimeoutError::Timeout) = py.detach(&mut wait) {
            if raised.is_none()
                && let Err(error) = py.check_signals()
            {
                stop.set();
                raised = Some(error);
            }
        }
        let result = py.detach(|| worker.join());
        match (raised, result) {
            (Some(error), _) => Err(error),
            (None, Ok(result)) => Ok(result),
            (None, Err(panic)) => std::panic::resume_unwind(panic),
        }
    })
}
