//! The fixed position vectors of Vaswani et al. 2017, with the same bits
//! everywhere.
//!
//! A table from the platform's `sin` and `pow` would differ between systems in
//! the last bit, and with it every code length. This one needs only IEEE 754
//! addition, multiplication and division, in `f64`.

use std::f64::consts::{FRAC_PI_2, LN_2};

/// Position vectors `[context, width]`, row-major, for [`Position::Sinusoidal`].
///
/// Frequency `i` is `10000^(-2 i / width)`. As in the code of "Language Modeling
/// Is Compression", the sines of frequencies `0..=width/2` come first, then the
/// cosines of frequencies `0..width/2 - 1`: one column more of the former and
/// one less of the latter than its documentation says.
///
/// [`Position::Sinusoidal`]: crate::Position::Sinusoidal
pub fn sinusoidal_positions(context: usize, width: usize) -> Vec<f32> {
    let sines = width / 2 + 1;
    // ln 10000, written out since `ln` is the platform's.
    let frequency = |i: usize| exp(-9.210_340_371_976_184 * (2 * i) as f64 / width as f64);
    let frequencies: Vec<f64> = (0..sines).map(frequency).collect();
    let mut table = Vec::with_capacity(context * width);
    for position in 0..context {
        for column in 0..width {
            let (frequency, cosine) = match column.checked_sub(sines) {
                None => (frequencies[column], false),
                Some(column) => (frequencies[column], true),
            };
            let (sin, cos) = sin_cos(position as f64 * frequency);
            table.push(if cosine { cos } else { sin } as f32);
        }
    }
    table
}

/// `e^x` for `x` in [-10, 0], to about 1e-15.
fn exp(x: f64) -> f64 {
    let halvings = (-x / LN_2).floor();
    let rest = x + halvings * LN_2;
    // Taylor's series by Horner's rule; |rest| < ln 2, so 20 terms suffice.
    let mut sum = 1.0;
    for n in (1..=20).rev() {
        sum = 1.0 + sum * rest / f64::from(n);
    }
    for _ in 0..halvings as u32 {
        sum *= 0.5;
    }
    sum
}

/// Sine and cosine of `x` in [0, 2^20], to about 1e-9 at the far end.
fn sin_cos(x: f64) -> (f64, f64) {
    // pi/2 in two parts; the product of the first with a quarter turn count
    // below 2^20 is exact.
    const HIGH: f64 = 1.570_796_326_734_125_6;
    const LOW: f64 = 6.077_100_506_506_192e-11;
    let quarters = (x / FRAC_PI_2 + 0.5).floor();
    let rest = (x - quarters * HIGH) - quarters * LOW;
    let square = rest * rest;
    let [mut sin, mut cos] = [1.0, 1.0];
    for n in (1..=9).rev() {
        let n = f64::from(2 * n);
        sin = 1.0 - sin * square / (n * (n + 1.0));
        cos = 1.0 - cos * square / (n * (n - 1.0));
    }
    sin *= rest;
    match quarters as u64 % 4 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sines_then_cosines() {
        for width in [2, 6, 64] {
            let table = sinusoidal_positions(3000, width);
            for (at, got) in table.iter().enumerate() {
                let (position, column) = (at / width, at % width);
                let sine = column <= width / 2;
                let i = if sine { column } else { column - width / 2 - 1 };
                let angle = position as f64 * 1e4f64.powf(-2.0 * i as f64 / width as f64);
                let expected = if sine { angle.sin() } else { angle.cos() };
                let error = (f64::from(*got) - expected).abs();
                assert!(error < 1e-7, "{position}, {column}: {got} {expected}");
            }
        }
    }

    #[test]
    fn far_positions_are_exact_enough() {
        for x in [1e3, 12345.678, 1048575.0, 1048574.25] {
            let (sin, cos) = sin_cos(x);
            assert!((sin - x.sin()).abs() < 1e-9, "{x}");
            assert!((cos - x.cos()).abs() < 1e-9, "{x}");
        }
    }
}
