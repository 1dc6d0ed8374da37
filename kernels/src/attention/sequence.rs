//! The input of one head of one whole sequence, for training.

use super::mask::BlockMask;
use super::products::QUERIES;
use super::qk_norm_rope::QkNormRope;
use super::rope_tables::rotations_len;
use super::tile::{copy_row, load_tile};
use super::{Attention, padded};
use crate::simd::{LANES, Simd};

/// Queries, keys and values of one head of a sequence that starts at position 0.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'a> {
    /// Sequence length.
    pub seq_len: usize,
    /// The transformation of queries and keys.
    pub qk_norm_rope: QkNormRope,
    /// The factor of the queries after the transformation.
    pub factor: f32,
    /// Number of positions that a query sees, its own included.
    pub reach: u64,
    /// `qkv` of the sequence, from the head's first query on.
    pub qkv: &'a [f32],
    /// Distance from a query to its key, and from the key to its value.
    pub width: usize,
    /// RoPE rotations of every tile; empty without RoPE.
    pub rotations: &'a [f32],
    /// Number of heads of the sequence after this one.
    heads_left: usize,
}

/// A part of a row of `qkv`.
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
        seq_len: usize,
        qkv: &'a [f32],
        gain: Option<&[f32]>,
        rotations: &'a [f32],
        task: usize,
    ) -> Sequence<'a> {
        let (b, h) = (task / a.heads, task % a.heads);
        let sequence = seq_len * 3 * a.width();
        Sequence {
            seq_len,
            qk_norm_rope: a.qk_norm_rope(gain),
            factor: a.factor(gain.map(|g| g[h])),
            reach: a.reach(),
            qkv: &qkv[b * sequence..(b + 1) * sequence][h * a.head_dim..],
            width: a.width(),
            rotations,
            heads_left: a.heads - 1 - h,
        }
    }

    /// Number of groups of eight positions.
    pub fn groups(&self) -> usize {
        self.seq_len.div_ceil(LANES)
    }

    /// Distance between two rows of values, padded to whole vectors.
    pub fn value_row(&self) -> usize {
        padded(self.qk_norm_rope.dim)
    }

    /// The mask of the block of queries that starts at `first`, a multiple of
    /// sixteen.
    pub fn block_mask(&self, first: usize) -> BlockMask {
        BlockMask {
            first: first as u64,
            queries: QUERIES.min(self.seq_len - first),
            reach: self.reach,
        }
    }

    /// Number of rows of the tile that starts at `from`.
    pub fn rows(&self, from: usize) -> usize {
        LANES.min(self.seq_len.saturating_sub(from))
    }

    /// Distance between two rows of `qkv`.
    pub fn row(&self) -> usize {
        3 * self.width
    }

    /// The offset of `part` of row `from` in `qkv`.
    pub fn offset(&self, part: Part, from: usize) -> usize {
        from * self.row() + part as usize * self.width
    }

    /// Prefetches the queries, keys and values that the next task will read for its
    /// block at `first`.
    #[inline(always)]
    pub fn prefetch_next(&self, first: usize) {
        for part in [Part::Query, Part::Key, Part::Value] {
            let from = self.qkv.as_ptr().wrapping_add(self.offset(part, 0));
            self.prefetch_next_rows(from, self.row(), first);
        }
    }

    /// The same for an array with rows of `row` values, in which this head's part
    /// starts at `from`.
    #[inline(always)]
    pub fn prefetch_next_rows(&self, from: *const f32, row: usize, first: usize) {
        let dim = self.qk_norm_rope.dim;
        // The next head, or the first one of the next sequence. If there is none,
        // the prefetch has no effect.
        let next = if self.heads_left > 0 {
            dim
        } else {
            self.seq_len * row + dim - self.width
        };
        for t in first..self.seq_len.min(first + QUERIES) {
            for c in (0..dim).step_by(LINE) {
                prefetch(from.wrapping_add(next + t * row + c));
            }
        }
    }

    /// RoPE rotations of the tile that starts at `from`.
    pub fn rotations(&self, from: usize) -> *const f32 {
        let offset = from / LANES * rotations_len(self.qk_norm_rope.dim);
        self.rotations.as_ptr().wrapping_add(offset)
    }

    /// Loads the tile of queries or keys that starts at `from`, applies QK-norm and
    /// RoPE, and returns the inverse root mean squares.
    ///
    /// # Safety
    /// `tile` is valid for writing a tile.
    #[inline(always)]
    pub unsafe fn load<S: Simd>(&self, part: Part, from: usize, tile: *mut f32) -> S::F {
        let dim = self.qk_norm_rope.dim;
        let rows = self.rows(from);
        let src = self.qkv.as_ptr().wrapping_add(self.offset(part, from));
        // SAFETY: the rows lie inside `qkv`; a tile that has rows has rotations.
        unsafe {
            load_tile::<S>(src, self.row(), rows, dim, tile);
            if rows == 0 {
                return S::splat(1.0);
            }
            self.qk_norm_rope.forward::<S>(tile, self.rotations(from))
        }
    }

    /// Copies the values to rows of [`value_row`](Self::value_row) values, padded
    /// with zeros to whole groups.
    ///
    /// # Safety
    /// `values` is valid for writing `groups() * 8` such rows.
    #[inline(always)]
    pub unsafe fn load_values<S: Simd>(&self, values: *mut f32) {
        let (dim, row) = (self.qk_norm_rope.dim, self.value_row());
        for t in 0..self.groups() * LANES {
            // SAFETY: rows below `seq_len` lie inside `qkv`; `values` has the others.
            unsafe {
                let to = values.add(t * row);
                if t >= self.seq_len {
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

/// Values in a cache line.
const LINE: usize = 16;

/// Prefetches the cache line at `p`, which may be any address. It has no effect on
/// results.
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
