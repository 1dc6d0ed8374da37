//! One head of one whole sequence, as training sees it.

use super::rows::{Preparation, load_tile};
use super::tile::QUERIES;
use super::turns::turns_len;
use super::visible::Visible;
use super::{Attention, padded};
use crate::simd::{LANES, Simd};

/// The rows of one head of one sequence that starts at position 0.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'a> {
    /// Positions.
    pub time: usize,
    /// What is done to queries and keys.
    pub preparation: Preparation,
    /// What queries are multiplied by then.
    pub factor: f32,
    /// Positions that a query sees, own position included.
    pub reach: u64,
    /// The sequence, from the head's first query on.
    pub qkv: &'a [f32],
    /// From a query to its key, from the key to its value.
    pub width: usize,
    /// Rotations of every tile, empty without.
    pub turns: &'a [f32],
    /// Heads of the sequence that come after this one.
    heads_left: usize,
}

/// Queries, keys or values.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Query,
    Key,
    Value,
}

impl<'a> Sequence<'a> {
    /// Head `task % heads` of sequence `task / heads`.
    pub fn new(
        a: &Attention,
        time: usize,
        qkv: &'a [f32],
        gain: Option<&[f32]>,
        turns: &'a [f32],
        task: usize,
    ) -> Sequence<'a> {
        let (b, h) = (task / a.heads, task % a.heads);
        let sequence = time * 3 * a.width();
        Sequence {
            time,
            preparation: a.preparation(gain),
            factor: a.factor(gain.map(|g| g[h])),
            reach: a.reach(),
            qkv: &qkv[b * sequence..(b + 1) * sequence][h * a.head_dim..],
            width: a.width(),
            turns,
            heads_left: a.heads - 1 - h,
        }
    }

    /// Groups of eight positions.
    pub fn groups(&self) -> usize {
        self.time.div_ceil(LANES)
    }

    /// Distance of the rows of values, padded to whole vectors.
    pub fn value_row(&self) -> usize {
        padded(self.preparation.dim)
    }

    /// The block of queries that begins at `first`, a multiple of sixteen.
    pub fn visible(&self, first: usize) -> Visible {
        Visible {
            first: first as u64,
            queries: QUERIES.min(self.time - first),
            reach: self.reach,
        }
    }

    /// Rows of the tile that begins at `from`.
    pub fn rows(&self, from: usize) -> usize {
        LANES.min(self.time.saturating_sub(from))
    }

    /// Distance of the rows of `qkv`.
    pub fn row(&self) -> usize {
        3 * self.width
    }

    /// Where `part` of the row at `from` lies from the start of `qkv`.
    pub fn offset(&self, part: Part, from: usize) -> usize {
        from * self.row() + part as usize * self.width
    }

    /// Asks for the queries, keys and values that the next task will read for
    /// its block at `first`: by then they have come from afar.
    #[inline(always)]
    pub fn prefetch_next(&self, first: usize) {
        for part in [Part::Query, Part::Key, Part::Value] {
            let from = self.qkv.as_ptr().wrapping_add(self.offset(part, 0));
            self.prefetch_next_rows(from, self.row(), first);
        }
    }

    /// The same for an array with rows of `row` values, of which this head's
    /// part begins at `from`.
    #[inline(always)]
    pub fn prefetch_next_rows(&self, from: *const f32, row: usize, first: usize) {
        let dim = self.preparation.dim;
        // Beside this head, or at the start of the next sequence. There may be
        // none: a prefetch goes nowhere then.
        let next = if self.heads_left > 0 {
            dim
        } else {
            self.time * row + dim - self.width
        };
        for t in first..self.time.min(first + QUERIES) {
            for c in (0..dim).step_by(LINE) {
                prefetch(from.wrapping_add(next + t * row + c));
            }
        }
    }

    /// Rotations of the tile that begins at `from`.
    pub fn turns(&self, from: usize) -> *const f32 {
        let offset = from / LANES * turns_len(self.preparation.dim);
        self.turns.as_ptr().wrapping_add(offset)
    }

    /// Loads the tile of queries or keys that begins at `from`, prepared, and
    /// returns the inverse of their root mean squares.
    ///
    /// # Safety
    /// `tile` is good for writing a tile.
    #[inline(always)]
    pub unsafe fn load<S: Simd>(&self, part: Part, from: usize, tile: *mut f32) -> S::F {
        let dim = self.preparation.dim;
        let rows = self.rows(from);
        let src = self.qkv.as_ptr().wrapping_add(self.offset(part, from));
        // SAFETY: the rows are inside `qkv`; a tile that exists has rotations.
        unsafe {
            load_tile::<S>(src, self.row(), rows, dim, tile);
            if rows == 0 {
                return S::splat(1.0);
            }
            self.preparation.forward::<S>(tile, self.turns(from))
        }
    }

    /// Copies the values to rows of [`value_row`](Self::value_row), whole
    /// groups, with zeros where there are none.
    ///
    /// # Safety
    /// `values` is good for writing `groups() * 8` such rows.
    #[inline(always)]
    pub unsafe fn load_values<S: Simd>(&self, values: *mut f32) {
        let (dim, row) = (self.preparation.dim, self.value_row());
        for t in 0..self.groups() * LANES {
            // SAFETY: rows below `time` are inside `qkv`; whole vectors where
            // eight components are left.
            unsafe {
                let to = values.add(t * row);
                if t >= self.time {
                    for c in (0..row).step_by(LANES) {
                        S::store_ptr(S::splat(0.0), to.add(c));
                    }
                    continue;
                }
                let from = self.qkv.as_ptr().add(self.offset(Part::Value, t));
                copy_row::<S>(from, dim, to);
                for c in dim..row {
                    *to.add(c) = 0.0;
                }
            }
        }
    }
}

/// Copies `dim` values.
///
/// # Safety
/// The pointers are good for that and do not overlap.
#[inline(always)]
pub(super) unsafe fn copy_row<S: Simd>(from: *const f32, dim: usize, to: *mut f32) {
    // SAFETY: below `dim` only.
    unsafe {
        let mut c = 0;
        while c + LANES <= dim {
            S::store_ptr(S::load_ptr(from.add(c)), to.add(c));
            c += LANES;
        }
        while c < dim {
            *to.add(c) = *from.add(c);
            c += 1;
        }
    }
}

/// Values in a line of the cache.
const LINE: usize = 16;

/// Asks for the line at `p`, which may be anywhere: a hint without effect on
/// any result.
#[inline(always)]
fn prefetch(p: *const f32) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = p;
}
