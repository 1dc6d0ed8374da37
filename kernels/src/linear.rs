//! Linear layers: `y = x W`, weights stored [in, out], forward and backward.
//!
//! Shapes: x is [rows, inputs], W [inputs, outputs], y and dy [rows, outputs].
//! Row `r` of `y` and of `dx` depends only on row `r` of the input, so the batch
//! size does not change a bit. [`backward_row`] alone adds in another order.
//!
//! For a tied output layer, whose weights are an embedding E, [outputs, inputs], pass
//! [`View::t`] of E as W.

use crate::gemm::{Block, C_BLOCK, Epilogue, Right, View, ViewMut, gemm};
use crate::reduce;
use crate::scratch;
use crate::simd::{Kernel, LANES, Simd, Vector, dispatch};
use crate::threads::{self, Shared};

/// `y = epilogue(x W)`: x is [rows, inputs], y [rows, outputs].
///
/// # Panics
/// If the lengths do not match the shape of `weight`.
#[track_caller]
pub fn forward<'w>(x: &[f32], weight: impl Into<Right<'w>>, y: &mut [f32], epilogue: Epilogue) {
    let weight = weight.into();
    let (inputs, outputs) = (weight.rows(), weight.cols());
    let rows = y.len() / outputs.max(1);
    gemm(
        View::new(x, rows, inputs),
        weight,
        ViewMut::new(y, rows, outputs),
        false,
        epilogue,
    );
}

/// Rows of weights that [`forward_row`] reads side by side.
const ROWS: usize = 8;

/// `y = y + x W` for one row: x is `[inputs]`, W [inputs, outputs], y `[outputs]`. Each
/// output is a chain of fused multiply-adds over the inputs in order, as in a [`gemm`] that
/// accumulates, with the same bits. It runs on the calling thread.
///
/// A product of one row uses each weight once, so that memory decides how long it takes: this
/// reads the weights in the order in which they lie.
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn forward_row(x: &[f32], weight: &[f32], y: &mut [f32]) {
    assert_eq!(
        weight.len(),
        x.len() * y.len(),
        "weights [{}, {}]",
        x.len(),
        y.len()
    );
    dispatch(Row { x, weight, y });
}

struct Row<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Row<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        if self.y.is_empty() {
            return;
        }
        let (blocks, others) = self.x.as_chunks::<ROWS>();
        let (wide, rest) = self.weight.split_at(blocks.len() * ROWS * self.y.len());
        let rows = wide.chunks_exact(ROWS * self.y.len());
        for (x, rows) in blocks.iter().zip(rows) {
            add_rows::<S, ROWS>(x, rows, self.y);
        }
        for (x, row) in others.iter().zip(rest.chunks_exact(self.y.len())) {
            add_rows::<S, 1>(&[*x], row, self.y);
        }
    }
}

/// Rows of weights that [`backward_row`] reads side by side.
const DOTS: usize = 4;

/// Chains of a product in [`backward_row`].
const CHAINS: usize = 2 * LANES;

/// `dx = dx + dy W^T` for one row: dy is `[outputs]`, W [inputs, outputs], dx `[inputs]`; the
/// number of outputs is a multiple of 16. It runs on the calling thread.
///
/// Each product is the sum of sixteen chains of fused multiply-adds (output `j` goes to chain
/// `j mod 16`), of which chains 8 to 15 are added to 0 to 7, and these by the tree of
/// [`crate::reduce`]. So weights are read as they lie, where [`backward_input`] would
/// transpose them.
///
/// # Panics
/// If the lengths do not match, or the number of outputs is no multiple of 16.
#[track_caller]
pub fn backward_row(dy: &[f32], weight: &[f32], dx: &mut [f32]) {
    let (inputs, outputs) = (dx.len(), dy.len());
    assert_eq!(
        weight.len(),
        inputs * outputs,
        "weights [{inputs}, {outputs}]"
    );
    assert!(outputs.is_multiple_of(CHAINS), "{outputs} outputs");
    dispatch(RowBack { dy, weight, dx });
}

struct RowBack<'a> {
    dy: &'a [f32],
    weight: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for RowBack<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let outputs = self.dy.len();
        if outputs == 0 {
            return;
        }
        let (blocks, others) = self.dx.as_chunks_mut::<DOTS>();
        let (rows, rest) = self.weight.split_at(blocks.len() * DOTS * outputs);
        for (dx, rows) in blocks.iter_mut().zip(rows.chunks(DOTS * outputs)) {
            add_dots::<S, DOTS>(self.dy, rows, dx);
        }
        for (dx, row) in others.iter_mut().zip(rest.chunks(outputs)) {
            add_dots::<S, 1>(self.dy, row, std::array::from_mut(dx));
        }
    }
}

/// Adds the products of `N` rows of weights with `dy` to `dx`.
#[inline(always)]
fn add_dots<S: Simd, const N: usize>(dy: &[f32], rows: &[f32], dx: &mut [f32; N]) {
    const { assert!(S::W::WIDTH == CHAINS) };
    let outputs = dy.len();
    assert_eq!(rows.len(), N * outputs);
    let mut sums = [S::W::splat(0.0); N];
    for j in (0..outputs).step_by(CHAINS) {
        // SAFETY: `dy` and each of the `N` rows have the same multiple of `CHAINS` values.
        unsafe {
            let dy = S::W::load_ptr(dy.as_ptr().add(j));
            for (row, sum) in sums.iter_mut().enumerate() {
                let weights = S::W::load_ptr(rows.as_ptr().add(row * outputs + j));
                *sum = dy.mul_add(weights, *sum);
            }
        }
    }
    for (sum, dx) in sums.into_iter().zip(dx) {
        let mut chains = [0.0; CHAINS];
        // SAFETY: `CHAINS` is the width of `W`.
        unsafe { sum.store_ptr(chains.as_mut_ptr()) };
        let (low, high) = chains.split_at(LANES);
        *dx += reduce::lanes::<S>(S::add(S::load(low), S::load(high)));
    }
}

/// `y = y + x W` for `N` rows of weights.
#[inline(always)]
fn add_rows<S: Simd, const N: usize>(x: &[f32; N], rows: &[f32], y: &mut [f32]) {
    let cols = y.len();
    assert_eq!(rows.len(), N * cols);
    let wide = x.map(S::W::splat);
    let mut j = 0;
    while j + S::W::WIDTH <= cols {
        // SAFETY: `j + WIDTH` columns are in `y` and in each of the `N` rows.
        unsafe {
            let mut sum = S::W::load_ptr(y.as_ptr().add(j));
            for (row, x) in wide.iter().enumerate() {
                let weights = S::W::load_ptr(rows.as_ptr().add(row * cols + j));
                sum = x.mul_add(weights, sum);
            }
            sum.store_ptr(y.as_mut_ptr().add(j));
        }
        j += S::W::WIDTH;
    }
    let single = x.map(S::splat);
    while j < cols {
        let end = cols.min(j + LANES);
        let mut sum = S::load_part(&y[j..end]);
        for (row, x) in single.iter().enumerate() {
            let weights = S::load_part(&rows[row * cols + j..row * cols + end]);
            sum = S::mul_add(*x, weights, sum);
        }
        S::store_part(sum, &mut y[j..end]);
        j = end;
    }
}

/// `dx = epilogue(dy W^T)`, or `dx = epilogue(dx + dy W^T)` if `accumulate`: dy is
/// [rows, outputs], dx [rows, inputs].
///
/// With the derivative of the activation that computed `x` in the epilogue, `dx` is
/// the gradient of the pre-activation.
///
/// # Panics
/// If the lengths do not match the shape of `weight`.
#[track_caller]
pub fn backward_input(
    dy: &[f32],
    weight: View,
    dx: &mut [f32],
    accumulate: bool,
    epilogue: Epilogue,
) {
    let (inputs, outputs) = (weight.rows(), weight.cols());
    let rows = dx.len() / inputs.max(1);
    gemm(
        View::new(dy, rows, outputs),
        weight.t(),
        ViewMut::new(dx, rows, inputs),
        accumulate,
        epilogue,
    );
}

/// The fewest rows in a part of a weight gradient.
const PART_ROWS: usize = 1024;

/// Desired number of blocks of a weight gradient, to keep many threads busy.
const WANTED_BLOCKS: usize = 16;

/// The most rows of the weight gradient in a task.
const I_BLOCK: usize = 96;

/// The number of parts into which [`backward_weight`] splits the rows, which depends
/// on the shape alone. Large matrices have enough blocks for all threads without it.
pub fn weight_parts(rows: usize, inputs: usize, outputs: usize) -> usize {
    let blocks = inputs.div_ceil(I_BLOCK) * outputs.div_ceil(C_BLOCK);
    (rows / PART_ROWS)
        .min(WANTED_BLOCKS.div_ceil(blocks.max(1)))
        .max(1)
}

/// `dW = x^T dy`, or `dW = dW + x^T dy` if `accumulate`: x is [rows, inputs], dy
/// [rows, outputs], dw [inputs, outputs].
///
/// The rows are split into [`weight_parts`] equal parts (the last may be shorter).
/// Each part is a chain of fused multiply-adds over its rows; the parts are added in
/// order, after `dw` if `accumulate`. If there is only one part, its chain starts
/// from `dw`.
///
/// For a tied layer, whose weights are [outputs, inputs], exchange `x` and `dy`.
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn backward_weight(
    x: &[f32],
    dy: &[f32],
    inputs: usize,
    outputs: usize,
    dw: &mut [f32],
    accumulate: bool,
) {
    assert_eq!(
        dw.len(),
        inputs * outputs,
        "the gradient of [{inputs}, {outputs}] weights"
    );
    if dw.is_empty() {
        return;
    }
    let rows = x.len() / inputs;
    let a = View::new(x, rows, inputs).t();
    let b = View::new(dy, rows, outputs);
    let parts = weight_parts(rows, inputs, outputs);
    if parts == 1 {
        chains(a, b, 1, Shared::new(dw), accumulate);
        return;
    }
    scratch::with(parts * dw.len(), |partial| {
        chains(a, b, parts, Shared::new(partial), false);
        reduce::add_parts(partial, dw, accumulate);
    });
}

/// Computes all parts; part `p` goes to `out[p * inputs * outputs..]`.
fn chains(a: View, b: View, parts: usize, out: Shared, accumulate: bool) {
    let (inputs, rows, outputs) = (a.rows(), a.cols(), b.cols());
    let part_rows = rows.div_ceil(parts);
    let work = rows * inputs * outputs;
    let col_blocks = outputs.div_ceil(C_BLOCK);
    // Smaller blocks if there would be too few for the threads.
    let wanted = match threads::worth(work) {
        1 => 1,
        threads => (2 * threads).div_ceil(parts * col_blocks),
    };
    let row_block = inputs.div_ceil(wanted).next_multiple_of(12).min(I_BLOCK);
    let blocks = inputs.div_ceil(row_block) * col_blocks;
    threads::each(parts * blocks, work, |task| {
        let part = task / blocks;
        let i = task % blocks / col_blocks * row_block;
        let j = task % col_blocks * C_BLOCK;
        let c = out.offset(part * inputs * outputs);
        Block::plain(a, b, c, accumulate).run(
            i..(i + row_block).min(inputs),
            j..(j + C_BLOCK).min(outputs),
            part * part_rows..((part + 1) * part_rows).min(rows),
        );
    });
}

/// The gradient of the bias: the sum of the rows of `dy`, [rows, outputs], into `db`,
/// `[outputs]`, added to `db` if `accumulate`. The order is that of
/// [`reduce::sum_rows`].
///
/// # Panics
/// If `dy` does not consist of whole rows of `db.len()` values.
#[track_caller]
pub fn backward_bias(dy: &[f32], db: &mut [f32], accumulate: bool) {
    reduce::sum_rows(dy, db, accumulate);
}

/// The reference for [`backward_weight`] in scalar loops.
pub fn naive_backward_weight(
    x: &[f32],
    dy: &[f32],
    inputs: usize,
    outputs: usize,
    dw: &mut [f32],
    accumulate: bool,
) {
    let rows = x.len() / inputs;
    let parts = weight_parts(rows, inputs, outputs);
    let part_rows = rows.div_ceil(parts);
    for i in 0..inputs {
        for j in 0..outputs {
            let mut total = accumulate.then_some(dw[i * outputs + j]);
            for part in 0..parts {
                let mut chain = match total {
                    Some(t) if parts == 1 => t,
                    _ => 0.0,
                };
                for r in part * part_rows..((part + 1) * part_rows).min(rows) {
                    chain = x[r * inputs + i].mul_add(dy[r * outputs + j], chain);
                }
                total = Some(match total {
                    Some(t) if parts > 1 => t + chain,
                    _ => chain,
                });
            }
            dw[i * outputs + j] = total.unwrap_or(0.0);
        }
    }
}
