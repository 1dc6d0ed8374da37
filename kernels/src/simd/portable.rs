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

/// Whether the compiler would call a library for `f32::mul_add`: then `f64` arithmetic
/// computes the same bits, many times as fast.
const EMULATED: bool = cfg!(all(target_arch = "x86_64", not(target_feature = "fma")));

/// `a * b + c`, rounded once.
///
/// The product of two `f32` is exact in `f64`. Rounding the sum to `f64` and then to `f32`
/// differs from rounding it once in two cases only, which the results show: the first
/// rounding may land halfway between two `f32`, or the second may be to a subnormal number,
/// which has fewer bits. All lanes are then computed again. (A sum that rounds to zero is at
/// most 2^-150, so `c` is zero or nearly cancels: the `f64` is exact.)
///
/// Loops over arrays, so that the compiler uses vectors of `f64`.
///
/// If products are `COARSE`, multiples of 2^-179, so are the sums: those that are subnormal
/// have no more bits than an `f64`, and are rounded once.
#[inline(always)]
fn mul_add_emulated<const COARSE: bool>(
    a: [f32; LANES],
    b: [f32; LANES],
    c: [f32; LANES],
) -> [f32; LANES] {
    let (mut sums, mut out) = ([0.0; LANES], [0.0; LANES]);
    for i in 0..LANES {
        sums[i] = f64::from(a[i]) * f64::from(b[i]) + f64::from(c[i]);
    }
    for i in 0..LANES {
        out[i] = sums[i] as f32;
    }
    let mut doubtful = false;
    for i in 0..LANES {
        // The bits that `f32` does not have are a one and zeros.
        let halfway = (sums[i].to_bits() as u32) << (32 - LOST_BITS) == 1 << 31;
        // From the smallest number to the smallest normal one. Less one and counted from
        // `i32::MIN`, since every CPU compares signed integers; zero becomes `i32::MAX`.
        let magnitude = out[i].to_bits() & MAGNITUDE;
        let subnormal = (magnitude.wrapping_add(MAGNITUDE) as i32) < SMALLEST;
        doubtful |= halfway | (subnormal & !COARSE);
    }
    if doubtful {
        // In memory of its own, so that nothing else must leave the registers.
        let mut exact = [a, b, c];
        mul_add_again(&mut exact);
        out = exact[0];
    }
    out
}

/// All bits but the sign.
const MAGNITUDE: u32 = i32::MAX as u32;

/// The bits of the smallest normal number, counted from `i32::MIN`.
const SMALLEST: i32 = i32::MIN + f32::MIN_POSITIVE.to_bits() as i32;

/// Bits of an `f64` that an `f32` does not have.
const LOST_BITS: u32 = f64::MANTISSA_DIGITS - f32::MANTISSA_DIGITS;

/// Replaces the first of three by their multiply-add.
#[cold]
#[inline(never)]
fn mul_add_again(terms: &mut [[f32; LANES]; 3]) {
    let [a, b, c] = *terms;
    for (i, out) in terms[0].iter_mut().enumerate() {
        *out = mul_add_wide(a[i], b[i], c[i]);
    }
}

/// The same for any values: the sum is rounded to odd in `f64`; rounding it to `f32` then
/// gives the same as rounding once (Boldo & Melquiond 2008, "Emulation of FMA and correctly
/// rounded sums").
fn mul_add_wide(a: f32, b: f32, c: f32) -> f32 {
    let (p, c) = (f64::from(a) * f64::from(b), f64::from(c));
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
        if EMULATED {
            return mul_add_emulated::<false>(self, b, c);
        }
        let mut out = self;
        for ((o, b), c) in out.iter_mut().zip(b).zip(c) {
            *o = o.mul_add(b, c);
        }
        out
    }
    #[inline(always)]
    fn mul_add_coarse(self, b: Self, c: Self) -> Self {
        match EMULATED {
            true => mul_add_emulated::<true>(self, b, c),
            false => self.mul_add(b, c),
        }
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

    /// Checks a multiply-add in a lane whose neighbours are harmless, in all lanes, and by
    /// the function that serves any values.
    fn check(a: f32, b: f32, c: f32) {
        let want = a.mul_add(b, c);
        let lane = (a.to_bits() ^ c.to_bits()) as usize % LANES;
        let one = |x: f32| {
            let mut all = [1.0; LANES];
            all[lane] = x;
            all
        };
        let among = mul_add_emulated::<false>(one(a), one(b), one(c));
        for (i, x) in among.into_iter().enumerate() {
            assert!(
                i == lane || x == 2.0,
                "lane {i} beside {a:e} * {b:e} + {c:e}"
            );
        }
        let all = [[a; LANES], [b; LANES], [c; LANES]];
        let [got, coarse] = [
            mul_add_emulated::<false>(all[0], all[1], all[2]),
            mul_add_emulated::<true>(all[0], all[1], all[2]),
        ];
        let unit = f64::from_bits((1023 - 179) << 52);
        let multiple = (f64::from(a) * f64::from(b) / unit).fract() == 0.0;
        let coarse = if multiple { coarse } else { got };
        let others = [among[lane], mul_add_wide(a, b, c)];
        for got in got.into_iter().chain(coarse).chain(others) {
            let same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
            assert!(same, "{a:e} * {b:e} + {c:e} is {want:e}, not {got:e}");
        }
    }

    fn random(seed: u64) -> impl FnMut() -> u32 {
        let mut state = seed;
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 32) as u32
        }
    }

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
        for a in special {
            for b in special {
                for c in special {
                    check(a, b, c);
                }
            }
        }
        let mut next = random(1);
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

    /// Sums a little beside the middle of two numbers: one term is such a middle but for
    /// what `f64` loses beside it.
    #[test]
    fn emulated_multiply_add_rounds_once_beside_halfway() {
        let mut next = random(2);
        // From below the smallest number to beyond the largest.
        for exponent in -152..=128 {
            for _ in 0..300 {
                // Both have few bits, so that their product is a number and half an ulp.
                let (x, y) = (next() | 1, next() | 1);
                let (x, y) = ((x & 0xfff) | 0x800, (y & 0x1fff) | 0x1000);
                let a = x as f32 * 2f32.powi(exponent / 2 - 11);
                let b = y as f32 * 2f32.powi(exponent - exponent / 2 - 12);
                let least = f32::from_bits(1 + next() % 3);
                let tiny = f64::from(a * b) * 2f64.powi(-29 - (next() % 30) as i32);
                for c in [0.0, least, tiny as f32, f32::MIN_POSITIVE] {
                    check(a, b, c);
                    check(a, b, -c);
                    check(a, -b, c);
                }
                // The other way: a number, plus half of its ulp, plus or minus a little.
                let c = f32::from_bits((exponent.max(-149) + 150).min(254).cast_unsigned() << 23)
                    * (1.0 + (next() >> 9) as f32 * f32::EPSILON);
                let half = f64::from(f32::from_bits(c.to_bits() + 1)) - f64::from(c);
                let root = (half / 2.0).sqrt() as f32;
                for step in [0, 1, 2, 1 << 20] {
                    let a = f32::from_bits(root.to_bits().wrapping_add(step));
                    let b = (half / 2.0 / f64::from(a)) as f32;
                    for b in [b, f32::from_bits(b.to_bits().wrapping_add(1))] {
                        check(a, b, c);
                        check(a, -b, c);
                    }
                }
            }
        }
    }

    /// Subnormal sums a little beside the middle of two numbers, by less than `f64` sees.
    #[test]
    fn emulated_multiply_add_rounds_once_where_numbers_have_few_bits() {
        let mut next = random(3);
        for i in 0..200_000 {
            // Two factors of 24 bits whose product is about an odd number times 2^46.
            let odd = if i % 2 == 0 { 1 } else { 3 };
            let x = u64::from(next() >> 9) | if odd == 1 { 1 << 23 } else { 3 << 22 };
            let y = (odd << 46) / x + u64::from(next() & 1);
            let unit = f32::MIN_POSITIVE;
            let a = x as f32 * (unit * 2f32.powi(28));
            let b = y as f32 * (unit * 2f32.powi(28));
            // The product is about half of the smallest number, or thrice that.
            let c = match i % 5 {
                // The smallest normal number and its neighbours.
                0 => 0x7f_fffd + next() % 6,
                _ => next() & 0x7f_ffff,
            };
            for c in [f32::from_bits(c), f32::from_bits(c >> (next() % 23))] {
                for (a, c) in [(a, c), (a, -c), (-a, c)] {
                    check(a, b, c);
                }
            }
        }
    }
}
