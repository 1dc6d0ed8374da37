//! Scratch buffers that a thread keeps, so that kernels do not allocate in steady
//! state.

use std::cell::RefCell;

/// A cache line of sixteen values.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A buffer of `f32` that is aligned to a cache line and may be longer than asked
/// for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffer(Vec<Line>);

impl Buffer {
    /// A buffer of at least `len` zeros.
    pub(crate) fn zeros(len: usize) -> Buffer {
        Buffer(vec![Line([0.0; 16]); len.div_ceil(16)])
    }

    /// Grows the buffer to at least `len` values.
    fn reserve(&mut self, len: usize) {
        let lines = len.div_ceil(16);
        if self.0.len() < lines {
            self.0.resize(lines, Line([0.0; 16]));
        }
    }

    /// All values.
    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: a `Line` is sixteen `f32` without padding.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * 16) }
    }

    /// All values.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: a `Line` is sixteen `f32` without padding.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * 16) }
    }
}

thread_local! {
    /// This thread's free buffers, the last used on top.
    static FREE: RefCell<Vec<Buffer>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with a buffer of `len` values, aligned to 64 bytes. Its contents are
/// unspecified. Calls may be nested.
pub(crate) fn with<T>(len: usize, f: impl FnOnce(&mut [f32]) -> T) -> T {
    let mut buffer = take(len);
    let result = f(&mut buffer.as_mut_slice()[..len]);
    give(buffer);
    result
}

/// Takes a free buffer of this thread, or a new one, of at least `len` values. Its
/// contents are unspecified.
pub(crate) fn take(len: usize) -> Buffer {
    let mut buffer = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    buffer.reserve(len);
    buffer
}

/// Returns a buffer to this thread's free ones.
pub(crate) fn give(buffer: Buffer) {
    FREE.with_borrow_mut(|free| free.push(buffer));
}

#[cfg(test)]
mod tests {
    #[test]
    fn buffers_are_aligned_nest_and_come_back() {
        let first = super::with(100, |a| {
            super::with(7, |b| {
                assert_eq!((a.len(), b.len()), (100, 7));
                assert_ne!(a.as_ptr(), b.as_ptr());
                assert_eq!(b.as_ptr() as usize % 64, 0);
            });
            a.as_ptr()
        });
        assert_eq!(super::with(50, |a| a.as_ptr()), first);
    }
}
