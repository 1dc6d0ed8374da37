//! The innermost loop: a few rows by a few vectors of the result, in registers.

use crate::simd::{LANES, Simd};
use std::mem::MaybeUninit;

/// Rows of the result in a tile at most: with two vectors a row, twelve
/// independent chains, enough to hide the latency of a fused multiply-add and
/// few enough for sixteen registers.
pub(super) const MR: usize = 6;

/// Columns in a panel of the packed right operand.
pub(super) const NR: usize = 2 * LANES;

/// Where a tile reads and writes.
#[derive(Clone, Copy)]
pub(super) struct Operands {
    /// Steps of the reduction.
    pub k: usize,
    /// Row 0, step 0 of the left operand.
    pub a: *const f32,
    /// Distance of its rows, or, if rows are adjacent (`ADJACENT`), of its steps.
    pub a_stride: usize,
    /// Step 0, column 0 of the right operand.
    pub b: *const f32,
    /// Distance of its steps.
    pub b_stride: usize,
    /// Distance of its panels of [`NR`] columns.
    pub b_panel: usize,
    /// Row 0, column 0 of the result.
    pub c: *mut f32,
    /// Distance of its rows.
    pub c_stride: usize,
    /// The chains start from the values in `c`, not from zero.
    pub resume: bool,
}

/// Computes `M` rows by `V` vectors: for each output one chain of fused
/// multiply-adds, `k` increasing.
///
/// # Safety
/// All places that follow from the shape are inside the operands; `c` is not
/// read or written by others meanwhile.
#[inline(always)]
unsafe fn tile<S: Simd, const M: usize, const V: usize, const ADJACENT: bool>(o: Operands) {
    // SAFETY: all pointers stay within what the caller vouches for.
    unsafe {
        let mut acc = [[S::splat(0.0); V]; M];
        if o.resume {
            for (r, row) in acc.iter_mut().enumerate() {
                for (v, x) in row.iter_mut().enumerate() {
                    *x = S::load_ptr(o.c.add(r * o.c_stride + v * LANES));
                }
            }
        }
        let (mut a, mut b) = (o.a, o.b);
        for _ in 0..o.k {
            let mut bv = [S::splat(0.0); V];
            for (v, x) in bv.iter_mut().enumerate() {
                *x = S::load_ptr(b.add((v / 2) * o.b_panel + (v % 2) * LANES));
            }
            for (r, row) in acc.iter_mut().enumerate() {
                let at = if ADJACENT { r } else { r * o.a_stride };
                let x = S::splat(*a.add(at));
                for (v, y) in row.iter_mut().enumerate() {
                    *y = S::mul_add(x, bv[v], *y);
                }
            }
            a = a.wrapping_add(if ADJACENT { o.a_stride } else { 1 });
            b = b.wrapping_add(o.b_stride);
        }
        for (r, row) in acc.iter().enumerate() {
            for (v, x) in row.iter().enumerate() {
                S::store_ptr(*x, o.c.add(r * o.c_stride + v * LANES));
            }
        }
    }
}

/// Runs the tile of `rows` rows that starts at `o`, over as many of the `cols`
/// columns as suit it, and says how many that were. Full panels are as wide as
/// [`NR`]; a last one of at most [`LANES`] columns has half that width.
///
/// # Safety
/// As for [`tile`]; the right operand has all columns of a panel, zeros beyond
/// the last.
#[inline(always)]
pub(super) unsafe fn run<S: Simd, const ADJACENT: bool>(
    rows: usize,
    cols: usize,
    o: Operands,
) -> usize {
    // SAFETY: promised by the caller; edges go through a buffer of full width.
    unsafe {
        match (rows, cols) {
            // Few rows: more vectors a row, to have enough chains.
            (1, 64..) => {
                tile::<S, 1, 8, ADJACENT>(o);
                64
            }
            (2, 32..) => {
                tile::<S, 2, 4, ADJACENT>(o);
                32
            }
            (3, 32..) => {
                tile::<S, 3, 4, ADJACENT>(o);
                32
            }
            _ => {
                let cols = cols.min(NR);
                let exact = cols.is_multiple_of(LANES);
                let mut buffer = MaybeUninit::<[f32; MR * NR]>::uninit();
                let inner = if exact {
                    o
                } else {
                    Operands {
                        c: buffer.as_mut_ptr().cast(),
                        c_stride: NR,
                        ..o
                    }
                };
                if !exact && o.resume {
                    buffer.write([0.0; MR * NR]);
                    for r in 0..rows {
                        let from = o.c.add(r * o.c_stride);
                        from.copy_to_nonoverlapping(inner.c.add(r * NR), cols);
                    }
                }
                if cols > LANES {
                    wide::<S, ADJACENT>(rows, inner);
                } else {
                    narrow::<S, ADJACENT>(rows, inner);
                }
                if !exact {
                    for r in 0..rows {
                        let to = o.c.add(r * o.c_stride);
                        to.copy_from_nonoverlapping(inner.c.add(r * NR), cols);
                    }
                }
                cols
            }
        }
    }
}

/// One full panel.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn wide<S: Simd, const ADJACENT: bool>(rows: usize, o: Operands) {
    // SAFETY: promised by the caller.
    unsafe {
        match rows {
            1 => tile::<S, 1, 2, ADJACENT>(o),
            2 => tile::<S, 2, 2, ADJACENT>(o),
            3 => tile::<S, 3, 2, ADJACENT>(o),
            4 => tile::<S, 4, 2, ADJACENT>(o),
            5 => tile::<S, 5, 2, ADJACENT>(o),
            _ => tile::<S, 6, 2, ADJACENT>(o),
        }
    }
}

/// One panel of half width.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn narrow<S: Simd, const ADJACENT: bool>(rows: usize, o: Operands) {
    // SAFETY: promised by the caller.
    unsafe {
        match rows {
            1 => tile::<S, 1, 1, ADJACENT>(o),
            2 => tile::<S, 2, 1, ADJACENT>(o),
            3 => tile::<S, 3, 1, ADJACENT>(o),
            4 => tile::<S, 4, 1, ADJACENT>(o),
            5 => tile::<S, 5, 1, ADJACENT>(o),
            _ => tile::<S, 6, 1, ADJACENT>(o),
        }
    }
}
