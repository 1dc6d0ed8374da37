//! The micro-kernel: a tile of a few rows by a few vectors of the result, in
//! registers.

use crate::simd::{LANES, Simd, Vector};
use std::mem::MaybeUninit;

/// The most rows of a tile. With two registers for each row these are twelve
/// independent chains: enough to hide the latency of a fused multiply-add, few enough
/// for sixteen registers.
pub(super) const MR: usize = 6;

/// Columns in a panel of the packed right operand.
pub(super) const NR: usize = 2 * LANES;

/// The operands of a tile.
#[derive(Clone, Copy)]
pub(super) struct Operands {
    /// Number of steps of the reduction.
    pub k: usize,
    /// The left operand, at row 0 and step 0.
    pub a: *const f32,
    /// Distance between its rows or, if rows are adjacent (`ADJACENT`), its steps.
    pub a_stride: usize,
    /// The right operand, at step 0 and column 0.
    pub b: *const f32,
    /// Distance between its steps.
    pub b_stride: usize,
    /// Distance between its panels of [`NR`] columns.
    pub b_panel: usize,
    /// The result, at row 0 and column 0.
    pub c: *mut f32,
    /// Distance between its rows.
    pub c_stride: usize,
    /// The chains start from the values in `c`, not from zero.
    pub resume: bool,
}

/// Computes `M` rows by `N` vectors, each vector from its own panel. Each output is
/// one chain of fused multiply-adds over the steps, in increasing order.
///
/// # Safety
/// The operands are valid for this shape; no other thread accesses the tile of `c`.
#[inline(always)]
unsafe fn tile<V: Vector, const M: usize, const N: usize, const ADJACENT: bool>(o: Operands) {
    // SAFETY: all accesses are inside the operands, as the caller promises.
    unsafe {
        let mut acc = [[V::splat(0.0); N]; M];
        if o.resume {
            for (r, row) in acc.iter_mut().enumerate() {
                for (v, x) in row.iter_mut().enumerate() {
                    *x = V::load_ptr(o.c.add(r * o.c_stride + v * V::WIDTH));
                }
            }
        }
        let (mut a, mut b) = (o.a, o.b);
        for _ in 0..o.k {
            let mut bv = [V::splat(0.0); N];
            for (v, x) in bv.iter_mut().enumerate() {
                *x = V::load_ptr(b.add(v * o.b_panel));
            }
            for (r, row) in acc.iter_mut().enumerate() {
                let at = if ADJACENT { r } else { r * o.a_stride };
                let x = V::splat(*a.add(at));
                for (y, b) in row.iter_mut().zip(bv) {
                    *y = x.mul_add(b, *y);
                }
            }
            a = a.wrapping_add(if ADJACENT { o.a_stride } else { 1 });
            b = b.wrapping_add(o.b_stride);
        }
        for (r, row) in acc.into_iter().enumerate() {
            for (v, x) in row.into_iter().enumerate() {
                x.store_ptr(o.c.add(r * o.c_stride + v * V::WIDTH));
            }
        }
    }
}

/// The fewest columns that fill the registers of a tile of [`MR`] rows.
pub(super) const fn least_cols<S: Simd>() -> usize {
    if S::WIDE { 2 * NR } else { NR }
}

/// Runs a tile of `rows` rows at `o` and returns its number of columns, at most
/// `cols`, which depends on the shape. A panel has [`NR`] columns; a last one of at
/// most [`LANES`] columns has half as many.
///
/// # Safety
/// The conditions of [`tile`]; the panels of the right operand are padded with zeros.
#[inline(always)]
pub(super) unsafe fn run<S: Simd, const ADJACENT: bool>(
    rows: usize,
    cols: usize,
    o: Operands,
) -> usize {
    // SAFETY: promised by the caller; partial vectors go through a buffer.
    unsafe {
        match (rows, cols) {
            // Few rows, or few registers for each row: more panels, for enough chains.
            (1, 128..) if S::WIDE => {
                tile::<S::W, 1, 8, ADJACENT>(o);
                128
            }
            (1, 64..) => {
                tile::<S::W, 1, 4, ADJACENT>(o);
                64
            }
            (2 | 3, 32..) => {
                several::<S::W, 2, ADJACENT>(rows, o);
                32
            }
            // One tile of three vectors instead of two tiles of two and one.
            (4.., 48) if S::WIDE => {
                several::<S::W, 3, ADJACENT>(rows, o);
                48
            }
            (4.., 32..) if S::WIDE => {
                several::<S::W, 2, ADJACENT>(rows, o);
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
                    several::<S::W, 1, ADJACENT>(rows, inner);
                } else {
                    several::<S::F, 1, ADJACENT>(rows, inner);
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

/// Runs a tile of `rows` rows, 1 to [`MR`], by `N` vectors.
///
/// # Safety
/// The conditions of [`tile`].
#[inline(always)]
unsafe fn several<V: Vector, const N: usize, const ADJACENT: bool>(rows: usize, o: Operands) {
    // SAFETY: promised by the caller.
    unsafe {
        match rows {
            1 => tile::<V, 1, N, ADJACENT>(o),
            2 => tile::<V, 2, N, ADJACENT>(o),
            3 => tile::<V, 3, N, ADJACENT>(o),
            4 => tile::<V, 4, N, ADJACENT>(o),
            5 => tile::<V, 5, N, ADJACENT>(o),
            _ => tile::<V, 6, N, ADJACENT>(o),
        }
    }
}
