//! The macro-kernel: one task's block of a matrix product, by tiles of the
//! micro-kernel.

use super::Right;
use super::epilogue::Plan;
use super::microkernel::{self, MR, NR, Operands};
use super::pack::{self, Strips};
use super::view::View;
use crate::scratch;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::Shared;
use std::ops::Range;

/// The most columns of a task that packs `B` itself: 256 KiB with 256 steps.
pub(crate) const C_BLOCK: usize = 256;

/// Values of `B` in a group of panels: 16 KiB, half of a first-level cache. Every
/// strip of rows reads the whole group. A group has at least
/// [`microkernel::least_cols`] columns, even if that is more.
const GROUP: usize = 4096;

/// The right operand in memory.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// All of it in packed order.
    Packed(&'a [f32]),
    /// Not packed: the task reads it in place or packs its part.
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

/// Whether tiles of `rows` rows read `b` in place: its rows are whole vectors, and
/// either there are few tiles to read it or a block of steps is small.
pub(super) fn reads_in_place(b: &View, rows: usize) -> bool {
    let whole = !b.transposed && b.cols.is_multiple_of(LANES);
    whole && (rows <= DIRECT_RIGHT || pack::k_block(b.rows) * b.stride <= 2 * GROUP)
}

/// Columns of the product up to which a transposed left operand is read in place. With
/// more columns it is read so often that packing is faster.
const DIRECT_LEFT: usize = 64;

/// Rows of the block up to which a transposed left operand is read in place for any
/// number of columns.
const NARROW: usize = 36;

/// Steps of a block with at most [`NARROW`] rows: the parts of both operands fit the
/// first-level cache.
const NARROW_STEPS: usize = 96;

/// Rows up to which a task reads its right operand in place.
const DIRECT_RIGHT: usize = 4 * MR;

/// The fewest steps with which the result is prefetched.
const PREFETCH_STEPS: usize = 48;

/// A matrix product `c = a b`, which tasks compute in blocks.
pub(crate) struct Block<'a> {
    pub(crate) a: View<'a>,
    pub(crate) b: Source<'a>,
    pub(crate) c: Shared,
    pub(crate) c_stride: usize,
    /// Chains start from the values in `c`, not from zero.
    pub(crate) accumulate: bool,
    pub(super) epilogue: Plan,
}

impl<'a> Block<'a> {
    /// A product without an epilogue; `c` is row-major with the stride `b.cols()`.
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

    /// Computes rows `rows` and columns `cols` (which start at a multiple of [`NR`]) of
    /// the product over the steps `ks` of the reduction; these are all steps, unless `B`
    /// is a view. No other task may access that part of `c` at the same time.
    pub(crate) fn run(&self, rows: Range<usize>, cols: Range<usize>, ks: Range<usize>) {
        debug_assert!(cols.start.is_multiple_of(NR));
        let narrow = self.a.transposed && rows.len() <= NARROW;
        let step = match self.b {
            Source::View(_) if narrow => NARROW_STEPS,
            _ => pack::k_block(ks.len()),
        };
        let strips = rows.len().div_ceil(MR);
        let left = if self.a.transposed && cols.len() > DIRECT_LEFT && !narrow {
            strips * pack::left_len(MR, step)
        } else {
            0
        };
        let right = match self.b {
            Source::View(b) if !reads_in_place(&b, rows.len()) => step * pack::padded(cols.len()),
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
    /// All blocks of steps, in order. With `ADJACENT`, the rows of `a` are adjacent
    /// in memory.
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
        let room = pack::left_len(MR, self.step);
        let packed_left = !self.left.is_empty();
        if packed_left {
            pack::left::<S>(a, &strips, ks.clone(), room, self.left);
        }
        let right = match b {
            Source::Packed(data) => {
                let width = pack::padded(self.block.epilogue.cols());
                let at = ks.start * width + self.cols.start * ks.len();
                RightBlock::packed(&data[at..], ks.len())
            }
            Source::View(b) if self.right.is_empty() => RightBlock {
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
        let least = microkernel::least_cols::<S>();
        let group = (GROUP / ks.len().max(1)).max(least) / least * least;
        let mut first = self.cols.start;
        while first < self.cols.end {
            let mut last = (first + group).min(self.cols.end);
            // Too few columns are left to keep the registers busy, so they join this
            // group.
            if self.cols.end - last < least {
                last = self.cols.end;
            }
            for s in 0..strips.count {
                let (row, rows) = strips.at(s);
                let (left, stride) = if packed_left {
                    (self.left[s * room..].as_ptr(), rows)
                } else {
                    // Without steps the operand may be empty.
                    let at = a.offset(row, ks.start);
                    (a.data.as_ptr().wrapping_add(at), a.stride)
                };
                // Stores that miss the cache would delay the tiles; with few steps,
                // prefetching costs more than that.
                if ks.len() >= PREFETCH_STEPS && !resume {
                    for i in row..row + rows {
                        for j in (first..last).step_by(NR) {
                            S::prefetch(c.ptr().wrapping_add(i * self.block.c_stride + j));
                        }
                    }
                }
                if finish {
                    let epilogue = &self.block.epilogue;
                    epilogue.prefetch::<S>(row..row + rows, first..last);
                }
                let mut j = first;
                while j < last {
                    let cols = last - j;
                    let width = if cols > LANES { NR } else { LANES };
                    let operands = Operands {
                        k: ks.len(),
                        a: left,
                        a_stride: stride,
                        b: right.at(j - self.cols.start),
                        b_stride: right.stride.unwrap_or(width),
                        b_panel: right.panel,
                        c: c.ptr().wrapping_add(row * self.block.c_stride + j),
                        c_stride: self.block.c_stride,
                        resume,
                    };
                    // SAFETY: `gemm` has checked the shapes; no other task has these
                    // rows and columns.
                    j += unsafe { microkernel::run::<S, ADJACENT>(rows, cols, operands) };
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

/// A block of steps of the right operand.
struct RightBlock<'a> {
    data: &'a [f32],
    /// Distance between steps; `None` in packed order, where it is the panel's width.
    stride: Option<usize>,
    /// Distance between panels.
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

    /// The start of the panel of column `j`.
    #[inline(always)]
    fn at(&self, j: usize) -> *const f32 {
        self.data.as_ptr().wrapping_add(j / NR * self.panel)
    }
}
