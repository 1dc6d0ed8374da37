//! Vectors of eight `f32` on every CPU, with the same bits.
//!
//! A kernel is written once, generic over [`Simd`], and run by [`dispatch`], which
//! chooses the [`InstructionSet`] at run time. The logical width is eight lanes on
//! every instruction set, so a reduction over lanes has the same shape everywhere,
//! and the choice changes only the speed. Chains that never cross lanes may use
//! [sixteen](Simd::W) lanes.
//!
//! Every operation here is either exact (integer and bit operations, `min`,
//! `max`, selection) or correctly rounded by IEEE 754 (`add`, `sub`, `mul`,
//! `div`, `sqrt`, `mul_add`), and so identical on every CPU. There are no
//! approximate reciprocals and no flush-to-zero.

mod dispatch;
mod instruction_set;
mod portable;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use dispatch::{Kernel, dispatch, dispatch_on};
pub use instruction_set::{InstructionSet, InstructionSetError};
pub use portable::Portable;
pub use vector::Vector;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

/// Lanes in a vector, on every instruction set.
pub const LANES: usize = 8;

/// Operations on vectors of eight `f32` or `i32`, by one instruction set.
///
/// They may only run inside [`dispatch`] or [`dispatch_on`], which check that the CPU
/// supports the instructions.
pub trait Simd: Copy + Send + Sync + 'static {
    /// Eight `f32`.
    type F: Vector;
    /// Eight `i32`.
    type I: Copy;
    /// Sixteen `f32`, for the innermost loops.
    type W: Vector;
    /// Whether sixteen lanes are one register.
    const WIDE: bool = Self::W::REGISTERS == 1;
    /// Whether specialised copies of a kernel for common sizes are worth their code.
    const TUNED: bool;

    /// Every lane is `x`.
    #[inline(always)]
    fn splat(x: f32) -> Self::F {
        Self::F::splat(x)
    }
    /// The first eight values of `s`.
    ///
    /// # Panics
    /// If there are fewer.
    fn load(s: &[f32]) -> Self::F;
    /// Writes eight values to the front of `s`.
    ///
    /// # Panics
    /// If `s` is shorter.
    fn store(v: Self::F, s: &mut [f32]);
    /// The first values of `s`, at most eight, padded with zeros.
    #[inline(always)]
    fn load_part(s: &[f32]) -> Self::F {
        if s.len() >= LANES {
            Self::load(s)
        } else {
            let mut part = [0.0; LANES];
            part[..s.len()].copy_from_slice(s);
            Self::load(&part)
        }
    }
    /// Writes the first values of `v` to `s`, at most eight.
    #[inline(always)]
    fn store_part(v: Self::F, s: &mut [f32]) {
        if s.len() >= LANES {
            Self::store(v, s);
        } else {
            s.copy_from_slice(&Self::to_array(v)[..s.len()]);
        }
    }
    /// Eight values at `p`.
    ///
    /// # Safety
    /// `p` is valid for reading eight `f32`; no alignment is needed.
    #[inline(always)]
    unsafe fn load_ptr(p: *const f32) -> Self::F {
        // SAFETY: promised by the caller.
        unsafe { Self::F::load_ptr(p) }
    }
    /// Writes eight values at `p`.
    ///
    /// # Safety
    /// `p` is valid for writing eight `f32`; no alignment is needed.
    #[inline(always)]
    unsafe fn store_ptr(v: Self::F, p: *mut f32) {
        // SAFETY: promised by the caller.
        unsafe { v.store_ptr(p) }
    }
    /// Prefetches the cache line at `p`, which may be any address.
    fn prefetch(p: *const f32);
    /// The lanes as an array.
    fn to_array(v: Self::F) -> [f32; LANES];
    /// `a + b`
    #[inline(always)]
    fn add(a: Self::F, b: Self::F) -> Self::F {
        a.add(b)
    }
    /// `a - b`
    #[inline(always)]
    fn sub(a: Self::F, b: Self::F) -> Self::F {
        a.sub(b)
    }
    /// `a * b`
    #[inline(always)]
    fn mul(a: Self::F, b: Self::F) -> Self::F {
        a.mul(b)
    }
    /// `a / b`
    fn div(a: Self::F, b: Self::F) -> Self::F;
    /// `sqrt(a)`
    fn sqrt(a: Self::F) -> Self::F;
    /// `a * b + c`, rounded once.
    #[inline(always)]
    fn mul_add(a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        a.mul_add(b, c)
    }
    /// `if a > b { a } else { b }` (the second operand if either is NaN).
    #[inline(always)]
    fn max(a: Self::F, b: Self::F) -> Self::F {
        a.max(b)
    }
    /// `if a < b { a } else { b }` (the second operand if either is NaN).
    fn min(a: Self::F, b: Self::F) -> Self::F;
    /// Lane by lane `if a < b { x } else { y }`.
    #[inline(always)]
    fn select_lt(a: Self::F, b: Self::F, x: Self::F, y: Self::F) -> Self::F {
        Self::F::select_lt(a, b, x, y)
    }
    /// `a` with its sign bit cleared.
    fn abs(a: Self::F) -> Self::F;
    /// The magnitude of `a` with the sign of `s`.
    fn copysign(a: Self::F, s: Self::F) -> Self::F;

    /// The transpose of an 8 x 8 matrix, given as rows.
    fn transpose(rows: [Self::F; LANES]) -> [Self::F; LANES];

    /// Every lane is `x`.
    fn splat_i(x: i32) -> Self::I;
    /// `a + b`, wrapping.
    fn add_i(a: Self::I, b: Self::I) -> Self::I;
    /// `a - b`, wrapping.
    fn sub_i(a: Self::I, b: Self::I) -> Self::I;
    /// `a << N`
    fn shl_i<const N: i32>(a: Self::I) -> Self::I;
    /// `a >> N`, arithmetic.
    fn shr_i<const N: i32>(a: Self::I) -> Self::I;
    /// The bits of `a` as integers.
    fn bits(a: Self::F) -> Self::I;
    /// The `f32` whose bits are `a`.
    fn from_bits(a: Self::I) -> Self::F;
}
