//! The machine's peak of fused multiply-adds, against which kernels, training
//! steps and coding are measured.

use crate::simd::{Kernel, Simd, dispatch};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Independent chains: enough to hide the latency of a multiply-add on two
/// pipes, few enough for sixteen registers.
const CHAINS: usize = 12;

/// Multiply-adds of a chain in one measurement, some ten microseconds: short
/// enough to fall between two interruptions.
const LENGTH: usize = 5_000;

struct Chains;

impl Kernel for Chains {
    type Out = f32;
    #[inline(always)]
    fn run<S: Simd>(self) -> f32 {
        let (x, y) = (S::splat(black_box(0.999)), S::splat(black_box(1e-3)));
        let mut chains = [S::splat(0.0); CHAINS];
        // Different starts, lest the compiler merges the chains.
        for (i, chain) in chains.iter_mut().enumerate() {
            *chain = S::splat(i as f32);
        }
        for _ in 0..LENGTH {
            for chain in &mut chains {
                *chain = S::mul_add(*chain, x, y);
            }
        }
        let mut sum = S::splat(0.0);
        for chain in chains {
            sum = S::add(sum, chain);
        }
        S::to_array(sum)[0]
    }
}

/// Floating-point operations a second of all threads of the current rayon pool
/// together, in `f32` multiply-adds of the current
/// [`Path`](crate::simd::Path): all threads at once for a tenth of a second,
/// of each the best try.
pub fn flops_per_second() -> f64 {
    let rates = rayon::broadcast(|_| {
        let start = Instant::now();
        let mut best = f64::MAX;
        while best == f64::MAX || start.elapsed() < Duration::from_millis(100) {
            let now = Instant::now();
            black_box(dispatch(Chains));
            best = best.min(now.elapsed().as_secs_f64());
        }
        // Eight lanes, each a multiplication and an addition.
        (LENGTH * CHAINS * 16) as f64 / best
    });
    rates.into_iter().sum()
}
