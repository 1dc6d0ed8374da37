//! Logarithms of integers with the same bits on every CPU.

/// `log2 n`, by additions, multiplications and divisions of `f64` in a fixed
/// order, so with the same bits on any CPU. Relative error below 1e-15.
///
/// # Panics
/// If `n` is 0.
pub fn log2(n: u64) -> f64 {
    assert_ne!(n, 0, "the logarithm of zero");
    let bits = (n as f64).to_bits();
    let mut whole = (bits >> 52) as f64 - 1023.0;
    // The mantissa in [1, 2), then in [sqrt(1/2), sqrt(2)).
    let mut mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        whole += 1.0;
    }
    // ln m = 2 atanh(s), with |s| < 0.1716: eleven terms reach 2^-53.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let s2 = s * s;
    let mut sum = 0.0;
    for k in (0..11).rev() {
        sum = sum * s2 + 1.0 / f64::from(2 * k + 1);
    }
    whole + 2.0 * s * sum * std::f64::consts::LOG2_E
}

#[cfg(test)]
mod tests {
    use super::log2;

    #[test]
    fn powers_of_two_are_exact() {
        for k in 0..64 {
            assert_eq!(log2(1 << k), f64::from(k));
        }
    }

    #[test]
    fn agrees_with_the_platform() {
        let mut n = 3_u64;
        while n < u64::MAX / 5 {
            for n in [n - 1, n, n + 1] {
                assert!((log2(n) - (n as f64).log2()).abs() < 1e-13, "{n}");
            }
            n = n * 5 / 3 + 1;
        }
        assert_eq!(log2(u64::MAX), 64.0);
    }
}
