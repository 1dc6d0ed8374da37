use super::*;
use crate::simd::{InstructionSet, dispatch_on};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

pub(crate) const ALL: [Format; 11] = [
    Format::F32,
    Format::F16,
    Format::Bf16,
    Format::Q4_0,
    Format::Q4_1,
    Format::Q5_0,
    Format::Q5_1,
    Format::Q8_0,
    Format::Q4K,
    Format::Q5K,
    Format::Q6K,
];

/// Blocks of random bits whose scales are of ordinary size.
pub(crate) fn random(format: Format, rows: usize, cols: usize, seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut data = vec![0; format.bytes(rows, cols).unwrap()];
    rng.fill_bytes(&mut data);
    for block in data.chunks_exact_mut(format.block_bytes()) {
        // Exponents of -6 to -3.
        let mut half = |at: usize| block[at + 1] = block[at + 1] & 0x83 | 0x24 | block[at] & 0x0c;
        match format {
            Format::F32 => block[3] = block[3] & 0x81 | 0x3c,
            Format::Bf16 => block[1] = block[1] & 0x81 | 0x3c,
            Format::Q6K => half(208),
            Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K => {
                half(0);
                half(2);
            }
            _ => half(0),
        }
    }
    data
}

/// Value `i` of a row of blocks by the definition, in `f64`.
fn value(format: Format, row: &[u8], i: usize) -> f64 {
    let b = &row[i / format.block_len() * format.block_bytes()..];
    let i = i % format.block_len();
    let half = |at: usize| f64::from(f16_to_f32(u16::from_le_bytes([b[at], b[at + 1]])));
    let bit = |at: usize, n: usize| i64::from(b[at + n / 8] >> (n % 8) & 1);
    let nibble = |at: usize| i64::from(b[at + i % 16] >> (i / 16 * 4) & 15);
    let six = |what: usize, group: usize| {
        let s = &b[4..16];
        f64::from(match (what, group < 4) {
            (0, true) => s[group] & 63,
            (0, false) => s[group + 4] & 15 | (s[group - 4] >> 6) << 4,
            (_, true) => s[group + 4] & 63,
            (_, false) => s[group + 4] >> 4 | (s[group] >> 6) << 4,
        })
    };
    match format {
        Format::F32 => f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        Format::F16 => half(0),
        Format::Bf16 => f64::from(f32::from_bits(
            u32::from(u16::from_le_bytes([b[0], b[1]])) << 16,
        )),
        Format::Q4_0 => half(0) * (nibble(2) - 8) as f64,
        Format::Q4_1 => half(0) * nibble(4) as f64 + half(2),
        Format::Q5_0 => half(0) * (nibble(6) + 16 * bit(2, i) - 16) as f64,
        Format::Q5_1 => half(0) * (nibble(8) + 16 * bit(4, i)) as f64 + half(2),
        Format::Q8_0 => half(0) * f64::from(b[2 + i] as i8),
        Format::Q4K => {
            let q = b[16 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
            half(0) * six(0, i / 32) * f64::from(q) - half(2) * six(1, i / 32)
        }
        Format::Q5K => {
            let q = b[48 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
            let q = q + 16 * (b[16 + i % 32] >> (i / 32) & 1);
            half(0) * six(0, i / 32) * f64::from(q) - half(2) * six(1, i / 32)
        }
        Format::Q6K => {
            let (part, rest) = (i / 128, i % 128);
            let low = b[64 * part + rest % 64] >> (rest / 64 * 4) & 15;
            let high = b[128 + 32 * part + rest % 32] >> (rest / 32 * 2) & 3;
            let s = f64::from(b[192 + i / 16] as i8);
            half(208) * s * f64::from(i32::from(low + 16 * high) - 32)
        }
    }
}

#[test]
fn every_format_decodes_to_the_nearest_f32_on_every_path() {
    for format in ALL {
        let (rows, cols) = (3, 512);
        let data = random(format, rows, cols, 7);
        let matrix = Stored::new(format, &data, rows, cols).unwrap();
        let stride = data.len() / rows;
        for path in InstructionSet::supported() {
            let mut out = vec![0.0; rows * cols];
            dispatch_on(
                path,
                Decode {
                    matrix: &matrix,
                    rows: 0..rows,
                    out: &mut out,
                },
            );
            for (at, x) in out.iter().enumerate() {
                let row = &data[at / cols * stride..];
                let expected = value(format, row, at % cols) as f32;
                // Decoding adds a zero minimum, which turns -0 into 0; so zero
                // is added to both sides.
                assert_eq!(
                    (x + 0.0).to_bits(),
                    (expected + 0.0).to_bits(),
                    "{format:?} {at}"
                );
            }
        }
    }
}

#[test]
fn halves_are_exact() {
    for (bits, value) in [
        (0x0000, 0.0),
        (0x3c00, 1.0),
        (0xc000, -2.0),
        (0x0001, 5.960_464_5e-8),
        (0x03ff, 6.097_555e-5),
        (0x7bff, 65504.0),
        (0x7c00, f32::INFINITY),
        (0xfc00, f32::NEG_INFINITY),
    ] {
        assert_eq!(f16_to_f32(bits), value, "{bits:#x}");
    }
    assert!(f16_to_f32(0x7e00).is_nan());
    assert_eq!(f16_to_f32(0x8000).to_bits(), (-0.0f32).to_bits());
}

#[test]
fn lengths_are_checked() {
    assert!(Stored::new(Format::Q8_0, &[0; 34], 1, 32).is_some());
    assert!(Stored::new(Format::Q8_0, &[0; 33], 1, 32).is_none());
    assert!(Stored::new(Format::Q8_0, &[0; 34], 1, 31).is_none());
    assert!(Stored::new(Format::F32, &[], usize::MAX, 4).is_none());
}

#[test]
fn a_row_that_is_not_finite_is_found() {
    let mut data = random(Format::F16, 3, 8, 1);
    assert_eq!(
        Stored::new(Format::F16, &data, 3, 8)
            .unwrap()
            .first_non_finite_row(),
        None
    );
    data[16 + 5] = 0x7e;
    assert_eq!(
        Stored::new(Format::F16, &data, 3, 8)
            .unwrap()
            .first_non_finite_row(),
        Some(1)
    );
}
