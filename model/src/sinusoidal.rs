//! Sinusoidal position vectors (Vaswani et al. 2017), with the same bits on every
//! machine.
//!
//! The platform's `sin` and `pow` differ between systems in the last bit, which would
//! change every code length; so this table uses the functions of the kernels.

use brevity_kernels::math::double;

/// Position vectors, `[context, width]`, row-major, for [`Position::Sinusoidal`].
///
/// Frequency `i` is `10000^(-2 i / width)`. As in the code of "Language Modeling Is
/// Compression", the sines of frequencies `0..=width/2` come first, then the cosines
/// of frequencies `0..width/2 - 1`: one sine more and one cosine less than the
/// documentation of that code says.
///
/// [`Position::Sinusoidal`]: crate::Position::Sinusoidal
pub fn sinusoidal_positions(context: usize, width: usize) -> Vec<f32> {
    let sines = width / 2 + 1;
    let frequency = |i: usize| double::pow(1e4, -((2 * i) as f64) / width as f64);
    let frequencies: Vec<f64> = (0..sines).map(frequency).collect();
    let mut table = Vec::with_capacity(context * width);
    for position in 0..context {
        for column in 0..width {
            let (frequency, cosine) = match column.checked_sub(sines) {
                None => (frequencies[column], false),
                Some(column) => (frequencies[column], true),
            };
            let (sin, cos) = double::sin_cos(position as f64 * frequency);
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
