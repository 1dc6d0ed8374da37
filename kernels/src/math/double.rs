//! Elementary functions in `f64`, for values that are computed once: frequency
//! tables, bias corrections, schedules. Deterministic, with errors of about
//! 1e-15.

use std::f64::consts::{FRAC_PI_2, LN_2, LOG2_E};

/// `ln 2` minus its `f64` value.
const LN_2_LOW: f64 = 2.319_046_813_846_3e-17;
/// `pi / 2` minus its `f64` value.
const FRAC_PI_2_LOW: f64 = 6.123_233_995_736_766e-17;

/// `e^x` for `|x| <= 700`.
///
/// # Panics
/// If `x` is outside of that range.
pub fn exp(x: f64) -> f64 {
    assert!(x.abs() <= 700.0, "exp({x}) is out of range");
    let n = (x * LOG2_E).round();
    let f = (-n).mul_add(LN_2_LOW, (-n).mul_add(LN_2, x));
    // Taylor series; |f| <= 0.347, so the 17th term is below 1e-22.
    let mut sum = 1.0;
    for i in (1..=17).rev() {
        sum = (sum * f / i as f64) + 1.0;
    }
    sum * f64::from_bits(((n as i64 + 1023) as u64) << 52)
}

/// Natural logarithm of a positive, normal number.
///
/// # Panics
/// If `x` is not positive and normal.
pub fn ln(x: f64) -> f64 {
    assert!(x.is_normal() && x > 0.0, "ln({x}) is out of range");
    let bits = x.to_bits();
    let e = (bits >> 52) as i64 - 1023;
    let m = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    let (m, e) = if m > 1.5 { (m / 2.0, e + 1) } else { (m, e) };
    // ln m = 2 atanh(t); |t| <= 0.2.
    let t = (m - 1.0) / (m + 1.0);
    let t2 = t * t;
    let mut sum = 0.0;
    for i in (0..13).rev() {
        sum = sum * t2 + 1.0 / (2 * i + 1) as f64;
    }
    2.0f64.mul_add(t * sum, e as f64 * LN_2)
}

/// `base^exponent` for a positive, normal `base`.
///
/// # Panics
/// If `base` is not positive and normal, or `|exponent ln(base)|` exceeds 700.
pub fn pow(base: f64, exponent: f64) -> f64 {
    exp(exponent * ln(base))
}

/// `base^exponent` by repeated squaring, in a fixed order of operations.
pub fn powi(base: f64, exponent: u64) -> f64 {
    let (mut result, mut square, mut n) = (1.0, base, exponent);
    while n > 0 {
        if n & 1 == 1 {
            result *= square;
        }
        square *= square;
        n >>= 1;
    }
    result
}

/// Sine and cosine of `|x| <= 1e8`.
///
/// # Panics
/// If `x` is outside of that range.
pub fn sin_cos(x: f64) -> (f64, f64) {
    assert!(x.abs() <= 1e8, "sin_cos({x}) is out of range");
    let n = (x / FRAC_PI_2).round();
    let f = (-n).mul_add(FRAC_PI_2_LOW, (-n).mul_add(FRAC_PI_2, x));
    let f2 = f * f;
    // Taylor series; |f| <= pi/4.
    let (mut sin, mut cos) = (1.0, 1.0);
    for i in (1..=10).rev() {
        let i = i as f64;
        sin = 1.0 - sin * f2 / (2.0 * i * (2.0 * i + 1.0));
        cos = 1.0 - cos * f2 / (2.0 * i * (2.0 * i - 1.0));
    }
    let sin = sin * f;
    match (n as i64).rem_euclid(4) {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}
