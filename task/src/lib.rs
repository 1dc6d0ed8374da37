//! Control of long work: stop requests, progress reports, error chains.
//!
//! The caller passes a [`Control`]: a [`Stop`] that it may set from another thread or
//! from a signal handler, and a function that receives [`Progress`]. Work that fails
//! returns an error whose causes are its sources; [`chain()`] joins them into one line.
//!
//! ```
//! use brevity_task::{Control, Progress, Stop};
//!
//! fn count(to: u64, control: &Control<'_>) -> Option<u64> {
//!     for done in 1..=to {
//!         if control.stop.is_set() {
//!             return None;
//!         }
//!         control.tell(Progress { done, of: to, ..Progress::default() });
//!     }
//!     Some(to)
//! }
//!
//! let stop = Stop::new();
//! let stop_halfway = |at: Progress<'_>| {
//!     if 2 * at.done >= at.of {
//!         stop.set();
//!     }
//! };
//! let control = Control { stop: &stop, progress: &stop_halfway };
//! assert_eq!(count(10, &control), None);
//! assert_eq!(count(10, &Control::none()), Some(10));
//! ```
//!
//! The crate has no dependencies, so that any crate can use it.

mod chain;
mod control;
mod counter;

pub use chain::{Chain, chain};
pub use control::{Control, Progress, Stop};
pub use counter::Counter;
