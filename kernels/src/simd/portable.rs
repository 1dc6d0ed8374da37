//! Eight lanes in plain Rust.

use super::{LANES, Simd, Vector};

/// Eight lanes in plain loops over `f32` operations such as `f32::mul_add`: correct on
/// any CPU, vectorised by the compiler where the target has fused multiply-add (Arm).
#[derive(Clone, Copy, Debug)]
pub struct Portable;

macro_rules! zip {
    ($a:ident, $b:ident, |$x:ident, $y:ident| $e:expr) => {{
        let mut out = $a;
        for (o, $y) in out.iter_mut().zip($b) {
            let $x = *o;
            *o = $e;
        }
        out
    }};
}

/// `a * b + c`, rounded once.
///
/// This is `f32::mul_add`, except where the compiler would call a library: on x86-64
/// without the FMA feature, `f64` arithmetic computes the same bits.
#[inline(always)]
fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(all(target_arch = "x86_64", not(target_feature = "fma"))) {
        mul_add_wide(a, b, c)
    } else {
        a.mul_add(b, c)
    }
}

/// The product of two `f32` is exact in `f64`. The sum is rounded to odd in `f64`;
/// rounding it to `f32` then gives the same as rounding once (Boldo & Melquiond 2008,
/// "Emulation of FMA and correctly rounded sums").
#[inline(always)]
fn mul_add_wide(a: f32, b: f32, c: f32) -> f32 {
    let (p, c) = (a as f64 * b as f64, c as f64);
    let s = p + c;
    // The rounding error of the sum (Knuth's TwoSum); NaN if the sum is not finite.
    let t = s - p;
    let lost = (p - (s - t)) + (c - t);
    // Round to odd: an even last bit moves by one in the direction of the error.
    let even = s.to_bits() & 1 == 0;
    let direction = if (lost > 0.0) == (s > 0.0) {
        1
    } else {
        u64::MAX
    };
    let inexact = lost.abs() > 0.0;
    let step = if even && inexact { direction } else { 0 };
    f64::from_bits(s.to_bits().wrapping_add(step)) as f32
}

impl Vector for [f32; LANES] {
    const WIDTH: usize = LANES;
    const REGISTERS: usize = 1;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load_ptr(p: *const f32) -> Self {
        // SAFETY: the caller promises eight readable values.
        unsafe { p.cast::<[f32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, p: *mut f32) {
        // SAFETY: the caller promises eight writable values.
        unsafe { p.cast::<[f32; LANES]>().write_unaligned(self) }
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        let mut out = self;
        for ((o, b), c) in out.iter_mut().zip(b).zip(c) {
            *o = mul_add(*o, b, c);
        }
        out
    }
    #[inline(always)]
    unsafe fn load_tiles(p: *const f32, _: usize) -> Self {
        // SAFETY: the caller promises eight readable values.
        unsafe { Self::load_ptr(p) }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        zip!(self, b, |x, y| x + y)
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        zip!(self, b, |x, y| x - y)
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        zip!(self, b, |x, y| x * y)
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        zip!(self, b, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self {
        std::array::from_fn(|i| if a[i] < b[i] { x[i] } else { y[i] })
    }
    #[inline(always)]
    fn shl_bits<const N: i32>(self) -> Self {
        self.map(|x| f32::from_bits(x.to_bits() << N))
    }
}

impl Simd for Portable {
    type F = [f32; LANES];
    type I = [i32; LANES];
    type W = [[f32; LANES]; 2];
    const TUNED: bool = false;

    #[inline(always)]
    fn load(s: &[f32]) -> Self::F {
        let mut out = [0.0; LANES];
        out.copy_from_slice(&s[..LANES]);
        out
    }
    #[inline(always)]
    fn store(v: Self::F, s: &mut [f32]) {
        s[..LANES].copy_from_slice(&v);
    }
    #[inline(always)]
    fn prefetch(_: *const f32) {}
    #[inline(always)]
    fn to_array(v: Self::F) -> [f32; LANES] {
        v
    }
    #[inline(always)]
    fn div(a: Self::F, b: Self::F) -> Self::F {
        zip!(a, b, |x, y| x / y)
    }
    #[inline(always)]
    fn sqrt(a: Self::F) -> Self::F {
        a.map(f32::sqrt)
    }
    #[inline(always)]
    fn min(a: Self::F, b: Self::F) -> Self::F {
        zip!(a, b, |x, y| if x < y { x } else { y })
    }
    #[inline(always)]
    fn abs(a: Self::F) -> Self::F {
        a.map(f32::abs)
    }
    #[inline(always)]
    fn copysign(a: Self::F, s: Self::F) -> Self::F {
        zip!(a, s, |x, y| x.copysign(y))
    }
    #[inline(always)]
    fn transpose(rows: [Self::F; LANES]) -> [Self::F; LANES] {
        let mut out = [[0.0; LANES]; LANES];
        for (i, row) in rows.iter().enumerate() {
            for (j, x) in row.iter().enumerate() {
                out[j][i] = *x;
            }
        }
        out
    }
    #[inline(always)]
    fn splat_i(x: i32) -> Self::I {
        [x; LANES]
    }
    #[inline(always)]
    fn add_i(a: Self::I, b: Self::I) -> Self::I {
        zip!(a, b, |x, y| x.wrapping_add(y))
    }
    #[inline(always)]
    fn sub_i(a: Self::I, b: Self::I) -> Self::I {
        zip!(a, b, |x, y| x.wrapping_sub(y))
    }
    #[inline(always)]
    fn shl_i<const N: i32>(a: Self::I) -> Self::I {
        a.map(|x| x << N)
    }
    #[inline(always)]
    fn shr_i<const N: i32>(a: Self::I) -> Self::I {
        a.map(|x| x >> N)
    }
    #[inline(always)]
    fn bits(a: Self::F) -> Self::I {
        a.map(|x| x.to_bits() as i32)
    }
    #[inline(always)]
    fn from_bits(a: Self::I) -> Self::F {
        a.map(|x| f32::from_bits(x as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulated_multiply_add_rounds_once() {
        let special = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            1.0 + f32::EPSILON,
            f32::MIN_POSITIVE,
            1e-45,
            -1e-45,
            f32::MAX,
            f32::MIN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
        ];
        let check = |a: f32, b: f32, c: f32| {
            let (got, want) = (mul_add_wide(a, b, c), a.mul_add(b, c));
            let same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
            assert!(same, "{a:e} * {b:e} + {c:e} is {want:e}, not {got:e}");
        };
        for a in special {
            for b in special {
                for c in special {
                    check(a, b, c);
                }
            }
        }
        let mut state = 1u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 32) as u32
        };
        for _ in 0..300_000 {
            let (a, b, c) = (next(), next(), next());
            check(f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
            // Similar magnitudes, where rounding is hardest.
            let near = |bits: u32| f32::from_bits((bits & 0x81ff_ffff) | 0x3e00_0000);
            check(near(a), near(b), near(c));
            let product = near(a) * near(b);
            check(
                near(a),
                near(b),
                f32::from_bits(product.to_bits() ^ (c & 0x8000_000f)),
            );
            check(near(a), near(b), product * f32::EPSILON * 0.5);
        }
    }
}
