//! Copying operands into the order in which the tiles read them.

use super::tile::NR;
use super::view::View;
use crate::scratch::Buffer;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use std::ops::Range;

/// Steps of the reduction that are packed together: 256 steps of a panel are
/// 16 KiB, half of a first-level cache.
const K_BLOCK: usize = 256;

/// The blocks into which `k` steps are cut, as equal as can be.
pub(super) fn k_block(k: usize) -> usize {
    k.div_ceil(k.div_ceil(K_BLOCK).max(1)).max(1)
}

/// Columns of the packed operand: whole panels, the last of half width if that
/// is enough.
pub(super) fn padded(cols: usize) -> usize {
    cols.next_multiple_of(LANES)
}

/// A right operand in packed order, made once for many products: weights at
/// inference.
///
/// Layout: blocks of steps; in a block panels of 16 columns; in a panel step
/// by step. A last panel of at most 8 columns is 8 wide. Columns beyond the last
/// are zero.
#[derive(Clone, Debug)]
pub struct Packed {
    buffer: Buffer,
    k: usize,
    cols: usize,
}

impl Packed {
    /// Packs `b`, of shape [k, cols].
    pub fn new(b: View) -> Packed {
        let mut buffer = Buffer::zeros(b.rows * padded(b.cols));
        whole(b, buffer.as_mut_slice());
        Packed {
            buffer,
            k: b.rows,
            cols: b.cols,
        }
    }

    /// Steps of the reduction.
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

/// Packs all of `b` into `out`, block after block.
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

/// Packs steps `ks` of columns `cols` of `b` into `out`, panel after panel.
#[inline(always)]
pub(super) fn right<S: Simd>(b: View, ks: Range<usize>, cols: Range<usize>, out: &mut [f32]) {
    let steps = ks.len();
    let mut j = cols.start;
    let mut out = &mut out[..steps * padded(cols.len())];
    while j < cols.end {
        let left = (cols.end - j).min(NR);
        let width = padded(left);
        let (panel, rest) = out.split_at_mut(steps * width);
        if b.transposed {
            right_transposed::<S>(b, ks.clone(), j, left, width, panel);
        } else if left == width && steps > 0 {
            let from = &b.data[b.offset(ks.start, j)..];
            for (k, to) in panel.chunks_exact_mut(width).enumerate() {
                let from = &from[k * b.stride..];
                S::store(S::load(from), to);
                if width > LANES {
                    S::store(S::load(&from[LANES..]), &mut to[LANES..]);
                }
            }
        } else {
            for (k, to) in ks.clone().zip(panel.chunks_exact_mut(width)) {
                let at = b.offset(k, j);
                to[..left].copy_from_slice(&b.data[at..at + left]);
                to[left..].fill(0.0);
            }
        }
        out = rest;
        j += left;
    }
}

/// One panel of a transposed operand: eight columns by eight steps at a time.
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

/// Room that [`left`] needs for `rows` rows and `steps` steps.
pub(super) fn left_len(rows: usize, steps: usize) -> usize {
    rows * steps + LANES
}

/// Packs `rows` adjacent rows of a transposed left operand, steps `ks`, to
/// `out[step * rows + row]`. Clobbers up to [`LANES`] values beyond.
#[inline(always)]
pub(super) fn left<S: Simd>(a: View, row: usize, rows: usize, ks: Range<usize>, out: &mut [f32]) {
    debug_assert!(a.transposed && rows <= LANES);
    // Whole vectors, each overwriting the surplus of the one before; the last
    // steps one by one, lest a load passes the end.
    let vectors = (a.data.len().saturating_sub(row + LANES) / a.stride + 1)
        .saturating_sub(ks.start)
        .min(ks.len());
    let safe = if a.data.len() >= row + LANES {
        vectors
    } else {
        0
    };
    let from = &a.data[a.offset(row, ks.start).min(a.data.len())..];
    for k in 0..safe {
        S::store(S::load(&from[k * a.stride..]), &mut out[k * rows..]);
    }
    for k in safe..ks.len() {
        for r in 0..rows {
            out[k * rows + r] = from[k * a.stride + r];
        }
    }
}
