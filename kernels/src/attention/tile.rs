//! The three products of attention on a block of sixteen queries, in registers.
//!
//! The queries of a block lie across two vectors: a score, a probability or a
//! component of the output is a pair of vectors, sixteen values in memory. All
//! sums run over the components or over the keys, one fused multiply-add after
//! the other, never across lanes.

use crate::simd::{LANES, Simd};
use std::ops::Range;

/// Queries of a block.
pub(super) const QUERIES: usize = 2 * LANES;

/// Where the values of a matrix lie: those of key `8 g + j` and component `c` at
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
    /// There is such a row.
    #[inline(always)]
    pub unsafe fn at(self, group: usize, row: usize) -> Matrix {
        Matrix {
            // SAFETY: promised by the caller.
            ptr: unsafe { self.ptr.add(group * self.group + row * self.row) },
            ..self
        }
    }
}

/// Inner products of `K` keys with `Q` vectors of queries, chains over the
/// components.
///
/// # Safety
/// `queries` is good for reading `Q` tiles of `dim` vectors, `keys` for `K`
/// rows.
#[inline(always)]
pub(super) unsafe fn inner_products<S: Simd, const K: usize, const Q: usize>(
    queries: *const f32,
    keys: Matrix,
    dim: usize,
) -> [[S::F; Q]; K] {
    // SAFETY: rows below `K` and components below `dim` only.
    unsafe {
        let mut q = [S::splat(0.0); Q];
        let mut acc = [q; K];
        for (i, q) in q.iter_mut().enumerate() {
            *q = S::load_ptr(queries.add(i * dim * LANES));
        }
        for (r, acc) in acc.iter_mut().enumerate() {
            let k = S::splat(*keys.ptr.add(r * keys.row));
            for (acc, q) in acc.iter_mut().zip(q) {
                *acc = S::mul(q, k);
            }
        }
        for c in 1..dim {
            for (i, q) in q.iter_mut().enumerate() {
                *q = S::load_ptr(queries.add((i * dim + c) * LANES));
            }
            for (r, acc) in acc.iter_mut().enumerate() {
                let k = S::splat(*keys.ptr.add(r * keys.row + c * keys.component));
                for (acc, q) in acc.iter_mut().zip(q) {
                    *acc = S::mul_add(q, k, *acc);
                }
            }
        }
        acc
    }
}

/// `acc[c] += sum over keys of weights[key] * values[key][c]` for `Q` vectors
/// of the queries of a block: chains over the keys that go on where `acc`
/// stands. The keys are those of whole groups of eight; `acc` is `[dim][16]`,
/// `weights` `[groups * 8][16]`. With `SKIP`, a negative weight leaves its chain
/// untouched.
///
/// # Safety
/// The pointers are good for that, `values` for so many groups of `dim`.
#[inline(always)]
pub(super) unsafe fn accumulate<S: Simd, const Q: usize, const SKIP: bool>(
    weights: *const f32,
    values: Matrix,
    groups: usize,
    dim: usize,
    acc: *mut f32,
) {
    // SAFETY: components below `dim` only.
    unsafe {
        let mut c = 0;
        while c + 4 <= dim {
            accumulate_components::<S, 4, Q, SKIP>(weights, values, groups, c, acc);
            c += 4;
        }
        while c < dim {
            accumulate_components::<S, 1, Q, SKIP>(weights, values, groups, c, acc);
            c += 1;
        }
    }
}

#[inline(always)]
unsafe fn accumulate_components<S: Simd, const C: usize, const Q: usize, const SKIP: bool>(
    weights: *const f32,
    values: Matrix,
    groups: usize,
    first: usize,
    acc: *mut f32,
) {
    // SAFETY: groups below `groups` and components `first..first + C` only.
    unsafe {
        let acc = acc.add(first * QUERIES);
        let mut w = [S::splat(0.0); Q];
        let mut sum = [w; C];
        for (c, sum) in sum.iter_mut().enumerate() {
            for (i, sum) in sum.iter_mut().enumerate() {
                *sum = S::load_ptr(acc.add(c * QUERIES + i * LANES));
            }
        }
        let mut weights = weights;
        let mut group = values.ptr.add(first * values.component);
        for _ in 0..groups {
            for r in 0..LANES {
                for (i, w) in w.iter_mut().enumerate() {
                    *w = S::load_ptr(weights.add(r * QUERIES + i * LANES));
                }
                for (c, sum) in sum.iter_mut().enumerate() {
                    let x = *group.add(r * values.row + c * values.component);
                    let x = S::splat(x);
                    for (sum, w) in sum.iter_mut().zip(w) {
                        let new = S::mul_add(w, x, *sum);
                        *sum = if SKIP {
                            S::select_lt(w, S::splat(0.0), *sum, new)
                        } else {
                            new
                        };
                    }
                }
            }
            weights = weights.add(LANES * QUERIES);
            group = group.wrapping_add(values.group);
        }
        for (c, sum) in sum.into_iter().enumerate() {
            for (i, sum) in sum.into_iter().enumerate() {
                S::store_ptr(sum, acc.add(c * QUERIES + i * LANES));
            }
        }
    }
}

/// `acc[key] += sum over queries of weights[key][query] * rows[query]` for
/// eight keys: chains over `queries`, of the sixteen of a block, that go on
/// where `acc` stands. `rows` and `acc` are rows of `vectors` vectors, `weights` is
/// `[8][16]`.
///
/// # Safety
/// The pointers are good for that.
#[inline(always)]
pub(super) unsafe fn accumulate_transposed<S: Simd>(
    weights: *const f32,
    rows: *const f32,
    vectors: usize,
    queries: Range<usize>,
    acc: *mut f32,
) {
    // SAFETY: vectors below `vectors` only.
    unsafe {
        let mut c = 0;
        while c + 2 <= vectors {
            for k in [0, 4] {
                accumulate_keys::<S, 4, 2>(weights, rows, vectors, queries.clone(), k, c, acc);
            }
            c += 2;
        }
        if c < vectors {
            accumulate_keys::<S, 8, 1>(weights, rows, vectors, queries, 0, c, acc);
        }
    }
}

#[inline(always)]
unsafe fn accumulate_keys<S: Simd, const K: usize, const V: usize>(
    weights: *const f32,
    rows: *const f32,
    vectors: usize,
    queries: Range<usize>,
    key: usize,
    vector: usize,
    acc: *mut f32,
) {
    let row = vectors * LANES;
    // SAFETY: keys `key..key + K` of 8, vectors `vector..vector + V` only.
    unsafe {
        let weights = weights.add(key * QUERIES);
        let rows = rows.add(vector * LANES);
        let acc = acc.add(key * row + vector * LANES);
        let mut sum = [[S::splat(0.0); V]; K];
        for (k, sum) in sum.iter_mut().enumerate() {
            for (v, sum) in sum.iter_mut().enumerate() {
                *sum = S::load_ptr(acc.add(k * row + v * LANES));
            }
        }
        for i in queries {
            let mut x = [S::splat(0.0); V];
            for (v, x) in x.iter_mut().enumerate() {
                *x = S::load_ptr(rows.add(i * row + v * LANES));
            }
            for (k, sum) in sum.iter_mut().enumerate() {
                let w = S::splat(*weights.add(k * QUERIES + i));
                for (sum, x) in sum.iter_mut().zip(x) {
                    *sum = S::mul_add(w, x, *sum);
                }
            }
        }
        for (k, sum) in sum.into_iter().enumerate() {
            for (v, sum) in sum.into_iter().enumerate() {
                S::store_ptr(sum, acc.add(k * row + v * LANES));
            }
        }
    }
}
