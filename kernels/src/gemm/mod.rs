//! GEMM: matrix products `C = A B` or `C + A B`, either operand transposed, with a
//! fused elementwise [`Epilogue`].
//!
//! Every output is one chain of fused multiply-adds over the reduction index in
//! increasing order, which starts from zero or from the value in `C`. Vector lanes
//! hold columns of `C`; blocks of the reduction continue the same chain; threads
//! share rows or columns. So neither the instruction set, nor the number of
//! threads, nor the number of rows, nor [`Packed`] changes one bit. [`naive`] is the
//! definition, in three loops.
//!
//! Inside, a macro-kernel packs blocks of the operands into panels, and a
//! micro-kernel multiplies panels in registers. A step is one value of the reduction
//! index `k`.
//!
//! ```
//! use brevity_kernels::gemm::{Epilogue, View, ViewMut, gemm};
//!
//! let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
//! let mut c = [0.0; 4];
//! gemm(
//!     View::new(&a, 2, 2),
//!     View::new(&b, 2, 2).t(),
//!     ViewMut::new(&mut c, 2, 2),
//!     false,
//!     Epilogue::default(),
//! );
//! assert_eq!(c, [17.0, 23.0, 39.0, 53.0]);
//! ```

mod epilogue;
mod macrokernel;
mod microkernel;
mod pack;
mod stored;
mod view;

pub use epilogue::Epilogue;
pub use pack::Packed;
pub use stored::stored;
pub use view::{View, ViewMut};

pub(crate) use macrokernel::{Block, C_BLOCK};

use crate::scratch;
use crate::threads::{self, Shared};
use microkernel::{MR, NR};

/// The most rows of a task: their part of `A`, 96 by 256 values, fits a second-level
/// cache together with a panel of `B`.
const M_BLOCK: usize = 16 * MR;

/// The most values of `B` that are packed once for all tasks (2 MiB). For a larger `B`,
/// each task packs the blocks that it needs.
const SHARED_B: usize = 1 << 19;

/// The right operand of a product.
#[derive(Clone, Copy, Debug)]
pub enum Right<'a> {
    /// A matrix in a slice.
    View(View<'a>),
    /// A packed matrix.
    Packed(&'a Packed),
}

impl<'a> From<View<'a>> for Right<'a> {
    fn from(view: View<'a>) -> Self {
        Right::View(view)
    }
}

impl<'a> From<&'a Packed> for Right<'a> {
    fn from(packed: &'a Packed) -> Self {
        Right::Packed(packed)
    }
}

impl Right<'_> {
    /// Number of rows, `k`: the length of the reduction.
    pub fn rows(&self) -> usize {
        match self {
            Right::View(v) => v.rows,
            Right::Packed(p) => p.rows(),
        }
    }

    /// Number of columns, `n`.
    pub fn cols(&self) -> usize {
        match self {
            Right::View(v) => v.cols,
            Right::Packed(p) => p.cols(),
        }
    }
}

impl<'a> View<'a> {
    /// Calls `f` with this matrix as the right operand of products of many rows, in the
    /// layout that is read fastest: in place or [packed](Packed). It is for callers that
    /// split the rows of a product among threads themselves.
    pub fn prepared<T>(self, f: impl FnOnce(Right) -> T) -> T {
        if macrokernel::reads_in_place(&self, usize::MAX) {
            f(Right::View(self))
        } else {
            Packed::with(self, |packed| f(Right::Packed(packed)))
        }
    }
}

/// `C = A B`, or `C = C + A B` if `accumulate`, then the epilogue.
///
/// `A` is [m, k], `B` [k, n], `C` [m, n].
///
/// # Panics
/// If the shapes do not match.
#[track_caller]
pub fn gemm<'b>(
    a: View,
    b: impl Into<Right<'b>>,
    c: ViewMut,
    accumulate: bool,
    mut epilogue: Epilogue,
) {
    let b = b.into();
    let (m, k, n) = (a.rows, a.cols, b.cols());
    assert_eq!(
        b.rows(),
        k,
        "the shapes [{m}, {k}] and [{}, {n}] of a product",
        b.rows()
    );
    assert_eq!((c.rows, c.cols), (m, n), "the shape of the product");
    epilogue.check(&c);
    if m == 0 || n == 0 {
        return;
    }
    let block = Block {
        a,
        b: macrokernel::Source::of(&b),
        c: Shared::new(c.data),
        c_stride: c.stride,
        accumulate,
        epilogue: epilogue.plan(n),
    };
    match b {
        Right::View(v) if k * n <= SHARED_B && !macrokernel::reads_in_place(&v, m) => {
            scratch::with(k * pack::padded(n), |packed| {
                pack::whole(v, packed);
                share(&Block {
                    b: macrokernel::Source::Packed(packed),
                    ..block
                });
            });
        }
        _ => share(&block),
    }
}

/// Splits a product into tasks and runs them.
fn share(block: &Block) {
    let (m, k, n) = (block.a.rows, block.a.cols, block.epilogue.cols());
    let threads = threads::worth(m * k * n);
    let wanted = if threads == 1 { 1 } else { 3 * threads };
    let rows = m.div_ceil(wanted).next_multiple_of(MR).min(M_BLOCK);
    let row_tasks = m.div_ceil(rows);
    // With few rows, split the columns too.
    let cols = if threads > 1 && row_tasks < wanted {
        n.div_ceil(wanted.div_ceil(row_tasks))
            .next_multiple_of(4 * NR)
    } else {
        n
    };
    let cols = match block.b {
        macrokernel::Source::Packed(_) => cols,
        macrokernel::Source::View(_) => cols.min(C_BLOCK),
    };
    let col_tasks = n.div_ceil(cols);
    threads::each(row_tasks * col_tasks, m * k * n, |task| {
        let (i, j) = (task / col_tasks * rows, task % col_tasks * cols);
        block.run(i..(i + rows).min(m), j..(j + cols).min(n), 0..k);
    });
}

/// The reference for [`gemm`]: the same chains in three loops, without an epilogue.
///
/// # Panics
/// If the shapes do not match.
pub fn naive(a: View, b: View, c: ViewMut, accumulate: bool) {
    assert_eq!((a.rows, b.cols, a.cols), (c.rows, c.cols, b.rows));
    for i in 0..a.rows {
        for j in 0..b.cols {
            let at = i * c.stride + j;
            let mut chain = if accumulate { c.data[at] } else { 0.0 };
            for k in 0..a.cols {
                chain = a.at(i, k).mul_add(b.at(k, j), chain);
            }
            c.data[at] = chain;
        }
    }
}
