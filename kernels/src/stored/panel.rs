//! Unpacks sixteen rows at a time, transposed, in the order in which products
//! read them.
//!
//! The integers of a block are transposed as bytes, before they become floats of
//! four times the size, if they do; the scales of sixteen rows are then a vector.
//! The values are those of [`Stored::decode_rows`](super::Stored::decode_rows), to the
//! bit.

use super::Format;
use super::blocks::six_bits;
use super::half::f16_to_f32;

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

    /// Unpacks block `index` of sixteen rows that start `stride` bytes apart, of which
    /// those beyond `last` are that one again; false if the format has no blocks.
    #[inline(always)]
    pub(crate) fn unpack(
        &mut self,
        format: Format,
        data: &[u8],
        (stride, last): (usize, usize),
        index: usize,
    ) -> bool {
        let at = |row: usize| &data[row.min(last) * stride + index * format.block_bytes()..];
        // Halves become floats for all rows at once.
        let mut scales = [0; ROWS];
        let mut minima = [0; ROWS];
        match format {
            Format::F32 | Format::F16 | Format::Bf16 => return false,
            Format::Q4_0 => {
                self.zero = 8;
                for (row, scale) in scales.iter_mut().enumerate() {
                    let b: &[u8; 18] = at(row).first_chunk().expect("a block");
                    nibbles(&b[2..], &mut self.integers[row]);
                    *scale = half(b, 0);
                }
                self.scale_32(scales, minima);
            }
            Format::Q4_1 => {
                self.zero = 0;
                for row in 0..ROWS {
                    let b: &[u8; 20] = at(row).first_chunk().expect("a block");
                    nibbles(&b[4..], &mut self.integers[row]);
                    scales[row] = half(b, 0);
                    minima[row] = half(b, 2);
                }
                self.scale_32(scales, minima);
            }
            Format::Q5_0 => {
                self.zero = 16;
                for (row, scale) in scales.iter_mut().enumerate() {
                    let b: &[u8; 22] = at(row).first_chunk().expect("a block");
                    five_bits(&b[2..], &mut self.integers[row]);
                    *scale = half(b, 0);
                }
                self.scale_32(scales, minima);
            }
            Format::Q5_1 => {
                self.zero = 0;
                for row in 0..ROWS {
                    let b: &[u8; 24] = at(row).first_chunk().expect("a block");
                    five_bits(&b[4..], &mut self.integers[row]);
                    scales[row] = half(b, 0);
                    minima[row] = half(b, 2);
                }
                self.scale_32(scales, minima);
            }
            Format::Q8_0 => {
                self.zero = 128;
                for (row, scale) in scales.iter_mut().enumerate() {
                    let b: &[u8; 34] = at(row).first_chunk().expect("a block");
                    let q: &[u8; 32] = b.last_chunk().expect("32 bytes");
                    let out: &mut [u8; 32] = self.integers[row].first_chunk_mut().expect("32");
                    for i in 0..32 {
                        out[i] = q[i] ^ 0x80;
                    }
                    *scale = half(b, 0);
                }
                self.scale_32(scales, minima);
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
                    (scales[row], minima[row]) = (half(b, 0), half(b, 2));
                    for group in 0..8 {
                        let (scale, minimum) = six_bits(&b[4..16], group);
                        self.scales[2 * group][row] = scale;
                        self.minima[2 * group][row] = minimum;
                    }
                }
                self.scale_groups(scales, minima);
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
                    (scales[row], minima[row]) = (half(b, 0), half(b, 2));
                    for group in 0..8 {
                        let (scale, minimum) = six_bits(&b[4..16], group);
                        self.scales[2 * group][row] = scale;
                        self.minima[2 * group][row] = minimum;
                    }
                }
                self.scale_groups(scales, minima);
            }
            Format::Q6K => {
                self.zero = 32;
                for (row, scale) in scales.iter_mut().enumerate() {
                    let b: &[u8; 210] = at(row).first_chunk().expect("a block");
                    *scale = half(b, 208);
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
                        self.scales[group][row] = f32::from(b[192 + group] as i8);
                    }
                }
                let d = floats(scales);
                for scales in &mut self.scales {
                    for (scale, d) in scales.iter_mut().zip(d) {
                        *scale *= d;
                    }
                }
                self.minima = [[0.0; ROWS]; LONGEST / STEPS];
            }
        }
        true
    }

    /// One scale and minimum for 32 values, as halves.
    #[inline(always)]
    fn scale_32(&mut self, scales: [u16; ROWS], minima: [u16; ROWS]) {
        let (scales, minima) = (floats(scales), floats(minima));
        for group in 0..2 {
            (self.scales[group], self.minima[group]) = (scales, minima);
        }
    }

    /// The scale and the minimum of each 32 of 256 values, which are integers so far,
    /// in these units, halves.
    #[inline(always)]
    fn scale_groups(&mut self, scales: [u16; ROWS], minima: [u16; ROWS]) {
        let (d, dmin) = (floats(scales), floats(minima));
        for group in 0..8 {
            for row in 0..ROWS {
                self.scales[2 * group][row] *= d[row];
                self.minima[2 * group][row] = -(dmin[row] * self.minima[2 * group][row]);
            }
            self.scales[2 * group + 1] = self.scales[2 * group];
            self.minima[2 * group + 1] = self.minima[2 * group];
        }
    }

    /// What is subtracted from the integers.
    #[inline(always)]
    pub(crate) fn zero(&self) -> i32 {
        self.zero
    }

    /// The integers of a row, as many as a block has.
    #[cfg(test)]
    pub(crate) fn integers(&self, row: usize) -> &[u8] {
        &self.integers[row]
    }

    /// Scales and minima of values `16 group .. 16 group + 16` of all rows.
    #[inline(always)]
    pub(crate) fn scales(&self, group: usize) -> (&[f32; ROWS], &[f32; ROWS]) {
        (&self.scales[group], &self.minima[group])
    }

    /// The integers of values `16 group .. 16 group + 16`, four of a row side by
    /// side: `[STEPS / 4, ROWS, 4]`.
    #[inline(always)]
    pub(crate) fn quads(&self, group: usize, out: &mut [[u8; 4 * ROWS]; STEPS / 4]) {
        for (i, rows) in self.integers.as_chunks::<4>().0.iter().enumerate() {
            let rows = rows.each_ref().map(|row| {
                let (groups, _) = row.as_chunks::<STEPS>();
                groups[group]
            });
            for (out, quads) in out.iter_mut().zip(transpose_quads(rows)) {
                out[16 * i..][..16].copy_from_slice(&quads);
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

/// The values of halves. A loop, for `map` is not always inlined into code for newer
/// instructions.
#[inline(always)]
fn floats(halves: [u16; ROWS]) -> [f32; ROWS] {
    let mut out = [0.0; ROWS];
    for (out, half) in out.iter_mut().zip(halves) {
        *out = f16_to_f32(half);
    }
    out
}

/// The half at byte `at`.
#[inline(always)]
fn half(block: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([block[at], block[at + 1]])
}

/// The transpose of four rows of four times four bytes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn transpose_quads(rows: [[u8; 16]; 4]) -> [[u8; 16]; 4] {
    use std::arch::x86_64::{
        __m128i, _mm_unpackhi_epi32, _mm_unpackhi_epi64, _mm_unpacklo_epi32, _mm_unpacklo_epi64,
    };
    // SAFETY: both are four times sixteen bytes, and every x86-64 has SSE2.
    unsafe {
        let [a, b, c, d]: [__m128i; 4] = std::mem::transmute(rows);
        let (ab, cd) = (_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
        let (ef, gh) = (_mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, d));
        std::mem::transmute([
            _mm_unpacklo_epi64(ab, cd),
            _mm_unpackhi_epi64(ab, cd),
            _mm_unpacklo_epi64(ef, gh),
            _mm_unpackhi_epi64(ef, gh),
        ])
    }
}

/// The transpose of four rows of four times four bytes.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn transpose_quads(rows: [[u8; 16]; 4]) -> [[u8; 16]; 4] {
    std::array::from_fn(|q| std::array::from_fn(|i| rows[i / 4][4 * q + i % 4]))
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
    fn transposing_quads_keeps_four_bytes_together() {
        let rows = std::array::from_fn(|i| std::array::from_fn(|j| (16 * i + j) as u8));
        for (q, row) in super::transpose_quads(rows).into_iter().enumerate() {
            for (i, byte) in row.into_iter().enumerate() {
                assert_eq!(usize::from(byte), 16 * (i / 4) + 4 * q + i % 4);
            }
        }
    }

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
