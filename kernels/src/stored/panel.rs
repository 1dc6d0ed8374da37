//! Unpacks sixteen rows at a time, transposed, in the order in which products
//! read them.
//!
//! Bytes are transposed as they are stored, before they become integers of twice the
//! size or floats of eight times, if they do; the scales of sixteen rows are then a
//! vector. The values are those of
//! [`Stored::decode_rows`](super::Stored::decode_rows), to the bit.
//!
//! Loops, not `map` or `from_fn`: these are not always inlined into code for newer
//! instructions.

use super::Format;
use super::half::f16_to_f32;

/// Rows of a panel.
pub(crate) const ROWS: usize = 16;

/// Values of a row in a tile. In all formats, sixteen adjacent values have the
/// same scale.
pub(crate) const STEPS: usize = 16;

/// Values in the longest block.
pub(crate) const LONGEST: usize = 256;

/// Four adjacent integers of each row, `[ROWS, 4]`. They are unsigned:
/// `value = (integer - zero) scale + minimum`.
pub(crate) type Quad = [u8; 4 * ROWS];

/// What sixteen unpacked blocks, one of each row, have beside integers.
pub(crate) struct Blocks {
    zero: i32,
    /// `[LONGEST / STEPS, ROWS]`
    scales: [[f32; ROWS]; LONGEST / STEPS],
    minima: [[f32; ROWS]; LONGEST / STEPS],
}

impl Blocks {
    pub(crate) fn new() -> Blocks {
        Blocks {
            zero: 0,
            scales: [[0.0; ROWS]; LONGEST / STEPS],
            minima: [[0.0; ROWS]; LONGEST / STEPS],
        }
    }

    /// Unpacks block `index` of sixteen rows that start `stride` bytes apart, of which
    /// those beyond `last` are that one again; false if the format has no blocks. The
    /// integers go to `quads`, as many as a block has.
    #[inline(always)]
    pub(crate) fn unpack(
        &mut self,
        format: Format,
        data: &[u8],
        rows: (usize, usize),
        index: usize,
        quads: &mut [Quad],
    ) -> bool {
        let at = index * format.block_bytes();
        match format {
            Format::F32 | Format::F16 | Format::Bf16 => return false,
            Format::Q4_0 => {
                let b: Rows<18> = Rows::at(data, rows, at);
                self.zero = 8;
                nibbles(b.transposed(2), quads);
                self.scale_32(b.halves(0), [0.0; ROWS]);
            }
            Format::Q4_1 => {
                let b: Rows<20> = Rows::at(data, rows, at);
                self.zero = 0;
                nibbles(b.transposed(4), quads);
                self.scale_32(b.halves(0), b.halves(2));
            }
            Format::Q5_0 => {
                let b: Rows<22> = Rows::at(data, rows, at);
                self.zero = 16;
                nibbles(b.transposed(6), quads);
                fifth_bits(b.words(2), quads);
                self.scale_32(b.halves(0), [0.0; ROWS]);
            }
            Format::Q5_1 => {
                let b: Rows<24> = Rows::at(data, rows, at);
                self.zero = 0;
                nibbles(b.transposed(8), quads);
                fifth_bits(b.words(4), quads);
                self.scale_32(b.halves(0), b.halves(2));
            }
            Format::Q8_0 => {
                let b: Rows<34> = Rows::at(data, rows, at);
                self.zero = 128;
                for (out, at) in quads.chunks_exact_mut(4).zip([2, 18]) {
                    for (out, quad) in out.iter_mut().zip(b.transposed(at)) {
                        for (out, q) in out.iter_mut().zip(quad) {
                            *out = q ^ 0x80;
                        }
                    }
                }
                self.scale_32(b.halves(0), [0.0; ROWS]);
            }
            Format::Q4K => {
                let b: Rows<144> = Rows::at(data, rows, at);
                self.zero = 0;
                for (pair, out) in quads.chunks_exact_mut(16).enumerate() {
                    pair_of_groups(&b, 16 + 32 * pair, out);
                }
                self.scale_groups(&b);
            }
            Format::Q5K => {
                let b: Rows<176> = Rows::at(data, rows, at);
                self.zero = 0;
                let fifth = [b.transposed(16), b.transposed(32)];
                for (pair, out) in quads.chunks_exact_mut(16).enumerate() {
                    pair_of_groups(&b, 48 + 32 * pair, out);
                    for (group, out) in out.chunks_exact_mut(8).enumerate() {
                        let shift = 2 * pair + group;
                        for (out, bits) in out.iter_mut().zip(fifth.as_flattened()) {
                            for (out, bits) in out.iter_mut().zip(bits) {
                                *out |= (bits >> shift & 1) << 4;
                            }
                        }
                    }
                }
                self.scale_groups(&b);
            }
            Format::Q6K => {
                let b: Rows<210> = Rows::at(data, rows, at);
                self.zero = 32;
                for (part, out) in quads.chunks_exact_mut(32).enumerate() {
                    six_bits(&b, part, out);
                }
                self.scale_bytes(&b);
            }
        }
        true
    }

    /// One scale and minimum for 32 values.
    #[inline(always)]
    fn scale_32(&mut self, scales: [f32; ROWS], minima: [f32; ROWS]) {
        for group in 0..2 {
            (self.scales[group], self.minima[group]) = (scales, minima);
        }
    }

    /// The scale and the minimum of each 32 of 256 values: six bits each in twelve
    /// bytes, in units of two halves.
    #[inline(always)]
    fn scale_groups<const N: usize>(&mut self, b: &Rows<N>) {
        const SIX: u32 = 0x3f3f_3f3f;
        const FOUR: u32 = 0x0f0f_0f0f;
        const UPPER: u32 = 0x3030_3030;
        let (d, dmin) = (b.halves(0), b.halves(2));
        let (first, second, third) = (b.words(4), b.words(8), b.words(12));
        let (mut scales, mut minima) = ([[0; ROWS]; 2], [[0; ROWS]; 2]);
        for row in 0..ROWS {
            let (a, b, c) = (first[row], second[row], third[row]);
            scales[0][row] = a & SIX;
            minima[0][row] = b & SIX;
            scales[1][row] = c & FOUR | a >> 2 & UPPER;
            minima[1][row] = c >> 4 & FOUR | b >> 2 & UPPER;
        }
        for group in 0..8 {
            let shift = 8 * (group % 4);
            for row in 0..ROWS {
                let scale = (scales[group / 4][row] >> shift & 63) as f32;
                let minimum = (minima[group / 4][row] >> shift & 63) as f32;
                self.scales[2 * group][row] = scale * d[row];
                self.minima[2 * group][row] = -(dmin[row] * minimum);
            }
            self.scales[2 * group + 1] = self.scales[2 * group];
            self.minima[2 * group + 1] = self.minima[2 * group];
        }
    }

    /// The scale of each 16 of 256 values: a signed byte in units of a half.
    #[inline(always)]
    fn scale_bytes(&mut self, b: &Rows<210>) {
        let d = b.halves(208);
        for (quad, scales) in self.scales.chunks_exact_mut(4).enumerate() {
            let words = b.words(192 + 4 * quad);
            for (byte, scales) in scales.iter_mut().enumerate() {
                for row in 0..ROWS {
                    let scale = (words[row] << (24 - 8 * byte)) as i32 >> 24;
                    scales[row] = scale as f32 * d[row];
                }
            }
        }
        self.minima = [[0.0; ROWS]; LONGEST / STEPS];
    }

    /// What is subtracted from the integers.
    #[inline(always)]
    pub(crate) fn zero(&self) -> i32 {
        self.zero
    }

    /// Scales and minima of values `16 group .. 16 group + 16` of all rows.
    #[inline(always)]
    pub(crate) fn scales(&self, group: usize) -> (&[f32; ROWS], &[f32; ROWS]) {
        (&self.scales[group], &self.minima[group])
    }

    /// Values `16 group .. 16 group + 16` of all rows, `[STEPS, ROWS]`, of the
    /// unpacked integers.
    #[inline(always)]
    pub(crate) fn tile(&self, group: usize, quads: &[Quad], out: &mut [[f32; ROWS]; STEPS]) {
        let (scales, minima) = (&self.scales[group], &self.minima[group]);
        let quads = &quads[group * STEPS / 4..][..STEPS / 4];
        for (quad, out) in quads.iter().zip(out.as_chunks_mut::<4>().0) {
            let words = words_of(quad);
            for (byte, out) in out.iter_mut().enumerate() {
                for row in 0..ROWS {
                    let integer = (words[row] >> (8 * byte) & 255) as i32 - self.zero;
                    out[row] = integer as f32 * scales[row] + minima[row];
                }
            }
        }
    }
}

/// A block of each of sixteen rows.
struct Rows<'a, const N: usize>([&'a [u8; N]; ROWS]);

impl<'a, const N: usize> Rows<'a, N> {
    /// The blocks at byte `at` of rows that start `stride` bytes apart; those beyond
    /// `last` are that one again.
    #[inline(always)]
    fn at(data: &'a [u8], (stride, last): (usize, usize), at: usize) -> Rows<'a, N> {
        let first: &[u8; N] = data[at..].first_chunk().expect("a block");
        let mut out = [first; ROWS];
        for (row, out) in out.iter_mut().enumerate() {
            let start = row.min(last) * stride + at;
            *out = data[start..].first_chunk().expect("a block");
        }
        Rows(out)
    }

    /// Sixteen bytes of each row from byte `at` on, transposed.
    #[inline(always)]
    fn transposed(&self, at: usize) -> [Quad; 4] {
        let mut out = [[0; 4 * ROWS]; 4];
        for (i, rows) in self.0.as_chunks::<4>().0.iter().enumerate() {
            let mut bytes = [[0; 16]; 4];
            for (bytes, row) in bytes.iter_mut().zip(rows) {
                bytes.copy_from_slice(&row[at..at + 16]);
            }
            for (out, quads) in out.iter_mut().zip(transpose(bytes)) {
                out[16 * i..][..16].copy_from_slice(&quads);
            }
        }
        out
    }

    /// The values of the halves at byte `at`.
    #[inline(always)]
    fn halves(&self, at: usize) -> [f32; ROWS] {
        let mut halves = [0; ROWS];
        for (half, row) in halves.iter_mut().zip(self.0) {
            *half = u16::from_le_bytes([row[at], row[at + 1]]);
        }
        let mut out = [0.0; ROWS];
        for (out, half) in out.iter_mut().zip(halves) {
            *out = f16_to_f32(half);
        }
        out
    }

    /// The words at byte `at`.
    #[inline(always)]
    fn words(&self, at: usize) -> [u32; ROWS] {
        let mut out = [0; ROWS];
        for (out, row) in out.iter_mut().zip(self.0) {
            *out = u32::from_le_bytes([row[at], row[at + 1], row[at + 2], row[at + 3]]);
        }
        out
    }
}

/// A word for each row.
#[inline(always)]
fn words_of(quad: &Quad) -> [u32; ROWS] {
    let mut out = [0; ROWS];
    for (out, bytes) in out.iter_mut().zip(quad.as_chunks::<4>().0) {
        *out = u32::from_le_bytes(*bytes);
    }
    out
}

/// Sixteen bytes are the low, then the high halves of 32 integers.
#[inline(always)]
fn nibbles(packed: [Quad; 4], out: &mut [Quad]) {
    let (low, high) = out.split_at_mut(4);
    for (packed, (low, high)) in packed.iter().zip(low.iter_mut().zip(high)) {
        split(packed, low, high);
    }
}

/// Halves of bytes.
#[inline(always)]
fn split(packed: &Quad, low: &mut Quad, high: &mut Quad) {
    for i in 0..packed.len() {
        low[i] = packed[i] & 15;
        high[i] = packed[i] >> 4;
    }
}

/// Bit `i` of a row's word is the fifth of its integer `i`.
#[inline(always)]
fn fifth_bits(words: [u32; ROWS], out: &mut [Quad]) {
    for (quad, out) in out.iter_mut().take(8).enumerate() {
        let mut low = words_of(out);
        for row in 0..ROWS {
            // Four bits into the lowest ones of four bytes.
            let bits = ((words[row] >> (4 * quad) & 15) * 0x0020_4081) & 0x0101_0101;
            low[row] |= bits << 4;
        }
        for (out, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(low) {
            *out = word.to_le_bytes();
        }
    }
}

/// 32 bytes at `at` are the low, then the high halves of 64 integers.
#[inline(always)]
fn pair_of_groups<const N: usize>(b: &Rows<N>, at: usize, out: &mut [Quad]) {
    let (low, high) = out.split_at_mut(8);
    for half in 0..2 {
        let packed = b.transposed(at + 16 * half);
        for (i, packed) in packed.iter().enumerate() {
            split(packed, &mut low[4 * half + i], &mut high[4 * half + i]);
        }
    }
}

/// Half a block of 256 integers of six bits: four bits of each in 64 bytes, two in 32.
#[inline(always)]
fn six_bits(b: &Rows<210>, part: usize, out: &mut [Quad]) {
    for quarter in 0..2 {
        let at = 64 * part + 16 * quarter;
        let (first, second) = (b.transposed(at), b.transposed(at + 32));
        let high = b.transposed(128 + 32 * part + 16 * quarter);
        for quad in 0..4 {
            let at = 4 * quarter + quad;
            let (first, second, high) = (&first[quad], &second[quad], &high[quad]);
            for i in 0..4 * ROWS {
                out[at][i] = first[i] & 15 | (high[i] & 3) << 4;
                out[at + 8][i] = second[i] & 15 | (high[i] >> 2 & 3) << 4;
                out[at + 16][i] = first[i] >> 4 | (high[i] >> 4 & 3) << 4;
                out[at + 24][i] = second[i] >> 4 | high[i] >> 6 << 4;
            }
        }
    }
}

/// The transpose of four rows of four times four bytes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn transpose(rows: [[u8; 16]; 4]) -> [[u8; 16]; 4] {
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
fn transpose(rows: [[u8; 16]; 4]) -> [[u8; 16]; 4] {
    std::array::from_fn(|q| std::array::from_fn(|i| rows[i / 4][4 * q + i % 4]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn transposing_keeps_four_bytes_together() {
        let rows = std::array::from_fn(|i| std::array::from_fn(|j| (16 * i + j) as u8));
        for (q, row) in super::transpose(rows).into_iter().enumerate() {
            for (i, byte) in row.into_iter().enumerate() {
                assert_eq!(usize::from(byte), 16 * (i / 4) + 4 * q + i % 4);
            }
        }
    }
}
