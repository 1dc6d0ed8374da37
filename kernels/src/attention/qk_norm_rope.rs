//! QK-norm and RoPE: the transformation of a tile of queries or keys before the scores,
//! and its backward pass. Pointers may be unaligned.

use super::NORM_EPS;
use super::tile::{inner, scale};
use crate::simd::{LANES, Simd};

/// QK-norm: divides the rows of a tile by their root mean square and returns its
/// inverse.
///
/// # Safety
/// `tile` is valid for reading and writing `dim` vectors.
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

/// RoPE: rotates the rows of a tile by their positions, or back.
///
/// # Safety
/// `tile` is valid for reading and writing `dim` vectors, `rotations` for reading
/// [`rotations_len`](super::rope_tables::rotations_len) values.
#[inline(always)]
pub(super) unsafe fn rotate<S: Simd>(
    tile: *mut f32,
    rotations: *const f32,
    dim: usize,
    back: bool,
) {
    let half = dim / 2;
    let zero = S::splat(0.0);
    // SAFETY: components below `dim` and pairs below `half` only.
    unsafe {
        for i in 0..half {
            let cos = S::load_ptr(rotations.add(2 * i * LANES));
            let mut sin = S::load_ptr(rotations.add((2 * i + 1) * LANES));
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

/// The transformation of raw queries and keys before the scores are computed. A
/// transformed row is called prepared.
#[derive(Clone, Copy)]
pub(super) struct QkNormRope {
    /// Components of a head.
    pub dim: usize,
    /// QK-norm.
    pub norm: bool,
    /// Rotary position embedding.
    pub rope: bool,
}

impl QkNormRope {
    /// Prepares a tile of raw rows in place and returns their inverse root mean
    /// squares (1 without QK-norm).
    ///
    /// # Safety
    /// `tile` is valid for reading and writing `dim` vectors and, with RoPE,
    /// `rotations` for reading [`rotations_len`](super::rope_tables::rotations_len)
    /// values.
    #[inline(always)]
    pub unsafe fn forward<S: Simd>(&self, tile: *mut f32, rotations: *const f32) -> S::F {
        // SAFETY: promised by the caller.
        unsafe {
            let mut inverse = S::splat(1.0);
            if self.norm {
                inverse = normalise::<S>(tile, self.dim);
            }
            if self.rope {
                rotate::<S>(tile, rotations, self.dim, false);
            }
            inverse
        }
    }

    /// Replaces the gradient of prepared rows by the gradient of the raw rows. `unit`
    /// are the prepared rows.
    ///
    /// # Safety
    /// The conditions of [`forward`](Self::forward), for both tiles.
    #[inline(always)]
    pub unsafe fn backward<S: Simd>(
        &self,
        grad: *mut f32,
        unit: *const f32,
        inverse: S::F,
        rotations: *const f32,
    ) {
        // SAFETY: promised by the caller; components below `dim` only.
        unsafe {
            if self.norm {
                // A rotation preserves inner products, so it can be undone afterwards.
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
                rotate::<S>(grad, rotations, self.dim, true);
            }
        }
    }
}
