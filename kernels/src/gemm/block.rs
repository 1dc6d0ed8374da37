//! One task's part of a product.

use super::Right;
use super::epilogue::Plan;
use super::pack;
use super::tile::{self, MR, NR, Operands};
use super::view::View;
use crate::scratch;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::Shared;
use std::ops::Range;

/// Columns a task takes at most when it packs `B` itself: with 256 steps a
/// quarter of a mebibyte.
pub(crate) const C_BLOCK: usize = 256;

/// Values of `B` that a group of panels holds: 16 KiB, half of a first-level
/// cache, read over and over for one strip of rows after another.
const GROUP: usize = 4096;

/// Where the right operand comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Whole and packed.
    Packed(&'a [f32]),
    /// To be read in place, or packed by the task.
    View(View<'a>),
}

impl<'a> Source<'a> {
    pub(super) fn of(b: &Right<'a>) -> Source<'a> {
        match b {
            Right::View(v) => Source::View(*v),
            Right::Packed(p) => Source::Packed(p.data()),
        }
    }
}

/// Whether tiles may read `b` where it lies: rows of whole vectors, few enough
/// bytes that a block of steps stays in a first-level cache.
pub(super) fn reads_in_place(b: &View) -> bool {
    !b.transposed && b.cols.is_multiple_of(LANES) && pack::k_block(b.rows) * b.stride <= 2 * GROUP
}

/// A product, of which tasks compute blocks.
pub(crate) struct Block<'a> {
    pub(crate) a: View<'a>,
    pub(crate) b: Source<'a>,
    pub(crate) c: Shared,
    pub(crate) c_stride: usize,
    /// Chains start from what `c` holds.
    pub(crate) accumulate: bool,
    pub(super) epilogue: Plan,
}

impl<'a> Block<'a> {
    /// `c = a b` without more, `c` row-major at distance `b.cols()`.
    pub(crate) fn plain(a: View<'a>, b: View<'a>, c: Shared, accumulate: bool) -> Block<'a> {
        Block {
            a,
            b: Source::View(b),
            c,
            c_stride: b.cols,
            accumulate,
            epilogue: Plan::none(b.cols),
        }
    }

    /// Computes rows `rows`, columns `cols` (from a multiple of [`NR`] on) of
    /// the product over the steps `ks`, which is all of them unless `B` is a
    /// view. Nobody else may touch that part of `c` meanwhile.
    pub(crate) fn run(&self, rows: Range<usize>, cols: Range<usize>, ks: Range<usize>) {
        debug_assert!(cols.start.is_multiple_of(NR));
        let step = pack::k_block(ks.len());
        let left = if self.a.transposed {
            rows.len().div_ceil(MR) * pack::left_len(MR, step)
        } else {
            0
        };
        let right = match self.b {
            Source::View(b) if !reads_in_place(&b) => step * pack::padded(cols.len()),
            _ => 0,
        };
        scratch::with(left + right, |buffer| {
            let (left, right) = buffer.split_at_mut(left);
            dispatch(Task {
                block: self,
                rows,
                cols,
                ks,
                step,
                left,
                right,
            });
        });
    }
}

struct Task<'a> {
    block: &'a Block<'a>,
    rows: Range<usize>,
    cols: Range<usize>,
    ks: Range<usize>,
    step: usize,
    left: &'a mut [f32],
    right: &'a mut [f32],
}

impl Kernel for Task<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        if self.block.a.transposed {
            self.blocks::<S, true>();
        } else {
            self.blocks::<S, false>();
        }
    }
}

impl Task<'_> {
    /// All blocks of steps, one after the other.
    #[inline(always)]
    fn blocks<S: Simd, const ADJACENT: bool>(mut self) {
        let mut k = self.ks.start;
        loop {
            let end = (k + self.step).min(self.ks.end);
            self.steps::<S, ADJACENT>(k..end);
            k = end;
            if k >= self.ks.end {
                break;
            }
        }
    }

    /// One block of steps.
    #[inline(always)]
    fn steps<S: Simd, const ADJACENT: bool>(&mut self, ks: Range<usize>) {
        let Block { a, b, c, .. } = *self.block;
        let strips = Strips::new(self.rows.clone());
        let packed_strip = pack::left_len(MR, self.step);
        if ADJACENT {
            for s in 0..strips.count {
                let (row, rows) = strips.at(s);
                let out = &mut self.left[s * packed_strip..(s + 1) * packed_strip];
                pack::left::<S>(a, row, rows, ks.clone(), out);
            }
        }
        let right = match b {
            Source::Packed(data) => {
                let width = pack::padded(self.block.epilogue.cols());
                let at = ks.start * width + self.cols.start * ks.len();
                RightBlock::packed(&data[at..], ks.len())
            }
            Source::View(b) if reads_in_place(&b) => RightBlock {
                data: &b.data[b.offset(ks.start, self.cols.start)..],
                stride: Some(b.stride),
                panel: NR,
            },
            Source::View(b) => {
                pack::right::<S>(b, ks.clone(), self.cols.clone(), self.right);
                RightBlock::packed(self.right, ks.len())
            }
        };
        let resume = self.block.accumulate || ks.start > self.ks.start;
        let finish = ks.end == self.ks.end && !self.block.epilogue.is_empty();
        let group = (GROUP / ks.len().max(1)).max(NR) / NR * NR;
        let mut first = self.cols.start;
        while first < self.cols.end {
            let last = (first + group).min(self.cols.end);
            for s in 0..strips.count {
                let (row, rows) = strips.at(s);
                let left = if ADJACENT {
                    self.left[s * packed_strip..].as_ptr()
                } else {
                    // With no steps at all the operand may be empty.
                    a.data.as_ptr().wrapping_add(a.offset(row, ks.start))
                };
                let mut j = first;
                while j < last {
                    let cols = last - j;
                    let width = if cols > LANES { NR } else { LANES };
                    let operands = Operands {
                        k: ks.len(),
                        a: left,
                        a_stride: if ADJACENT { rows } else { a.stride },
                        b: right.at(j - self.cols.start),
                        b_stride: right.stride.unwrap_or(width),
                        b_panel: right.panel,
                        c: c.ptr().wrapping_add(row * self.block.c_stride + j),
                        c_stride: self.block.c_stride,
                        resume,
                    };
                    // SAFETY: `gemm` has checked the shapes; rows and columns
                    // of this task are its own.
                    j += unsafe { tile::run::<S, ADJACENT>(rows, cols, operands) };
                }
                if finish {
                    // SAFETY: as above.
                    unsafe {
                        self.block.epilogue.finish::<S>(
                            c.ptr(),
                            self.block.c_stride,
                            row..row + rows,
                            first..last,
                        );
                    }
                }
            }
            first = last;
        }
    }
}

/// Rows cut into strips of at most [`MR`], as equal as can be.
struct Strips {
    start: usize,
    count: usize,
    base: usize,
    longer: usize,
}

impl Strips {
    #[inline(always)]
    fn new(rows: Range<usize>) -> Strips {
        let count = rows.len().div_ceil(MR);
        Strips {
            start: rows.start,
            count,
            base: rows.len() / count,
            longer: rows.len() % count,
        }
    }

    /// First row and number of rows of strip `s`.
    #[inline(always)]
    fn at(&self, s: usize) -> (usize, usize) {
        let row = self.start + s * self.base + s.min(self.longer);
        (row, self.base + usize::from(s < self.longer))
    }
}

/// A block of steps of the right operand.
struct RightBlock<'a> {
    data: &'a [f32],
    /// Distance of steps; in packed order it is the width of the panel.
    stride: Option<usize>,
    /// Distance of panels.
    panel: usize,
}

impl<'a> RightBlock<'a> {
    #[inline(always)]
    fn packed(data: &'a [f32], steps: usize) -> Self {
        RightBlock {
            data,
            stride: None,
            panel: NR * steps,
        }
    }

    /// Where the panel of column `j` starts.
    #[inline(always)]
    fn at(&self, j: usize) -> *const f32 {
        self.data.as_ptr().wrapping_add(j / NR * self.panel)
    }
}
