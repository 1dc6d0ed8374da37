//! The check that activations are finite.

/// Checks that all values of `x`, [rows, width], are finite.
///
/// # Errors
/// The first row that is not.
pub(super) fn check_finite(x: &[f32], width: usize) -> Result<(), usize> {
    // Infinity and NaN have all exponent bits set, so adding one there carries into
    // the sign bit. This test is fast; the row is searched for only on failure.
    const EXPONENT: u32 = 0x7f80_0000;
    let carry = |x: &f32| (x.to_bits() & EXPONENT) + 0x0080_0000;
    if x.iter().map(carry).fold(0, |all, one| all | one) >> 31 == 0 {
        return Ok(());
    }
    let mut rows = x.chunks_exact(width);
    Err(rows
        .position(|row| row.iter().any(|x| !x.is_finite()))
        .unwrap_or(0))
}
