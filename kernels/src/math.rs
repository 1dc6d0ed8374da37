//! Elementary functions built from correctly rounded and integer operations only, so
//! that their bits do not depend on a library or a CPU.
//!
//! The vector functions are generic over the instruction set and work lane by
//! lane; the scalar functions (`exp_f32`, ...) give the same bits for one value.
//! Errors are below 2 units in the last place over the whole range (`erf` and
//! `tanh` too), including results that are subnormal. NaN in, NaN out.
//!
//! [`double`] has `f64` functions, for tables and coefficients that are computed
//! once.
//!
//! The coefficients of exp, ln and erf are the minimax fits published by Norbert
//! Juffa (NVIDIA forums and Stack Overflow, BSD licence); those of tanh, sine and
//! cosine are from Cephes.

use crate::simd::{Portable, Simd, Vector};
use std::f32::consts::{LN_2, LOG2_E};

pub mod double;

/// `1.5 * 2^23`: adding it rounds a small `f32` to an integer (ties to even), which
/// is then in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Horner's rule by fused multiply-add; the first coefficient is the highest.
#[inline(always)]
pub(crate) fn horner<V: Vector, const N: usize>(x: V, coefficients: [f32; N]) -> V {
    let mut r = V::splat(coefficients[0]);
    for &c in &coefficients[1..] {
        r = r.mul_add(x, V::splat(c));
    }
    r
}

/// `e^(x - j ln 2)`, where the exponent is within `ln 2 / 2` of zero.
#[inline(always)]
fn exp_fraction<V: Vector>(x: V, j: V) -> V {
    // ln 2 as the sum of two constants.
    let f = j.mul_add(V::splat(-6.931_457_5e-1), x);
    let f = j.mul_add(V::splat(-1.428_606_8e-6), f);
    horner(
        f,
        [
            1.378_059_4e-3,
            8.373_124_5e-3,
            4.166_953_6e-2,
            1.666_647_2e-1,
            4.999_998_5e-1,
            1.0,
            1.0,
        ],
    )
}

/// `e^x`. Overflows to infinity, underflows through the subnormals to zero.
#[inline(always)]
pub fn exp<S: Simd>(x: S::F) -> S::F {
    // This operand order keeps NaN in both bounds.
    let x = S::min(S::splat(89.0), x);
    let x = S::max(S::splat(-104.5), x);
    let t = S::mul_add(x, S::splat(LOG2_E), S::splat(ROUND));
    let n = S::sub_i(S::bits(t), S::splat_i(ROUND.to_bits() as i32));
    let j = S::sub(t, S::splat(ROUND));
    let p = exp_fraction(x, j);
    // 2^n in two factors: n is between -151 and 128, which exceeds the exponent field.
    let half = S::shr_i::<1>(n);
    let rest = S::sub_i(n, half);
    let bias = S::splat_i(127);
    let s1 = S::from_bits(S::shl_i::<23>(S::add_i(half, bias)));
    let s2 = S::from_bits(S::shl_i::<23>(S::add_i(rest, bias)));
    S::mul(S::mul(p, s1), s2)
}

/// `e^x` for `x <= 0`, with results below `2^-126` flushed to zero. This is sufficient
/// for a softmax and needs fewer operations than [`exp`]. The bits are those of [`exp`]
/// for `-87 <= x <= 0`. NaN gives zero.
#[inline(always)]
pub fn exp_negative<V: Vector>(x: V) -> V {
    let t = x.mul_add(V::splat(LOG2_E), V::splat(ROUND));
    let p = exp_fraction(x, t.sub(V::splat(ROUND)));
    // p lies in [0.7, 1.42] and the exponent in [-126, 0]: the product is exact.
    let power = t.add(V::splat(127.0)).shl_bits::<23>();
    V::select_lt(V::splat(-87.0), x, p.mul(power), V::splat(0.0))
}

/// Natural logarithm: minus infinity for 0, NaN for a negative number.
#[inline(always)]
pub fn ln<S: Simd>(x: S::F) -> S::F {
    let tiny = S::splat(f32::MIN_POSITIVE);
    let one = S::splat(1.0);
    let a = S::select_lt(x, tiny, S::mul(x, S::splat(8_388_608.0)), x);
    let shift = S::select_lt(x, tiny, S::splat(-23.0), S::splat(0.0));
    // a = m 2^e with m in [2/3, 4/3).
    let e = S::shr_i::<23>(S::sub_i(
        S::bits(a),
        S::splat_i((2.0f32 / 3.0).to_bits() as i32),
    ));
    let m = S::from_bits(S::sub_i(S::bits(a), S::shl_i::<23>(e)));
    let e = S::sub(
        S::from_bits(S::add_i(e, S::splat_i(ROUND.to_bits() as i32))),
        S::splat(ROUND),
    );
    let i = S::add(e, shift);
    let m = S::sub(m, one);
    let s = S::mul(m, m);
    let r = horner(s, [-0.130_310_06, -0.121_483_51, -0.166_846_13]);
    let t = horner(s, [0.140_869_14, 0.139_814_85, 0.200_120_35]);
    let r = S::mul_add(r, s, S::splat(-0.249_996_2));
    let r = S::mul_add(t, m, r);
    let r = S::mul_add(r, m, S::splat(0.333_331_97));
    let r = S::mul_add(r, m, S::splat(-0.5));
    let r = S::mul_add(r, s, m);
    let r = S::mul_add(i, S::splat(LN_2), r);
    // Special values: infinity stays, zero gives -inf, negative and NaN give NaN.
    let inf = S::splat(f32::INFINITY);
    let zero = S::splat(0.0);
    let special = S::select_lt(x, zero, S::splat(f32::NAN), S::splat(f32::NEG_INFINITY));
    let special = S::select_lt(zero, x, r, special);
    // The comparison is false for NaN, which must stay.
    S::select_lt(x, inf, special, S::add(x, x))
}

/// `e^x` with `x` clamped to [-87, 88], where `2^n` fits the exponent field.
#[inline(always)]
fn exp_clamped<S: Simd>(x: S::F) -> S::F {
    let x = S::min(S::splat(88.0), x);
    let x = S::max(S::splat(-87.0), x);
    let t = S::mul_add(x, S::splat(LOG2_E), S::splat(ROUND));
    let n = S::sub_i(S::bits(t), S::splat_i(ROUND.to_bits() as i32 - 127));
    let j = S::sub(t, S::splat(ROUND));
    S::mul(exp_fraction(x, j), S::from_bits(S::shl_i::<23>(n)))
}

/// `1 / (1 + e^-x)`, with `x` clamped to [-88, 87].
#[inline(always)]
pub fn sigmoid<S: Simd>(x: S::F) -> S::F {
    let one = S::splat(1.0);
    let e = exp_clamped::<S>(S::sub(S::splat(0.0), x));
    S::div(one, S::add(one, e))
}

/// Hyperbolic tangent.
#[inline(always)]
pub fn tanh<S: Simd>(x: S::F) -> S::F {
    let one = S::splat(1.0);
    let a = S::abs(x);
    let s = S::mul(x, x);
    let p = horner(
        s,
        [
            -5.704_988_6e-3,
            2.063_909e-2,
            -5.373_971_4e-2,
            1.333_144_1e-1,
            -3.333_328e-1,
        ],
    );
    let small = S::mul_add(S::mul(p, s), x, x);
    let e = exp_clamped::<S>(S::add(a, a));
    let large = S::sub(one, S::div(S::splat(2.0), S::add(e, one)));
    S::select_lt(a, S::splat(0.625), small, S::copysign(large, x))
}

/// The error function.
#[inline(always)]
pub fn erf<S: Simd>(x: S::F) -> S::F {
    let t = S::abs(x);
    let s = S::mul(x, x);
    let small = horner(
        s,
        [
            -5.967_617e-4,
            4.991_194_2e-3,
            -2.676_813_5e-2,
            1.128_199_25e-1,
            -3.761_253_4e-1,
            1.283_791_7e-1,
        ],
    );
    let small = S::mul_add(small, x, x);
    let r = S::mul_add(S::splat(-1.728_534_7e-5), t, S::splat(3.831_971_3e-4));
    let u = S::mul_add(S::splat(-3.883_964_4e-3), t, S::splat(2.425_462_2e-2));
    let r = S::mul_add(r, s, u);
    let r = S::mul_add(r, t, S::splat(-1.067_778_8e-1));
    let r = S::mul_add(r, t, S::splat(-6.348_468_7e-1));
    let r = S::mul_add(r, t, S::splat(-1.287_175_1e-1));
    let r = S::mul_add(r, t, S::sub(S::splat(0.0), t));
    // The polynomial is not monotonic for large `t`, where the result is 1.
    let r = S::select_lt(S::splat(4.0), t, S::splat(-100.0), r);
    let large = S::sub(S::splat(1.0), exp_clamped::<S>(r));
    S::select_lt(t, S::splat(0.927_734_4), small, S::copysign(large, x))
}

macro_rules! scalar {
    ($($name:ident = $f:ident;)*) => {$(
        #[doc = concat!("[`", stringify!($f), "`] of one value, with the same bits.")]
        pub fn $name(x: f32) -> f32 {
            $f::<Portable>([x; 8])[0]
        }
    )*};
}

scalar! {
    exp_f32 = exp;
    ln_f32 = ln;
    sigmoid_f32 = sigmoid;
    tanh_f32 = tanh;
    erf_f32 = erf;
}

/// [`exp_negative`] of one value, with the same bits.
pub fn exp_negative_f32(x: f32) -> f32 {
    exp_negative([x; 8])[0]
}

/// Sine and cosine of the angle `2 pi phase / 65536`. Integer phases wrap without
/// loss, so an angle that grows with the position of an unbounded stream keeps its
/// precision.
#[inline(always)]
pub fn sin_cos_phase(phase: u16) -> (f32, f32) {
    // The nearest quarter turn, and the remainder in [-pi/4, pi/4).
    let quarter = (phase as u32 + 8192) >> 14;
    let rest = phase as i32 - (quarter << 14) as i32;
    let x = (rest as f64 * (std::f64::consts::TAU / 65536.0)) as f32;
    let z = x * x;
    let s = (-1.951_529_6e-4f32).mul_add(z, 8.332_161e-3);
    let s = s.mul_add(z, -1.666_665_5e-1);
    let sin = (s * z).mul_add(x, x);
    let c = 2.443_315_7e-5f32.mul_add(z, -1.388_731_6e-3);
    let c = c.mul_add(z, 4.166_664_6e-2);
    let cos = (c * z).mul_add(z, (-0.5f32).mul_add(z, 1.0));
    match quarter & 3 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}
