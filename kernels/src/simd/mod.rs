//! Eight `f32` lanes on every CPU, with the same bits.
//!
//! A kernel is written once, generic over [`Simd`], and entered through
//! [`dispatch`], which picks the instruction set at run time. The logical width
//! is eight lanes on every path, so a reduction that is laid out over lanes has
//! one shape everywhere and the choice of path changes the speed only.
//!
//! Every operation here is either exact (integer and bit operations, `min`,
//! `max`, selection) or correctly rounded by IEEE 754 (`add`, `sub`, `mul`,
//! `div`, `sqrt`, `mul_add`), hence identical wherever it runs. There are no
//! approximate reciprocals and no flush-to-zero.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod dispatch;
mod portable;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
pub use dispatch::{Kernel, Path, dispatch, dispatch_on};
pub use portable::Portable;

/// Lanes in a vector, on every path.
pub const LANES: usize = 8;

/// An instruction set that offers eight lanes of `f32` and `i32`.
///
/// The functions of an implementation may only run inside [`dispatch`], which
/// has checked that the CPU has the instructions.
pub trait Simd: Copy + Send + Sync + 'static {
    /// Eight `f32`.
    type F: Copy;
    /// Eight `i32`.
    type I: Copy;
    /// Whether copies of a kernel for common sizes are worth their code.
    const TUNED: bool;

    /// Every lane is `x`.
    fn splat(x: f32) -> Self::F;
    /// The first eight values of `s`. Panics if there are fewer.
    fn load(s: &[f32]) -> Self::F;
    /// Writes eight values to the front of `s`. Panics if it is shorter.
    fn store(v: Self::F, s: &mut [f32]);
    /// The first values of `s`, eight at most, then zeros.
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
    /// Writes the first values of `v` to `s`, eight at most.
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
    unsafe fn load_ptr(p: *const f32) -> Self::F;
    /// Writes eight values at `p`.
    ///
    /// # Safety
    /// `p` is valid for writing eight `f32`; no alignment is needed.
    unsafe fn store_ptr(v: Self::F, p: *mut f32);
    /// A hint that `p` is read soon; any address is allowed.
    fn prefetch(p: *const f32);
    /// The lanes as an array.
    fn to_array(v: Self::F) -> [f32; LANES];
    /// `a + b`
    fn add(a: Self::F, b: Self::F) -> Self::F;
    /// `a - b`
    fn sub(a: Self::F, b: Self::F) -> Self::F;
    /// `a * b`
    fn mul(a: Self::F, b: Self::F) -> Self::F;
    /// `a / b`
    fn div(a: Self::F, b: Self::F) -> Self::F;
    /// `sqrt(a)`
    fn sqrt(a: Self::F) -> Self::F;
    /// `a * b + c`, rounded once.
    fn mul_add(a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `if a > b { a } else { b }` (the second operand if either is NaN).
    fn max(a: Self::F, b: Self::F) -> Self::F;
    /// `if a < b { a } else { b }` (the second operand if either is NaN).
    fn min(a: Self::F, b: Self::F) -> Self::F;
    /// Lane by lane `if a < b { x } else { y }`.
    fn select_lt(a: Self::F, b: Self::F, x: Self::F, y: Self::F) -> Self::F;
    /// `a` with its sign bit cleared.
    fn abs(a: Self::F) -> Self::F;
    /// The magnitude of `a` with the sign of `s`.
    fn copysign(a: Self::F, s: Self::F) -> Self::F;

    /// The transpose of eight rows of eight.
    fn transpose(rows: [Self::F; LANES]) -> [Self::F; LANES];

    /// Every lane is `x`.
    fn splat_i(x: i32) -> Self::I;
    /// Wrapping `a + b`
    fn add_i(a: Self::I, b: Self::I) -> Self::I;
    /// Wrapping `a - b`
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
