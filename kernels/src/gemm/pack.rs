//! Packing: copies operands into the order in which the micro-kernel reads them.

use super::microkernel::{MR, NR};
use super::view::View;
use crate::scratch::{self, Buffer};
use crate::simd::{Kernel, LANES, Simd, dispatch};
use std::ops::Range;

/// The most steps of the reduction in a block: 256 steps of a panel are 16 KiB, half
/// of a first-level cache.
const K_BLOCK: usize = 256;

/// Steps in each block of `k` steps: as few blocks as possible, of nearly equal
/// length.
pub(super) fn k_block(k: usize) -> usize {
    k.div_ceil(k.div_ceil(K_BLOCK).max(1)).max(1)
}

/// Columns of the packed operand: whole panels; the last has half the width if that
/// is enough.
pub(super) fn padded(cols: usize) -> usize {
    cols.next_multiple_of(LANES)
}

/// A right operand in packed order, packed once for many products, such as a weight
/// matrix at inference.
///
/// The layout is blocks of steps, in each block panels of 16 columns, in each panel
/// step by step. A last panel of at most 8 columns is 8 wide. Columns beyond the
/// last are zero.
#[derive(Clone, Debug)]
pub struct Packed {
    buffer: Buffer,
    k: usize,
    cols: usize,
}

impl Packed {
    /// Packs `b`, [k, cols].
    pub fn new(b: View) -> Packed {
        let mut buffer = Buffer::zeros(b.rows * padded(b.cols));
        whole(b, buffer.as_mut_slice());
        Packed {
            buffer,
            k: b.rows,
            cols: b.cols,
        }
    }

    /// Calls `f` with the packed `b`, [k, cols], in a scratch buffer of this thread.
    pub fn with<T>(b: View, f: impl FnOnce(&Packed) -> T) -> T {
        let mut buffer = scratch::take(b.rows * padded(b.cols));
        whole(b, buffer.as_mut_slice());
        let packed = Packed {
            buffer,
            k: b.rows,
            cols: b.cols,
        };
        let result = f(&packed);
        scratch::give(packed.buffer);
        result
    }

    /// Number of rows, `k`: the length of the reduction.
    pub fn rows(&self) -> usize {
        self.k
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The values in packed order.
    pub(super) fn data(&self) -> &[f32] {
        self.buffer.as_slice()
    }
}

/// Packs all of `b` into `out`, block by block.
pub(super) fn whole(b: View, out: &mut [f32]) {
    dispatch(Whole { b, out });
}

struct Whole<'a> {
    b: View<'a>,
    out: &'a mut [f32],
}

impl Kernel for Whole<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (step, width) = (k_block(self.b.rows), padded(self.b.cols));
        let mut k = 0;
        while k < self.b.rows {
            let end = (k + step).min(self.b.rows);
            let out = &mut self.out[k * width..end * width];
            right::<S>(self.b, k..end, 0..self.b.cols, out);
            k = end;
        }
    }
}

/// Packs steps `ks` of columns `cols` of `b` into `out`, panel by panel.
#[inline(always)]
pub(super) fn right<S: Simd>(b: View, ks: Range<usize>, cols: Range<usize>, out: &mut [f32]) {
    let steps = ks.len();
    if b.transposed {
        let mut out = &mut out[..steps * padded(cols.len())];
        let mut j = cols.start;
        while j < cols.end {
            let left = (cols.end - j).min(NR);
            let width = padded(left);
            let (panel, rest) = out.split_at_mut(steps * width);
            right_transposed::<S>(b, ks.clone(), j, left, width, panel);
            out = rest;
            j += left;
        }
        return;
    }
    // Step by step, to read memory in order.
    let (whole, rest) = (cols.len() / NR, cols.len() % NR);
    assert!(out.len() >= steps * padded(cols.len()));
    for (i, k) in ks.enumerate() {
        let from = &b.data[k * b.stride..][cols.clone()];
        // SAFETY: a row has at least `whole` panels, and step `i` of each of them is
        // inside `out`, whose length is checked.
        unsafe {
            let (mut from, mut to) = (from.as_ptr(), out.as_mut_ptr().add(i * NR));
            for _ in 0..whole {
                S::store_ptr(S::load_ptr(from), to);
                S::store_ptr(S::load_ptr(from.add(LANES)), to.add(LANES));
                from = from.wrapping_add(NR);
                to = to.wrapping_add(steps * NR);
            }
        }
        if rest > 0 {
            let width = padded(rest);
            let to = &mut out[whole * steps * NR + i * width..][..width];
            to[..rest].copy_from_slice(&from[whole * NR..]);
            to[rest..].fill(0.0);
        }
    }
}

/// Packs one panel of a transposed operand, eight columns by eight steps at a time.
#[inline(always)]
fn right_transposed<S: Simd>(
    b: View,
    ks: Range<usize>,
    j: usize,
    left: usize,
    width: usize,
    panel: &mut [f32],
) {
    let steps = ks.len();
    let eights = steps - steps % LANES;
    let mut done = 0;
    while done < left {
        let here = (left - done).min(LANES);
        if here == LANES {
            let from = &b.data[b.offset(ks.start, j + done)..];
            for k in (0..eights).step_by(LANES) {
                let mut rows = [S::splat(0.0); LANES];
                for (i, row) in rows.iter_mut().enumerate() {
                    *row = S::load(&from[i * b.stride + k..]);
                }
                for (i, col) in S::transpose(rows).into_iter().enumerate() {
                    S::store(col, &mut panel[(k + i) * width + done..]);
                }
            }
        }
        let first = if here == LANES { eights } else { 0 };
        for k in first..steps {
            for i in 0..here {
                panel[k * width + done + i] = b.data[b.offset(ks.start + k, j + done + i)];
            }
        }
        done += here;
    }
    if left < width {
        for to in panel.chunks_exact_mut(width) {
            to[left..].fill(0.0);
        }
    }
}

/// Values that [`left`] needs for a strip of `rows` rows and `steps` steps.
pub(super) fn left_len(rows: usize, steps: usize) -> usize {
    (rows * steps + LANES).next_multiple_of(NR)
}

/// Packs steps `ks` of strips of adjacent rows of a transposed left operand: strip
/// `s` to `out[s * room..]`, step by step. Overwrites up to [`LANES`] values after a
/// strip.
#[inline(always)]
pub(super) fn left<S: Simd>(
    a: View,
    strips: &Strips,
    ks: Range<usize>,
    room: usize,
    out: &mut [f32],
) {
    assert!(out.len() >= strips.count * room && room >= left_len(MR, ks.len()));
    let rows = strips.start..strips.start + strips.rows;
    for (i, k) in ks.enumerate() {
        let from = &a.data[k * a.stride..][rows.start..];
        if from.len() < rows.len() + LANES {
            for s in 0..strips.count {
                let (row, rows) = strips.at(s);
                let row = row - strips.start;
                out[s * room + i * rows..][..rows].copy_from_slice(&from[row..row + rows]);
            }
            continue;
        }
        // Whole vectors; the next step overwrites the surplus.
        // SAFETY: one vector beyond the rows can be read, and a strip has room for
        // one vector beyond its steps.
        unsafe {
            let (mut from, mut to) = (from.as_ptr(), out.as_mut_ptr());
            let kinds = [
                (strips.longer, strips.base + 1),
                (strips.count - strips.longer, strips.base),
            ];
            for (count, rows) in kinds {
                for _ in 0..count {
                    S::store_ptr(S::load_ptr(from), to.add(i * rows));
                    from = from.wrapping_add(rows);
                    to = to.wrapping_add(room);
                }
            }
        }
    }
}

/// Rows split into as few strips of at most [`MR`] rows as possible, of nearly equal
/// size: `longer` strips of `base + 1` rows, then strips of `base` rows.
pub(super) struct Strips {
    start: usize,
    rows: usize,
    pub(super) count: usize,
    base: usize,
    longer: usize,
}

impl Strips {
    #[inline(always)]
    pub(super) fn new(rows: Range<usize>) -> Strips {
        let count = rows.len().div_ceil(MR);
        Strips {
            start: rows.start,
            rows: rows.len(),
            count,
            base: rows.len() / count,
            longer: rows.len() % count,
        }
    }

    /// First row and number of rows of strip `s`.
    #[inline(always)]
    pub(super) fn at(&self, s: usize) -> (usize, usize) {
        let row = self.start + s * self.base + s.min(self.longer);
        (row, self.base + usize::from(s < self.longer))
    }
}
