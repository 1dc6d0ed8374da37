//! Matrices as model files store them: floats of 16 or 32 bits, or blocks of
//! small integers with a scale (the formats of ggml).
//!
//! [`Stored::decode_rows`] gives each number of a block, rounded to the nearest `f32`.
//! The products of scales and integers are exact in `f32` for every format except Q6_K,
//! where only the last product is rounded, once. So the order of the operations does not
//! matter. Products with such matrices are in [`gemm::stored`](crate::gemm::stored).
//!
//! The layouts are those of `ggml-quants.c` and `ggml-common.h` in ggml.
//!
//! ```
//! use brevity_kernels::stored::{Format, Stored};
//!
//! // One row of 32 values in Q8_0: a scale of 0.5 and the integers -16..16.
//! let mut bytes = vec![0x00, 0x38];
//! bytes.extend((-16..16i8).map(|q| q as u8));
//! let matrix = Stored::new(Format::Q8_0, &bytes, 1, 32).unwrap();
//! let mut row = [0.0; 32];
//! matrix.decode_rows(0..1, &mut row);
//! assert_eq!((row[0], row[31]), (-8.0, 7.5));
//! ```

mod blocks;
mod half;
pub(crate) mod panel;
#[cfg(test)]
pub(crate) mod tests;

pub use half::{bf16_to_f32, f16_to_f32};

use crate::simd::{Kernel, Simd, dispatch};
use std::ops::Range;

/// The format in which numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// The upper half of a single.
    Bf16,
    /// 32 integers of 4 bits, minus 8, times a scale.
    Q4_0,
    /// 32 integers of 4 bits times a scale, plus a minimum.
    Q4_1,
    /// 32 integers of 5 bits, minus 16, times a scale.
    Q5_0,
    /// 32 integers of 5 bits times a scale, plus a minimum.
    Q5_1,
    /// 32 signed bytes times a scale.
    Q8_0,
    /// 256 integers of 4 bits in eight groups, each with a scale and a minimum
    /// of 6 bits.
    Q4K,
    /// The same with integers of 5 bits.
    Q5K,
    /// 256 integers of 6 bits, minus 32, in sixteen groups, each with a scale of 8 bits.
    Q6K,
}

impl Format {
    /// Values in a block.
    pub fn block_len(self) -> usize {
        match self {
            Format::F32 | Format::F16 | Format::Bf16 => 1,
            Format::Q4K | Format::Q5K | Format::Q6K => 256,
            _ => 32,
        }
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Format::F32 => 4,
            Format::F16 | Format::Bf16 => 2,
            Format::Q4_0 => 18,
            Format::Q4_1 => 20,
            Format::Q5_0 => 22,
            Format::Q5_1 => 24,
            Format::Q8_0 => 34,
            Format::Q4K => 144,
            Format::Q5K => 176,
            Format::Q6K => 210,
        }
    }

    /// Whether values are integers with a scale, as [`integer`](crate::integer) needs
    /// them.
    pub fn has_integers(self) -> bool {
        self.block_len() > 1
    }

    /// Whether a minimum is added to the product of integer and scale.
    pub fn has_minima(self) -> bool {
        matches!(
            self,
            Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K
        )
    }

    /// The name in ggml.
    pub fn name(self) -> &'static str {
        match self {
            Format::F32 => "F32",
            Format::F16 => "F16",
            Format::Bf16 => "BF16",
            Format::Q4_0 => "Q4_0",
            Format::Q4_1 => "Q4_1",
            Format::Q5_0 => "Q5_0",
            Format::Q5_1 => "Q5_1",
            Format::Q8_0 => "Q8_0",
            Format::Q4K => "Q4_K",
            Format::Q5K => "Q5_K",
            Format::Q6K => "Q6_K",
        }
    }

    /// Number of bytes of `rows` rows of `cols` values; `None` if rows are not whole
    /// blocks or the number does not fit into a `usize`.
    pub fn bytes(self, rows: usize, cols: usize) -> Option<usize> {
        if !cols.is_multiple_of(self.block_len()) {
            return None;
        }
        (cols / self.block_len())
            .checked_mul(self.block_bytes())?
            .checked_mul(rows)
    }
}

/// A matrix in stored form, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    format: Format,
    data: &'a [u8],
    rows: usize,
    cols: usize,
}

impl<'a> Stored<'a> {
    /// A matrix of `rows` rows of `cols` values; `None` if `data` does not have the
    /// required length ([`Format::bytes`]).
    pub fn new(format: Format, data: &'a [u8], rows: usize, cols: usize) -> Option<Stored<'a>> {
        (format.bytes(rows, cols)? == data.len()).then_some(Stored {
            format,
            data,
            rows,
            cols,
        })
    }

    /// Number of rows; for the weights of a layer, the number of outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of values in a row; for the weights of a layer, the number of inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// How the values are stored.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Bytes of a row.
    fn row_bytes(&self) -> usize {
        self.cols / self.format.block_len() * self.format.block_bytes()
    }

    /// Writes the values of `rows` to `out`, `[rows, cols]`.
    ///
    /// # Panics
    /// If the matrix does not have these rows, or `out` has another length.
    pub fn decode_rows(&self, rows: Range<usize>, out: &mut [f32]) {
        dispatch(Decode {
            matrix: self,
            rows,
            out,
        });
    }

    /// [`decode_rows`](Self::decode_rows) inside a [`Kernel`].
    #[inline(always)]
    pub(crate) fn decode(&self, rows: Range<usize>, out: &mut [f32]) {
        assert!(rows.end <= self.rows, "no row {}", rows.end);
        assert_eq!(out.len(), rows.len() * self.cols, "values of the rows");
        let data = &self.data[rows.start * self.row_bytes()..rows.end * self.row_bytes()];
        blocks::decode(self.format, data, out);
    }

    /// Block `index` of sixteen rows from `row` on, which must be there; later ones
    /// that are not there are the last one again. False if the format has no blocks.
    /// The integers go to `quads`, as many as a block has.
    #[inline(always)]
    pub(crate) fn unpack(
        &self,
        row: usize,
        index: usize,
        out: &mut panel::Blocks,
        quads: &mut [panel::Quad],
    ) -> bool {
        let (stride, last) = (self.row_bytes(), self.rows - 1 - row);
        let data = &self.data[row * stride..];
        out.unpack(self.format, data, (stride, last), index, quads)
    }

    /// Prefetches part `index` of the memory of `rows` rows from `row` on. A part has as
    /// many bytes as one block of each of these rows. The rows need not exist.
    #[inline(always)]
    pub(crate) fn prefetch<S: Simd>(&self, row: usize, index: usize, rows: usize) {
        const LINE: usize = 64;
        let len = rows * self.format.block_bytes();
        let start = self.data.as_ptr();
        let start = start.wrapping_add(row * self.row_bytes() + index * len);
        for at in (0..len).step_by(LINE) {
            S::prefetch(start.wrapping_add(at).cast());
        }
    }

    /// The first row with a value that is not finite.
    pub fn first_non_finite_row(&self) -> Option<usize> {
        let mut row = vec![0.0; self.cols];
        (0..self.rows).find(|&r| {
            self.decode_rows(r..r + 1, &mut row);
            !row.iter().all(|x| x.is_finite())
        })
    }
}

struct Decode<'a> {
    matrix: &'a Stored<'a>,
    rows: Range<usize>,
    out: &'a mut [f32],
}

impl Kernel for Decode<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        self.matrix.decode(self.rows, self.out);
    }
}
