//! Sixteen dot products of bytes side by side.

use super::PANEL;
#[cfg(any(test, not(target_arch = "x86_64")))]
use crate::simd::Portable;
use crate::simd::Simd;

/// Sums of sixteen rows of weights. Functions may only run in [`Path::run`].
pub(super) trait Dots {
    /// For the `f32` operations.
    type S: Simd;
    /// Sixteen integers.
    type Sums: Copy;
    /// Panels that fill the registers, 1 or 2.
    const PANELS: usize;
    /// Most rows of activations that fit the registers.
    const ROWS: usize;

    /// What the sums of `(w - zero) x` start from, `sum` being that of the `x`.
    /// With `SIGNED`, zero is 128.
    fn start<const SIGNED: bool>(zero: i32, sum: i32) -> Self::Sums;

    /// Adds the products of four weights of each row, `w[4 row..4 row + 4]`, with
    /// four activations. Without `SIGNED`, weights are below 64.
    fn add<const SIGNED: bool>(sums: Self::Sums, w: &[u8; 4 * PANEL], x: [i8; 4]) -> Self::Sums;

    /// The sums, which are below 2^24.
    fn floats(sums: Self::Sums) -> <Self::S as Simd>::W;
}

/// Plain Rust.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(super) struct PortableDots;

#[cfg(any(test, not(target_arch = "x86_64")))]
impl Dots for PortableDots {
    type S = Portable;
    type Sums = [i32; PANEL];
    const PANELS: usize = 1;
    const ROWS: usize = 1;

    #[inline(always)]
    fn start<const SIGNED: bool>(zero: i32, sum: i32) -> Self::Sums {
        [-zero * sum; PANEL]
    }

    #[inline(always)]
    fn add<const SIGNED: bool>(
        mut sums: Self::Sums,
        w: &[u8; 4 * PANEL],
        x: [i8; 4],
    ) -> Self::Sums {
        for (sum, w) in sums.iter_mut().zip(w.as_chunks::<4>().0) {
            for (w, x) in w.iter().zip(x) {
                // No product is beyond 255 * 127.
                *sum += i32::from(i16::from(*w) * i16::from(x));
            }
        }
        sums
    }

    #[inline(always)]
    fn floats(sums: Self::Sums) -> <Self::S as Simd>::W {
        let (parts, _) = sums.as_chunks();
        std::array::from_fn(|i| parts[i].map(|x: i32| x as f32))
    }
}
