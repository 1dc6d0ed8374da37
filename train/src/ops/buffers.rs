//! A pool of reusable buffers: after the first, a training step allocates nothing.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Free buffers by length.
static FREE: Mutex<Option<HashMap<usize, Vec<Vec<f32>>>>> = Mutex::new(None);

/// A buffer of `len` values, not initialised: zeros, or values of an earlier use.
pub(crate) fn take(len: usize) -> Vec<f32> {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    let known = free.get_or_insert_default().get_mut(&len);
    known.and_then(Vec::pop).unwrap_or_else(|| vec![0.0; len])
}

/// Returns a buffer to the pool, for the next [`take`] of its length.
pub(crate) fn give(buffer: Vec<f32>) {
    if buffer.is_empty() {
        return;
    }
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    free.get_or_insert_default()
        .entry(buffer.len())
        .or_default()
        .push(buffer);
}

/// Frees all buffers of the pool, after a run that needed these lengths.
pub(crate) fn clear() {
    *FREE.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// A buffer that returns to the pool when dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffer(Vec<f32>);

impl Buffer {
    /// `len` values, not initialised.
    pub(crate) fn new(len: usize) -> Buffer {
        Buffer(take(len))
    }
}

impl From<Vec<f32>> for Buffer {
    fn from(values: Vec<f32>) -> Buffer {
        Buffer(values)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.0));
    }
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
