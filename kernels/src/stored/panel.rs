//! Unpacks sixteen rows at a time, transposed, in the order in which products
//! read them.
//!
//! The integers of a block are transposed as bytes, before they become floats
//! of four times the size. The scales of sixteen rows form a vector. The values
//! have the bits of [`Stored::decode_rows`](super::Stored::decode_rows).

use super::Format;
use super::blocks::{scale, six_bits};

/// Rows of a panel.
pub(crate) const ROWS: usize = 16;

/// Values of a row in a tile. In all formats, sixteen adjacent values have the
/// same scale.
pub(crate) const STEPS: usize = 16;

/// Values in the longest block.
const LONGEST: usize = 256;

/// Sixteen unpacked blocks, one of each row.
pub(crate) struct Blocks {
    /// The stored integers, unsigned:
    /// `value = (integer - zero) scale + minimum`.
    integers: [[u8; LONGEST]; ROWS],
    zero: i32,
    /// `[LONGEST / STEPS, ROWS]`
    scales: [[f32; ROWS]; LONGEST / STEPS],
    minima: [[f32; ROWS]; LONGEST / STEPS],
}

impl Blocks {
    pub(crate) fn new() -> Blocks {
        Blocks {
            integers: [[0; LONGEST]; ROWS],
            zero: 0,
            scales: [[0.0; ROWS]; LONGEST / STEPS],
            minima: [[0.0; ROWS]; LONGEST / STEPS],
        }
    }

    /// Unpacks block `index` of sixteen rows that start `stride` bytes apart;
    /// returns false if the format has no blocks.
    #[inline(always)]
    pub(crate) fn unpack(
        &mut self,
        format: Format,
        data: &[u8],
        stride: usize,
        index: usize,
    ) -> bool {
        let at = |row: usize| &data[row * stride + index * format.block_bytes()..];
        match format {
            Format::F32 | Format::F16 | Format::Bf16 => return false,
            Format::Q4_0 => {
                self.zero = 8;
                for row in 0..ROWS {
                    let b: &[u8; 18] = at(row).first_chunk().expect("a block");
                    nibbles(&b[2..], &mut self.integers[row]);
                    self.scale_32(row, scale(b, 0), 0.0);
                }
            }
            Format::Q4_1 => {
                self.zero = 0;
                for row in 0..ROWS {
                    let b: &[u8; 20] = at(row).first_chunk().expect("a block");
                    nibbles(&b[4..], &mut self.integers[row]);
                    self.scale_32(row, scale(b, 0), scale(b, 2));
                }
            }
            Format::Q5_0 => {
                self.zero = 16;
                for row in 0..ROWS {
                    let b: &[u8; 22] = at(row).first_chunk().expect("a block");
                    five_bits(&b[2..], &mut self.integers[row]);
                    self.scale_32(row, scale(b, 0), 0.0);
                }
            }
            Format::Q5_1 => {
                self.zero = 0;
                for row in 0..ROWS {
                    let b: &[u8; 24] = at(row).first_chunk().expect("a block");
                    five_bits(&b[4..], &mut self.integers[row]);
                    self.scale_32(row, scale(b, 0), scale(b, 2));
                }
            }
            Format::Q8_0 => {
                self.zero = 128;
                for row in 0..ROWS {
                    let b: &[u8; 34] = at(row).first_chunk().expect("a block");
                    for (x, q) in self.integers[row][..32].iter_mut().zip(&b[2..]) {
                        *x = q ^ 0x80;
                    }
                    self.scale_32(row, scale(b, 0), 0.0);
                }
            }
            Format::Q4K => {
                self.zero = 0;
                for row in 0..ROWS {
                    let b: &[u8; 144] = at(row).first_chunk().expect("a block");
                    for pair in 0..4 {
                        let q: &[u8; 32] = b[16 + 32 * pair..].first_chunk().expect("32 bytes");
                        let out = &mut self.integers[row][64 * pair..][..64];
                        for (i, &q) in q.iter().enumerate() {
                            out[i] = q & 15;
                            out[i + 32] = q >> 4;
                        }
                    }
                    self.scale_groups(row, &b[..16]);
                }
            }
            Format::Q5K => {
                self.zero = 0;
                for row in 0..ROWS {
                    let b: &[u8; 176] = at(row).first_chunk().expect("a block");
                    let fifth: &[u8; 32] = b[16..].first_chunk().expect("32 bytes");
                    for pair in 0..4 {
                        let q: &[u8; 32] = b[48 + 32 * pair..].first_chunk().expect("32 bytes");
                        let out = &mut self.integers[row][64 * pair..][..64];
                        for (i, (&q, &h)) in q.iter().zip(fifth).enumerate() {
                            out[i] = q & 15 | (h >> (2 * pair) & 1) << 4;
                            out[i + 32] = q >> 4 | (h >> (2 * pair + 1) & 1) << 4;
                        }
                    }
                    self.scale_groups(row, &b[..16]);
                }
            }
            Format::Q6K => {
                self.zero = 32;
                for row in 0..ROWS {
                    let b: &[u8; 210] = at(row).first_chunk().expect("a block");
                    let d = scale(b, 208);
                    for part in 0..2 {
                        let low: &[u8; 64] = b[64 * part..].first_chunk().expect("64 bytes");
                        let high: &[u8; 32] = b[128 + 32 * part..].first_chunk().expect("32 bytes");
                        let out = &mut self.integers[row][128 * part..][..128];
                        for (i, &h) in high.iter().enumerate() {
                            let (a, b) = (low[i], low[i + 32]);
                            out[i] = a & 15 | (h & 3) << 4;
                            out[i + 32] = b & 15 | (h >> 2 & 3) << 4;
                            out[i + 64] = a >> 4 | (h >> 4 & 3) << 4;
                            out[i + 96] = b >> 4 | h >> 6 << 4;
                        }
                    }
                    for group in 0..16 {
                        self.scales[group][row] = d * f32::from(b[192 + group] as i8);
                        self.minima[group][row] = 0.0;
                    }
                }
            }
        }
        true
    }

    /// One scale and minimum for 32 values.
    #[inline(always)]
    fn scale_32(&mut self, row: usize, scale: f32, minimum: f32) {
        for group in 0..2 {
            self.scales[group][row] = scale;
            self.minima[group][row] = minimum;
        }
    }

    /// A scale and a minimum of 6 bits for each group of 32 among 256 values.
    #[inline(always)]
    fn scale_groups(&mut self, row: usize, b: &[u8]) {
        let (d, dmin) = (scale(b, 0), scale(b, 2));
        for group in 0..8 {
            let (s, m) = six_bits(&b[4..16], group);
            for half in 0..2 {
                self.scales[2 * group + half][row] = d * s;
                self.minima[2 * group + half][row] = -(dmin * m);
            }
        }
    }

    /// Values `16 group .. 16 group + 16` of all rows, `[STEPS, ROWS]`.
    #[inline(always)]
    pub(crate) fn tile(&self, group: usize, out: &mut [[f32; ROWS]; STEPS]) {
        let mut bytes = [[0; STEPS]; ROWS];
        for (to, from) in bytes.iter_mut().zip(&self.integers) {
            to.copy_from_slice(&from[STEPS * group..][..STEPS]);
        }
        let (scales, minima) = (&self.scales[group], &self.minima[group]);
        for (to, from) in out.iter_mut().zip(transpose(bytes)) {
            for row in 0..ROWS {
                let integer = (i32::from(from[row]) - self.zero) as f32;
                to[row] = integer * scales[row] + minima[row];
            }
        }
    }
}

#[inline(always)]
fn nibbles(q: &[u8], out: &mut [u8; LONGEST]) {
    let q: &[u8; 16] = q.first_chunk().expect("sixteen bytes");
    for (i, &q) in q.iter().enumerate() {
        out[i] = q & 15;
        out[i + 16] = q >> 4;
    }
}

#[inline(always)]
fn five_bits(q: &[u8], out: &mut [u8; LONGEST]) {
    let q: &[u8; 20] = q.first_chunk().expect("twenty bytes");
    let fifth = u32::from_le_bytes([q[0], q[1], q[2], q[3]]);
    for i in 0..16 {
        out[i] = q[4 + i] & 15 | ((fifth >> i & 1) << 4) as u8;
        out[i + 16] = q[4 + i] >> 4 | ((fifth >> (i + 16) & 1) << 4) as u8;
    }
}

/// The transpose of sixteen rows of sixteen bytes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn transpose(rows: [[u8; 16]; 16]) -> [[u8; 16]; 16] {
    use std::arch::x86_64::{__m128i, _mm_unpackhi_epi8, _mm_unpacklo_epi8};
    // SAFETY: both are sixteen times sixteen bytes.
    let mut v: [__m128i; 16] = unsafe { std::mem::transmute(rows) };
    // Rows `i` and `i + 8` are interleaved, four times in succession.
    for _ in 0..4 {
        let from = v;
        for i in 0..8 {
            // SAFETY: every x86-64 has SSE2.
            unsafe {
                v[2 * i] = _mm_unpacklo_epi8(from[i], from[i + 8]);
                v[2 * i + 1] = _mm_unpackhi_epi8(from[i], from[i + 8]);
            }
        }
    }
    // SAFETY: as above.
    unsafe { std::mem::transmute(v) }
}

/// The transpose of sixteen rows of sixteen bytes.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn transpose(rows: [[u8; 16]; 16]) -> [[u8; 16]; 16] {
    std::array::from_fn(|i| rows.map(|row| row[i]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn transposing_moves_every_byte() {
        let rows = std::array::from_fn(|i| std::array::from_fn(|j| (16 * i + j) as u8));
        for (i, row) in super::transpose(rows).into_iter().enumerate() {
            for (j, byte) in row.into_iter().enumerate() {
                assert_eq!(usize::from(byte), 16 * j + i);
            }
        }
    }
}
