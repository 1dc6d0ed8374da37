//! The three matrix products of attention on a block of sixteen queries, in
//! registers.
//!
//! The queries of a block are the lanes of two vectors: a score, a probability or a
//! component of the output is a pair of vectors, sixteen values in memory. All sums
//! are chains of fused multiply-adds over components, keys or queries, never across
//! lanes.

use crate::simd::{LANES, Simd, Vector};
use std::ops::Range;

/// Queries in a block.
pub(super) const QUERIES: usize = 2 * LANES;

/// A matrix in memory: component `c` of key `8 g + j` is at
/// `ptr + g * group + j * row + c * component`.
#[derive(Clone, Copy)]
pub(super) struct Matrix {
    pub ptr: *const f32,
    pub group: usize,
    pub row: usize,
    pub component: usize,
}

impl Matrix {
    /// The matrix from row `row < 8` of group `group` on.
    ///
    /// # Safety
    /// The matrix has that row.
    #[inline(always)]
    pub unsafe fn at(self, group: usize, row: usize) -> Matrix {
        Matrix {
            // SAFETY: promised by the caller.
            ptr: unsafe { self.ptr.add(group * self.group + row * self.row) },
            ..self
        }
    }
}

/// Inner products of `K` keys with the queries of one or two tiles: chains over the
/// components.
///
/// # Safety
/// `queries` is valid for reading a tile of `dim` vectors for every eight lanes,
/// `keys` for `K` rows.
#[inline(always)]
pub(super) unsafe fn inner_products<V: Vector, const K: usize>(
    queries: *const f32,
    keys: Matrix,
    dim: usize,
) -> [V; K] {
    let tile = dim * LANES;
    // SAFETY: rows below `K` and components below `dim` only.
    unsafe {
        let q = V::load_tiles(queries, tile);
        let mut acc = [q; K];
        for (r, acc) in acc.iter_mut().enumerate() {
            *acc = q.mul(V::splat(*keys.ptr.add(r * keys.row)));
        }
        for c in 1..dim {
            let q = V::load_tiles(queries.add(c * LANES), tile);
            for (r, acc) in acc.iter_mut().enumerate() {
                let k = V::splat(*keys.ptr.add(r * keys.row + c * keys.component));
                *acc = q.mul_add(k, *acc);
            }
        }
        acc
    }
}

/// `acc[c] += sum over keys of weights[key] * values[key][c]`, one query in each
/// lane: chains over the keys of whole groups of eight, continued from `acc`. `acc`
/// is `[dim][16]`, `weights` `[groups * 8][16]`. With `SKIP`, a negative weight is
/// skipped.
///
/// # Safety
/// The pointers are valid for these shapes, `values` for `groups` groups of `dim`
/// components.
#[inline(always)]
pub(super) unsafe fn accumulate<V: Vector, const SKIP: bool>(
    weights: *const f32,
    values: Matrix,
    groups: usize,
    dim: usize,
    acc: *mut f32,
) {
    // SAFETY: components below `dim` only.
    unsafe {
        let mut c = 0;
        // Enough chains to hide the latency of a multiply-add.
        while V::REGISTERS == 1 && c + 8 <= dim {
            accumulate_components::<V, 8, SKIP>(weights, values, groups, c, acc);
            c += 8;
        }
        while c + 4 <= dim {
            accumulate_components::<V, 4, SKIP>(weights, values, groups, c, acc);
            c += 4;
        }
        while c < dim {
            accumulate_components::<V, 1, SKIP>(weights, values, groups, c, acc);
            c += 1;
        }
    }
}

#[inline(always)]
unsafe fn accumulate_components<V: Vector, const C: usize, const SKIP: bool>(
    weights: *const f32,
    values: Matrix,
    groups: usize,
    first: usize,
    acc: *mut f32,
) {
    // SAFETY: groups below `groups` and components `first..first + C` only.
    unsafe {
        let acc = acc.add(first * QUERIES);
        let mut sum = [V::splat(0.0); C];
        for (c, sum) in sum.iter_mut().enumerate() {
            *sum = V::load_ptr(acc.add(c * QUERIES));
        }
        let mut weights = weights;
        let mut group = values.ptr.add(first * values.component);
        for _ in 0..groups {
            for r in 0..LANES {
                let w = V::load_ptr(weights.add(r * QUERIES));
                for (c, sum) in sum.iter_mut().enumerate() {
                    let x = *group.add(r * values.row + c * values.component);
                    let new = w.mul_add(V::splat(x), *sum);
                    *sum = if SKIP {
                        V::select_lt(w, V::splat(0.0), *sum, new)
                    } else {
                        new
                    };
                }
            }
            weights = weights.add(LANES * QUERIES);
            group = group.wrapping_add(values.group);
        }
        for (c, sum) in sum.into_iter().enumerate() {
            sum.store_ptr(acc.add(c * QUERIES));
        }
    }
}

/// `acc[key] += sum over queries of weights[key][query] * rows[query]` for eight
/// keys: chains over `queries`, a range of the block's sixteen, continued from
/// `acc`. `rows` and `acc` have rows of `vectors` vectors; `weights` is `[8][16]`.
///
/// # Safety
/// The pointers are valid for these shapes.
#[inline(always)]
pub(super) unsafe fn accumulate_transposed<S: Simd>(
    weights: *const f32,
    rows: *const f32,
    vectors: usize,
    queries: Range<usize>,
    acc: *mut f32,
) {
    let row = vectors * LANES;
    // SAFETY: vectors below `vectors` only, keys below 8.
    unsafe {
        let mut c = 0;
        while c + 2 <= vectors {
            let (rows, acc) = (rows.add(c * LANES), acc.add(c * LANES));
            if S::WIDE {
                accumulate_keys::<S::W, 8>(weights, rows, row, queries.clone(), acc);
            } else {
                for k in [0, 4] {
                    let (weights, acc) = (weights.add(k * QUERIES), acc.add(k * row));
                    accumulate_keys::<S::W, 4>(weights, rows, row, queries.clone(), acc);
                }
            }
            c += 2;
        }
        if c < vectors {
            let (rows, acc) = (rows.add(c * LANES), acc.add(c * LANES));
            accumulate_keys::<S::F, 8>(weights, rows, row, queries, acc);
        }
    }
}

#[inline(always)]
unsafe fn accumulate_keys<V: Vector, const K: usize>(
    weights: *const f32,
    rows: *const f32,
    row: usize,
    queries: Range<usize>,
    acc: *mut f32,
) {
    // SAFETY: `K` keys and one vector of each row only.
    unsafe {
        let mut sum = [V::splat(0.0); K];
        for (k, sum) in sum.iter_mut().enumerate() {
            *sum = V::load_ptr(acc.add(k * row));
        }
        for i in queries {
            let x = V::load_ptr(rows.add(i * row));
            for (k, sum) in sum.iter_mut().enumerate() {
                let w = V::splat(*weights.add(k * QUERIES + i));
                *sum = w.mul_add(x, *sum);
            }
        }
        for (k, sum) in sum.into_iter().enumerate() {
            sum.store_ptr(acc.add(k * row));
        }
    }
}
