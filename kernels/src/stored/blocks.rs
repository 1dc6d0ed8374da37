//! Decodes stored formats to `f32`, with one loop for each format.
//!
//! The loops over the values of a block have constant bounds and no branches,
//! so the compiler vectorises them for the caller's instruction set. Formats
//! without a minimum add zero, so that no value is minus zero.

use super::Format;
use super::half::{bf16_to_f32, f16_to_f32};

/// Decodes whole blocks.
#[inline(always)]
pub(super) fn decode(format: Format, data: &[u8], out: &mut [f32]) {
    match format {
        Format::F32 => each::<4, 1>(data, out, |b, x| x[0] = f32::from_le_bytes(*b)),
        Format::F16 => each::<2, 1>(data, out, |b, x| x[0] = f16_to_f32(u16::from_le_bytes(*b))),
        Format::Bf16 => each::<2, 1>(data, out, |b, x| x[0] = bf16_to_f32(u16::from_le_bytes(*b))),
        Format::Q4_0 => each::<18, 32>(data, out, |b, x| nibbles(scale(b, 0), &b[2..], 8, 0.0, x)),
        Format::Q4_1 => each::<20, 32>(data, out, |b, x| {
            nibbles(scale(b, 0), &b[4..], 0, scale(b, 2), x);
        }),
        Format::Q5_0 => each::<22, 32>(data, out, |b, x| {
            five_bits(scale(b, 0), &b[2..], 16, 0.0, x);
        }),
        Format::Q5_1 => each::<24, 32>(data, out, |b, x| {
            five_bits(scale(b, 0), &b[4..], 0, scale(b, 2), x);
        }),
        Format::Q8_0 => each::<34, 32>(data, out, |b, x| {
            let d = scale(b, 0);
            for (x, &q) in x.iter_mut().zip(&b[2..]) {
                *x = f32::from(q as i8) * d + 0.0;
            }
        }),
        Format::Q4K => each::<144, 256>(data, out, q4_k),
        Format::Q5K => each::<176, 256>(data, out, q5_k),
        Format::Q6K => each::<210, 256>(data, out, q6_k),
    }
}

/// Calls `f` with each block of `B` bytes and its `N` values.
#[inline(always)]
fn each<const B: usize, const N: usize>(
    data: &[u8],
    out: &mut [f32],
    f: impl Fn(&[u8; B], &mut [f32; N]),
) {
    for (block, values) in data.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        f(block, values);
    }
}

/// The half at byte `at`.
#[inline(always)]
fn scale(block: &[u8], at: usize) -> f32 {
    f16_to_f32(u16::from_le_bytes([block[at], block[at + 1]]))
}

/// Computes `(q - zero) d + minimum` for integers of 4 bits: first the lower
/// halves of sixteen bytes, then the upper halves.
#[inline(always)]
fn nibbles(d: f32, q: &[u8], zero: i32, minimum: f32, out: &mut [f32; 32]) {
    let q: &[u8; 16] = q.first_chunk().expect("sixteen bytes");
    for (i, &q) in q.iter().enumerate() {
        out[i] = (i32::from(q & 15) - zero) as f32 * d + minimum;
        out[i + 16] = (i32::from(q >> 4) - zero) as f32 * d + minimum;
    }
}

/// Like [`nibbles`], for integers of 5 bits: four bytes with the fifth bits
/// come first.
#[inline(always)]
fn five_bits(d: f32, q: &[u8], zero: i32, minimum: f32, out: &mut [f32; 32]) {
    let q: &[u8; 20] = q.first_chunk().expect("twenty bytes");
    let fifth = u32::from_le_bytes([q[0], q[1], q[2], q[3]]);
    for i in 0..16 {
        let low = u32::from(q[4 + i] & 15) | (fifth >> i & 1) << 4;
        let high = u32::from(q[4 + i] >> 4) | (fifth >> (i + 16) & 1) << 4;
        out[i] = (low as i32 - zero) as f32 * d + minimum;
        out[i + 16] = (high as i32 - zero) as f32 * d + minimum;
    }
}

/// Scale and minimum of group `group`, 6 bits each. The twelve bytes hold eight
/// scales and eight minima.
#[inline(always)]
pub(super) fn six_bits(packed: &[u8], group: usize) -> (f32, f32) {
    let (scale, minimum) = if group < 4 {
        (packed[group] & 63, packed[group + 4] & 63)
    } else {
        let low = packed[group + 4];
        (
            low & 15 | packed[group - 4] >> 6 << 4,
            low >> 4 | packed[group] >> 6 << 4,
        )
    };
    (f32::from(scale), f32::from(minimum))
}

#[inline(always)]
fn q4_k(b: &[u8; 144], out: &mut [f32; 256]) {
    let (d, dmin) = (scale(b, 0), scale(b, 2));
    for pair in 0..4 {
        let q: &[u8; 32] = b[16 + 32 * pair..].first_chunk().expect("32 bytes");
        for half in 0..2 {
            let (s, m) = six_bits(&b[4..16], 2 * pair + half);
            let (s, m) = (d * s, dmin * m);
            let out = &mut out[64 * pair + 32 * half..][..32];
            for (x, &q) in out.iter_mut().zip(q) {
                *x = s * f32::from(q >> (4 * half) & 15) - m;
            }
        }
    }
}

#[inline(always)]
fn q5_k(b: &[u8; 176], out: &mut [f32; 256]) {
    let (d, dmin) = (scale(b, 0), scale(b, 2));
    let fifth: &[u8; 32] = b[16..].first_chunk().expect("32 bytes");
    for pair in 0..4 {
        let q: &[u8; 32] = b[48 + 32 * pair..].first_chunk().expect("32 bytes");
        for half in 0..2 {
            let group = 2 * pair + half;
            let (s, m) = six_bits(&b[4..16], group);
            let (s, m) = (d * s, dmin * m);
            let out = &mut out[32 * group..][..32];
            for ((x, &q), &h) in out.iter_mut().zip(q).zip(fifth) {
                *x = s * f32::from(q >> (4 * half) & 15 | (h >> group & 1) << 4) - m;
            }
        }
    }
}

#[inline(always)]
fn q6_k(b: &[u8; 210], out: &mut [f32; 256]) {
    let d = scale(b, 208);
    for part in 0..2 {
        let low: &[u8; 64] = b[64 * part..].first_chunk().expect("64 bytes");
        let high: &[u8; 32] = b[128 + 32 * part..].first_chunk().expect("32 bytes");
        for quarter in 0..4 {
            for group in 0..2 {
                let s = d * f32::from(b[192 + 8 * part + 2 * quarter + group] as i8);
                let low = &low[32 * (quarter % 2) + 16 * group..][..16];
                let high = &high[16 * group..][..16];
                let out = &mut out[128 * part + 32 * quarter + 16 * group..][..16];
                for ((x, &l), &h) in out.iter_mut().zip(low).zip(high) {
                    let l = l >> (4 * (quarter / 2)) & 15;
                    let q = l | (h >> (2 * quarter) & 3) << 4;
                    *x = s * (i32::from(q) - 32) as f32 + 0.0;
                }
            }
        }
    }
}
