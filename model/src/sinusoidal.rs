//! The fixed position vectors of Vaswani et al. 2017, with the same bits
//! everywhere.
//!
//! A table from the platform's `sin` and `pow` would differ between systems in
//! the last bit, and with it every code length; this one is made of the kernels'
//! own functions.

use brevity_kernels::math::wide;

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
    let frequency = |i: usize| wide::pow(1e4, -((2 * i) as f64) / width as f64);
    let frequencies: Vec<f64> = (0..sines).map(frequency).collect();
    let mut table = Vec::with_capacity(context * width);
    for position in 0..context {
        for column in 0..width {
            let (frequency, cosine) = match column.checked_sub(sines) {
                None => (frequencies[column], false),
                Some(column) => (frequencies[column], true),
            };
            let (sin, cos) = wide::sin_cos(position as f64 * frequency);
            table.push(if cosine { cos } else { sin } as f32);
        }
    }
    table
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
}
