//! Activations as integers of 8 bits with a scale a block.

use crate::shape::rows_of;
use crate::simd::{Kernel, LANES, Simd, Vector, dispatch};
use crate::threads;
use rayon::prelude::*;

/// Values in a block.
pub(super) const BLOCK: usize = 32;

/// Values of which the integers are added: the smallest group of any format.
pub(super) const PART: usize = 16;

/// Values that a task rounds.
const TASK: usize = 1 << 14;

/// Blocks whose largest magnitude is below become zeros.
pub const LEAST: f32 = 1e-30;

/// Largest integer: with it, no sum of a pair of products saturates.
const LARGEST: f32 = 127.0;

/// Adding `1.5 * 2^23` rounds to an integer, ties to even, which is in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Rows of activations, rounded.
#[derive(Clone, Debug, Default)]
pub struct Rounded {
    cols: usize,
    /// `[rows, cols]`
    integers: Vec<i8>,
    /// Sums of the integers of each [`PART`], `[rows, cols / PART]`.
    sums: Vec<i32>,
    /// `[rows, cols / BLOCK]`
    scales: Vec<f32>,
    /// The scale times the sum of the block, `[rows, cols / BLOCK]`.
    scaled_sums: Vec<f32>,
}

impl Rounded {
    /// Rows of `cols` values, a multiple of 32.
    ///
    /// # Panics
    /// If there are no such rows.
    #[track_caller]
    pub fn new(x: &[f32], cols: usize) -> Rounded {
        let mut out = Rounded::default();
        out.set(x, cols);
        out
    }

    /// [`new`](Self::new) in the memory that is there.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn set(&mut self, x: &[f32], cols: usize) {
        assert!(cols.is_multiple_of(BLOCK), "blocks of {BLOCK} values");
        rows_of(x.len(), cols);
        self.cols = cols;
        self.integers.resize(x.len(), 0);
        self.sums.resize(x.len() / PART, 0);
        self.scales.resize(x.len() / BLOCK, 0.0);
        self.scaled_sums.resize(x.len() / BLOCK, 0.0);
        let len = match threads::worth(4 * x.len()) {
            1 => x.len().max(1),
            _ => TASK,
        };
        let parts = x
            .par_chunks(len)
            .zip(self.integers.par_chunks_mut(len))
            .zip(self.sums.par_chunks_mut(len.div_ceil(PART)))
            .zip(self.scales.par_chunks_mut(len.div_ceil(BLOCK)))
            .zip(self.scaled_sums.par_chunks_mut(len.div_ceil(BLOCK)));
        parts.for_each(|((((x, integers), sums), scales), scaled)| {
            dispatch(Round {
                x,
                integers,
                sums,
                scales,
                scaled,
            });
        });
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.integers.len().checked_div(self.cols).unwrap_or(0)
    }

    /// Values in a row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Integers of a row.
    #[inline(always)]
    pub(super) fn integers(&self, row: usize) -> &[i8] {
        &self.integers[row * self.cols..][..self.cols]
    }

    /// Sums of a row.
    #[inline(always)]
    pub(super) fn sums(&self, row: usize) -> &[i32] {
        let len = self.cols / PART;
        &self.sums[row * len..][..len]
    }

    /// Scales of a row.
    #[inline(always)]
    pub(super) fn scales(&self, row: usize) -> &[f32] {
        let len = self.cols / BLOCK;
        &self.scales[row * len..][..len]
    }

    /// Scales times sums of a row.
    #[inline(always)]
    pub(super) fn scaled_sums(&self, row: usize) -> &[f32] {
        let len = self.cols / BLOCK;
        &self.scaled_sums[row * len..][..len]
    }
}

/// Whole blocks.
struct Round<'a> {
    x: &'a [f32],
    integers: &'a mut [i8],
    sums: &'a mut [i32],
    scales: &'a mut [f32],
    scaled: &'a mut [f32],
}

impl Kernel for Round<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (blocks, _) = self.x.as_chunks::<BLOCK>();
        let (integers, _) = self.integers.as_chunks_mut::<BLOCK>();
        for (i, (x, q)) in blocks.iter().zip(integers).enumerate() {
            let zero = S::splat(0.0);
            let (mut max, mut check) = (zero, zero);
            for part in x.as_chunks::<LANES>().0 {
                let x = S::load(part);
                max = S::max(max, S::abs(x));
                check = S::mul_add(x, zero, check);
            }
            let max = S::to_array(max).into_iter().fold(0.0, f32::max);
            // NaN if a value is not finite.
            let check: f32 = S::to_array(check).into_iter().sum();
            let fine = check == 0.0 && max >= LEAST;
            let inverse = S::splat(if fine { LARGEST / max } else { 0.0 });
            let scale = match check == 0.0 {
                true if fine => max / LARGEST,
                true => 0.0,
                false => f32::NAN,
            };
            let mut rounded = [0; BLOCK];
            for (x, q) in x
                .as_chunks::<LANES>()
                .0
                .iter()
                .zip(rounded.as_chunks_mut().0)
            {
                let sum = S::mul(S::load(x), inverse).add(S::splat(ROUND));
                let sum: [f32; LANES] = S::to_array(sum);
                // NaN times zero is NaN still.
                let bits = sum.map(|x| {
                    if fine {
                        x.to_bits() as i32
                    } else {
                        ROUND.to_bits() as i32
                    }
                });
                *q = bits.map(|x| x - ROUND.to_bits() as i32);
            }
            *q = rounded.map(|q| q as i8);
            let (low, high) = rounded.split_at(PART);
            let sums = [low.iter().sum::<i32>(), high.iter().sum()];
            self.sums[2 * i..2 * i + 2].copy_from_slice(&sums);
            self.scales[i] = scale;
            self.scaled[i] = scale * (sums[0] + sums[1]) as f32;
        }
    }
}
