//! Powers of two for softmax. The queries, and so the scores, already include the
//! factor `log2(e)`, which saves a third of the work of `exp`.

use crate::simd::Vector;

/// Minimax coefficients of `2^r = 1 + C[4] r + C[3] r^2 + ... + C[0] r^5` for `r` in
/// `-0.5..=0.5`, with the first two terms fixed: the relative error is below
/// `1.1e-7` before rounding.
const C: [f32; 5] = [
    1.330_060_7e-3,
    9.669_691e-3,
    5.550_558_5e-2,
    2.402_228_2e-1,
    std::f32::consts::LN_2,
];
/// `1.5 * 2^23 + 127`: adding it rounds to an integer; the low bits are then that
/// integer plus the exponent bias.
const MAGIC: f32 = 12_583_039.0;
/// The result is 0 from here down.
const LOWEST: f32 = -127.0;

/// `2^x` for `x <= 0`: relative error within `2.5e-7` down to `2^-126`, 0 for `x`
/// from -127 down; NaN stays NaN.
#[inline(always)]
pub(crate) fn exp2<V: Vector>(x: V) -> V {
    // `max` returns its second operand if either is NaN.
    let x = V::splat(LOWEST).max(x);
    let magic = V::splat(MAGIC);
    let t = x.add(magic);
    let r = x.sub(t.sub(magic));
    // Estrin's scheme: half the latency of Horner's.
    let r2 = r.mul(r);
    let high = V::splat(C[0]).mul_add(r, V::splat(C[1]));
    let middle = V::splat(C[2]).mul_add(r, V::splat(C[3]));
    let low = V::splat(C[4]).mul_add(r, V::splat(1.0));
    let p = high.mul_add(r2, middle).mul_add(r2, low);
    p.mul(t.shl_bits::<23>())
}

/// [`exp2`] of one value, with the same bits.
pub(crate) fn exp2_scalar(x: f32) -> f32 {
    let x = if LOWEST > x { LOWEST } else { x };
    let t = x + MAGIC;
    let r = x - (t - MAGIC);
    let r2 = r * r;
    let high = C[0].mul_add(r, C[1]);
    let middle = C[2].mul_add(r, C[3]);
    let low = C[4].mul_add(r, 1.0);
    let p = high.mul_add(r2, middle).mul_add(r2, low);
    p * f32::from_bits(t.to_bits() << 23)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{InstructionSet, Kernel, LANES, Simd, dispatch_on};

    struct Eight([f32; LANES]);

    impl Kernel for Eight {
        type Out = [f32; LANES];
        #[inline(always)]
        fn run<S: Simd>(self) -> [f32; LANES] {
            S::to_array(exp2(S::load(&self.0)))
        }
    }

    #[test]
    fn accurate_and_equal_on_every_instruction_set() {
        let mut x = 0.0f32;
        while x > -130.0 {
            let xs: [f32; LANES] = std::array::from_fn(|i| x - i as f32 * 1e-3);
            for set in InstructionSet::supported() {
                for (x, y) in xs.into_iter().zip(dispatch_on(set, Eight(xs))) {
                    assert_eq!(y.to_bits(), exp2_scalar(x).to_bits(), "{x}");
                    let exact = f64::from(x).exp2();
                    let slack = 2.5e-7 * exact + 2f64.powi(-126);
                    assert!((f64::from(y) - exact).abs() <= slack, "{x} {y}");
                }
            }
            x -= 0.017;
        }
    }

    #[test]
    fn special_values() {
        for (x, y) in [
            (0.0, 1.0),
            (-0.0, 1.0),
            (-1.0, 0.5),
            (-126.0, f32::MIN_POSITIVE),
            (-127.0, 0.0),
            (-1e30, 0.0),
            (f32::NEG_INFINITY, 0.0),
        ] {
            assert_eq!(exp2_scalar(x).to_bits(), f32::to_bits(y), "{x}");
        }
        assert!(exp2_scalar(f32::NAN).is_nan());
        assert!(exp2_scalar(f32::from_bits(0x7fc0_0001)).is_nan());
    }
}
