//! Tiles: eight rows of a head, component by component.
//!
//! The layout is `[head_dim][8]`: a component of the eight rows is one vector, and
//! nothing is ever summed across lanes. Missing rows are zero. Pointers may be
//! unaligned.

use crate::simd::{LANES, Simd};

/// Loads `rows <= 8` rows of `dim` values, `stride` apart, into a tile.
///
/// # Safety
/// `src` is valid for reading those rows, `tile` for writing `dim` vectors.
#[inline(always)]
pub(super) unsafe fn load_tile<S: Simd>(
    src: *const f32,
    stride: usize,
    rows: usize,
    dim: usize,
    tile: *mut f32,
) {
    // SAFETY: only rows below `rows` and components below `dim`; whole vectors only
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

/// Stores the first `rows <= 8` rows of a tile, `stride` apart.
///
/// # Safety
/// `tile` is valid for reading `dim` vectors, `dst` for writing those rows.
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

/// The inner products of the rows of two tiles: a chain over the components that
/// starts with a product.
///
/// # Safety
/// Both tiles are valid for reading `dim` vectors.
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

/// Multiplies the rows of a tile by `factor`, one lane for each row.
///
/// # Safety
/// `src` is valid for reading `dim` vectors, `dst` for writing them; they may be the
/// same tile.
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

/// Copies `dim` values.
///
/// # Safety
/// The pointers are valid for `dim` values and do not overlap.
#[inline(always)]
pub(super) unsafe fn copy_row<S: Simd>(from: *const f32, dim: usize, to: *mut f32) {
    // SAFETY: only values below `dim`.
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
