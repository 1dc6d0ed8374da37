//! The machine's peak of fused multiply-adds, against which kernels, training
//! steps and coding are measured.

use crate::simd::{Kernel, LANES, Simd, Vector, dispatch};
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
    /// Floating-point operations.
    type Out = usize;
    #[inline(always)]
    fn run<S: Simd>(self) -> usize {
        if S::WIDE {
            chains::<S::W>()
        } else {
            chains::<S::F>()
        }
    }
}

/// Runs all chains in vectors of one register and counts multiplications and
/// additions.
#[inline(always)]
fn chains<V: Vector>() -> usize {
    let (x, y) = (V::splat(black_box(0.999)), V::splat(black_box(1e-3)));
    let mut chains = [V::splat(0.0); CHAINS];
    // Different starts, lest the compiler merges the chains.
    for (i, chain) in chains.iter_mut().enumerate() {
        *chain = V::splat(i as f32);
    }
    for _ in 0..LENGTH {
        for chain in &mut chains {
            *chain = chain.mul_add(x, y);
        }
    }
    let mut sum = [0.0; 2 * LANES];
    for chain in chains {
        // SAFETY: no vector has more lanes.
        unsafe { chain.store_ptr(sum.as_mut_ptr()) };
        black_box(&sum);
    }
    LENGTH * CHAINS * 2 * V::WIDTH
}

/// Floating-point operations a second of all threads of the current rayon pool
/// together, in `f32` multiply-adds of the current
/// [`InstructionSet`](crate::simd::InstructionSet): all threads at once for a tenth of a second,
/// of each the best try.
pub fn flops_per_second() -> f64 {
    let rates = rayon::broadcast(|_| {
        let start = Instant::now();
        let mut best = 0.0_f64;
        while best == 0.0 || start.elapsed() < Duration::from_millis(100) {
            let now = Instant::now();
            let operations = dispatch(Chains);
            best = best.max(operations as f64 / now.elapsed().as_secs_f64());
        }
        best
    });
    rates.into_iter().sum()
}
