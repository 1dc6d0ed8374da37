//! Whether activations are still numbers.

/// Whether all rows of `width` values are finite; else the first that is not.
pub(super) fn finite_rows(x: &[f32], width: usize) -> Result<(), usize> {
    // Infinity and NaN have all exponent bits set, so that one more carries into
    // the sign's place; the search is for the day that it matters.
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
