//! Exact conversion of 16-bit floats.

/// The value of an IEEE 754 half, which `f32` represents exactly.
#[inline(always)]
pub fn f16_to_f32(bits: u16) -> f32 {
    // A multiplication adjusts the exponent. It is exact and handles subnormal
    // numbers; infinity and NaN get the largest exponent afterwards.
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7fff) << 13;
    let scaled = (f32::from_bits(magnitude) * f32::from_bits((127 + 112) << 23)).to_bits();
    let special = if bits & 0x7c00 == 0x7c00 {
        0x7f80_0000
    } else {
        0
    };
    f32::from_bits(scaled | special | sign)
}

/// The value of a bfloat16: the upper half of an `f32`.
#[inline(always)]
pub fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}
