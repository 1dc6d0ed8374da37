//! The machine's peak of fused multiply-adds, against which kernels, training
//! steps and coding are measured.

use crate::simd::{Kernel, Simd, dispatch};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Independent chains: enough to hide the latency of a multiply-add on two
/// pipes, few enough for sixteen registers.
const CHAINS: usize = 12;

/// Multiply-adds of a chain in one measurement.
const LENGTH: usize = 20_000;

struct Chains;

impl Kernel for Chains {
    type Out = f32;
    #[inline(always)]
    fn run<S: Simd>(self) -> f32 {
        let (x, y) = (S::splat(black_box(0.999)), S::splat(black_box(1e-3)));
        // Different starts, lest the compiler merges the chains.
        let mut chains: [S::F; CHAINS] = std::array::from_fn(|i| S::splat(i as f32));
        for _ in 0..LENGTH {
            for chain in &mut chains {
                *chain = S::mul_add(*chain, x, y);
            }
        }
        let sum = chains.into_iter().fold(S::splat(0.0), S::add);
        S::to_array(sum)[0]
    }
}

/// Floating-point operations a second of all threads of the current rayon pool
/// together, in `f32` multiply-adds of the current
/// [`Path`](crate::simd::Path): the best of a tenth of a second of tries.
pub fn flops_per_second() -> f64 {
    let threads = rayon::current_num_threads();
    let start = Instant::now();
    let mut best = f64::MAX;
    while best == f64::MAX || start.elapsed() < Duration::from_millis(100) {
        let now = Instant::now();
        rayon::broadcast(|_| black_box(dispatch(Chains)));
        best = best.min(now.elapsed().as_secs_f64());
    }
    // Eight lanes, each a multiplication and an addition.
    (threads * LENGTH * CHAINS * 16) as f64 / best
}
