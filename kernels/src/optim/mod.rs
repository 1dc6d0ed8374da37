//! Optimizer steps on flat tensors: [`AdamW`], [`Muon`], [`NorMuon`], [`RmsProp`], the
//! moving average of weights, the global norm of a gradient.
//!
//! Each function is one step on one tensor. The trainer chooses the optimizer and the
//! learning rate of each tensor and keeps the state. Steps on different tensors are
//! independent and may run in parallel.

mod adamw;
mod muon;
mod normuon;
mod rmsprop;

pub use adamw::AdamW;
pub use muon::{Muon, orthogonalize};
pub use normuon::NorMuon;
pub use rmsprop::RmsProp;

use crate::reduce;
use crate::scratch;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// Values that a task of an elementwise pass takes.
const CHUNK: usize = 1 << 14;

/// Values in a block of [`sum_squares`].
const BLOCK: usize = 4096;

/// The sum of squares. A block of 4096 values is summed in `f32`, by 32 chains of fused
/// multiply-adds (value `j` goes to chain `j mod 32`) that are added by a fixed tree;
/// the blocks are summed in order, in `f64`.
pub fn sum_squares(x: &[f32]) -> f64 {
    let blocks = x.len().div_ceil(BLOCK);
    scratch::with(blocks, |sums| {
        let out = Shared::new(sums);
        // A task takes sixteen blocks.
        threads::each(blocks.div_ceil(16), x.len(), |task| {
            let range = task * 16..blocks.min(task * 16 + 16);
            // SAFETY: each task writes only its own blocks.
            let sums = unsafe { out.slice(range.start, range.len()) };
            let x = &x[range.start * BLOCK..x.len().min(range.end * BLOCK)];
            dispatch(Squares { x, sums });
        });
        reduce::sum(sums)
    })
}

struct Squares<'a> {
    x: &'a [f32],
    sums: &'a mut [f32],
}

impl Kernel for Squares<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for (x, out) in self.x.chunks(BLOCK).zip(self.sums) {
            let mut sums = [S::splat(0.0); 4];
            for x in x.chunks(4 * LANES) {
                for (x, sum) in x.chunks(LANES).zip(&mut sums) {
                    let x = S::load_part(x);
                    *sum = S::mul_add(x, x, *sum);
                }
            }
            let sum = S::add(S::add(sums[0], sums[1]), S::add(sums[2], sums[3]));
            *out = reduce::lanes::<S>(sum);
        }
    }
}

/// The global norm of a gradient: the Euclidean norm of all tensors together, summed
/// in the given order.
pub fn global_norm<'a>(tensors: impl IntoIterator<Item = &'a [f32]>) -> f64 {
    let squares = tensors.into_iter().map(sum_squares);
    squares.fold(0.0, |sum, x| sum + x).sqrt()
}

/// The factor that clips a gradient of norm `norm` to `max_norm`, at most 1: the
/// `grad_scale` of the optimizers.
pub fn clip_factor(norm: f64, max_norm: f64) -> f32 {
    if norm > max_norm {
        (max_norm / norm) as f32
    } else {
        1.0
    }
}

/// `average += (1 - decay) (x - average)`: the exponential moving average (EMA) of
/// weights.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn ema(decay: f32, x: &[f32], average: &mut [f32]) {
    assert_eq!(
        x.len(),
        average.len(),
        "weights and their average have one length"
    );
    let share = 1.0 - decay;
    let out = Shared::new(average);
    threads::each(x.len().div_ceil(CHUNK), 2 * x.len(), |task| {
        let x = &x[task * CHUNK..x.len().min((task + 1) * CHUNK)];
        // SAFETY: chunks are disjoint and inside `average`.
        let average = unsafe { out.slice(task * CHUNK, x.len()) };
        dispatch(Ema { share, x, average });
    });
}

struct Ema<'a> {
    share: f32,
    x: &'a [f32],
    average: &'a mut [f32],
}

impl Kernel for Ema<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let share = S::splat(self.share);
        for (x, average) in self.x.chunks(LANES).zip(self.average.chunks_mut(LANES)) {
            let a = S::load_part(average);
            let next = S::mul_add(share, S::sub(S::load_part(x), a), a);
            S::store_part(next, average);
        }
    }
}
