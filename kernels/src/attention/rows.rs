//! Eight rows at a time: into and out of tiles, normalised and rotated.
//!
//! A tile holds eight rows of a head, component by component: `[head_dim][8]`,
//! so that each component of the eight rows is one vector and nothing is ever
//! summed across lanes. Rows that do not exist are zero.
//!
//! All pointers here are unaligned, and good for what the function says.

use super::NORM_EPS;
use crate::simd::{LANES, Simd};

/// Reads `rows <= 8` rows of `dim` values, `stride` apart, into a tile.
///
/// # Safety
/// `src` is good for reading those rows, `tile` for writing `dim` vectors.
#[inline(always)]
pub(super) unsafe fn load_tile<S: Simd>(
    src: *const f32,
    stride: usize,
    rows: usize,
    dim: usize,
    tile: *mut f32,
) {
    // SAFETY: row `r < rows` and component `c < dim` only; whole vectors only
    // where eight components are left.
    unsafe {
        let mut c = 0;
        if rows == LANES {
            while c + LANES <= dim {
                let mut v = [S::splat(0.0); LANES];
                for (r, v) in v.iter_mut().enumerate() {
                    *v = S::load_ptr(src.add(r * stride + c));
                }
                for (i, v) in S::transpose(v).into_iter().enumerate() {
                    S::store_ptr(v, tile.add((c + i) * LANES));
                }
                c += LANES;
            }
        }
        for c in c..dim {
            for r in 0..LANES {
                let x = if r < rows {
                    *src.add(r * stride + c)
                } else {
                    0.0
                };
                *tile.add(c * LANES + r) = x;
            }
        }
    }
}

/// Writes the first `rows <= 8` rows of a tile, `stride` apart.
///
/// # Safety
/// `tile` is good for reading `dim` vectors, `dst` for writing those rows.
#[inline(always)]
pub(super) unsafe fn store_tile<S: Simd>(
    tile: *const f32,
    dst: *mut f32,
    stride: usize,
    rows: usize,
    dim: usize,
) {
    // SAFETY: as in `load_tile`.
    unsafe {
        let mut c = 0;
        if rows == LANES {
            while c + LANES <= dim {
                let mut v = [S::splat(0.0); LANES];
                for (i, v) in v.iter_mut().enumerate() {
                    *v = S::load_ptr(tile.add((c + i) * LANES));
                }
                for (r, v) in S::transpose(v).into_iter().enumerate() {
                    S::store_ptr(v, dst.add(r * stride + c));
                }
                c += LANES;
            }
        }
        for c in c..dim {
            for r in 0..rows {
                *dst.add(r * stride + c) = *tile.add(c * LANES + r);
            }
        }
    }
}

/// The chain over the components of two tiles, begun with a product.
///
/// # Safety
/// Both tiles are good for reading `dim` vectors.
#[inline(always)]
pub(super) unsafe fn inner<S: Simd>(a: *const f32, b: *const f32, dim: usize) -> S::F {
    // SAFETY: components below `dim` only.
    unsafe {
        let mut acc = S::mul(S::load_ptr(a), S::load_ptr(b));
        for c in 1..dim {
            let (x, y) = (S::load_ptr(a.add(c * LANES)), S::load_ptr(b.add(c * LANES)));
            acc = S::mul_add(x, y, acc);
        }
        acc
    }
}

/// Multiplies the rows of a tile by `factor`.
///
/// # Safety
/// `src` is good for reading `dim` vectors, `dst` for writing them; they may
/// be the same tile.
#[inline(always)]
pub(super) unsafe fn scale<S: Simd>(src: *const f32, factor: S::F, dim: usize, dst: *mut f32) {
    // SAFETY: components below `dim` only.
    unsafe {
        for c in 0..dim {
            let x = S::load_ptr(src.add(c * LANES));
            S::store_ptr(S::mul(x, factor), dst.add(c * LANES));
        }
    }
}

/// Divides the rows of a tile by their root mean square and returns the
/// inverse of it.
///
/// # Safety
/// `tile` is good for reading and writing `dim` vectors.
#[inline(always)]
pub(super) unsafe fn normalise<S: Simd>(tile: *mut f32, dim: usize) -> S::F {
    // SAFETY: promised by the caller.
    unsafe {
        let mean = S::mul(inner::<S>(tile, tile, dim), S::splat(1.0 / dim as f32));
        let root = S::sqrt(S::add(mean, S::splat(NORM_EPS)));
        let inverse = S::div(S::splat(1.0), root);
        scale::<S>(tile, inverse, dim, tile);
        inverse
    }
}

/// Turns the rows of a tile by their positions, or back.
///
/// # Safety
/// `tile` is good for reading and writing `dim` vectors, `turns` for reading
/// [`turns_len`](super::turns::turns_len) values.
#[inline(always)]
pub(super) unsafe fn rotate<S: Simd>(tile: *mut f32, turns: *const f32, dim: usize, back: bool) {
    let half = dim / 2;
    let zero = S::splat(0.0);
    // SAFETY: components below `dim` and pairs below `half` only.
    unsafe {
        for i in 0..half {
            let cos = S::load_ptr(turns.add(2 * i * LANES));
            let mut sin = S::load_ptr(turns.add((2 * i + 1) * LANES));
            if back {
                sin = S::sub(zero, sin);
            }
            let (p, q) = (tile.add(i * LANES), tile.add((i + half) * LANES));
            let (a, b) = (S::load_ptr(p), S::load_ptr(q));
            S::store_ptr(S::mul_add(b, S::sub(zero, sin), S::mul(a, cos)), p);
            S::store_ptr(S::mul_add(a, sin, S::mul(b, cos)), q);
        }
    }
}

/// How the raw rows of queries and keys become those that are multiplied.
#[derive(Clone, Copy)]
pub(super) struct Preparation {
    /// Components of a head.
    pub dim: usize,
    /// Normalise by the root mean square.
    pub norm: bool,
    /// Turn by the position.
    pub rope: bool,
}

impl Preparation {
    /// Prepares a tile of raw rows in place and returns the inverse of their
    /// root mean squares (1 without normalisation).
    ///
    /// # Safety
    /// `tile` is good for reading and writing `dim` vectors; `turns`, with
    /// rotation, for reading [`turns_len`](super::turns::turns_len) values.
    #[inline(always)]
    pub unsafe fn forward<S: Simd>(&self, tile: *mut f32, turns: *const f32) -> S::F {
        // SAFETY: promised by the caller.
        unsafe {
            let mut inverse = S::splat(1.0);
            if self.norm {
                inverse = normalise::<S>(tile, self.dim);
            }
            if self.rope {
                rotate::<S>(tile, turns, self.dim, false);
            }
            inverse
        }
    }

    /// Takes the gradient at prepared rows to the gradient at the raw ones,
    /// in place. `unit` are the rows as [`forward`](Self::forward) left them.
    ///
    /// # Safety
    /// As for [`forward`](Self::forward), for both tiles.
    #[inline(always)]
    pub unsafe fn backward<S: Simd>(
        &self,
        grad: *mut f32,
        unit: *const f32,
        inverse: S::F,
        turns: *const f32,
    ) {
        // SAFETY: promised by the caller; components below `dim` only.
        unsafe {
            if self.norm {
                // The rotation keeps inner products, so it can be undone afterwards.
                let mean = inner::<S>(unit, grad, self.dim);
                let mean = S::mul(mean, S::splat(1.0 / self.dim as f32));
                let mean = S::sub(S::splat(0.0), mean);
                for c in 0..self.dim {
                    let p = grad.add(c * LANES);
                    let u = S::load_ptr(unit.add(c * LANES));
                    S::store_ptr(S::mul(S::mul_add(u, mean, S::load_ptr(p)), inverse), p);
                }
            }
            if self.rope {
                rotate::<S>(grad, turns, self.dim, true);
            }
        }
    }
}
