//! Shares work among rayon's threads, if there is enough of it.
//!
//! No result of this crate depends on the number of threads: each task computes its
//! own outputs, whichever thread runs it. Calls from inside a rayon pool (`install`)
//! are cheaper, since they need no switch of threads.

use rayon::prelude::*;
use std::cell::Cell;

thread_local! {
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with kernels that use only the calling thread. This is for a caller that has
/// already split its work among the threads, in pieces that stay in a core's cache from
/// one kernel to the next.
pub fn alone<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    let _restore = Restore(ALONE.replace(true));
    f()
}

/// The number of threads that a kernel called here uses: 1 inside [`alone`], else the
/// size of the current pool.
pub fn current() -> usize {
    if ALONE.get() {
        1
    } else {
        rayon::current_num_threads()
    }
}

/// Work, in fused multiply-adds or moved values, below which waking another thread
/// costs more than it saves: about 20 microseconds of one core.
const WORTH_SHARING: usize = 1 << 20;

/// The number of threads for `work` operations: 1, or all of them.
pub(crate) fn worth(work: usize) -> usize {
    if work < WORTH_SHARING { 1 } else { current() }
}

/// Runs `task(0)`, ..., `task(count - 1)`, which together do `work` operations.
pub(crate) fn each(count: usize, work: usize, task: impl Fn(usize) + Send + Sync) {
    if count <= 1 || worth(work) == 1 {
        (0..count).for_each(task);
    } else {
        (0..count).into_par_iter().with_max_len(1).for_each(task);
    }
}

/// A pointer that tasks share; each task writes its own places.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// SAFETY: tasks that write through the pointer promise disjoint places.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// The pointer to `data`, which must outlive all use of it.
    pub(crate) fn new(data: &mut [f32]) -> Shared {
        Shared(data.as_mut_ptr())
    }

    /// The pointer itself.
    pub(crate) fn ptr(self) -> *mut f32 {
        self.0
    }

    /// The pointer, `places` values further on.
    pub(crate) fn offset(self, places: usize) -> Shared {
        Shared(self.0.wrapping_add(places))
    }

    /// `len` values from `start` on.
    ///
    /// # Safety
    /// They lie inside the data, which is still borrowed, and no other task accesses
    /// them at the same time.
    pub(crate) unsafe fn slice<'a>(self, start: usize, len: usize) -> &'a mut [f32] {
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }
}
