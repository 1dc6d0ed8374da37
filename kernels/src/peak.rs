//! The machine's peak FLOP/s in fused multiply-adds: the reference for the speed of
//! kernels, training steps and coding.

use crate::simd::{Kernel, LANES, Simd, Vector, dispatch};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Independent chains: enough to hide the latency of a multiply-add on two execution
/// ports, few enough for sixteen registers.
const CHAINS: usize = 12;

/// Multiply-adds of a chain in one measurement: about ten microseconds, short enough
/// to fit between two interrupts.
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

/// Runs all chains in vectors of one register and returns the number of
/// multiplications and additions.
#[inline(always)]
fn chains<V: Vector>() -> usize {
    let (x, y) = (V::splat(black_box(0.999)), V::splat(black_box(1e-3)));
    let mut chains = [V::splat(0.0); CHAINS];
    // Different starts, so that the compiler does not merge the chains.
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
        // SAFETY: no vector has more than sixteen lanes.
        unsafe { chain.store_ptr(sum.as_mut_ptr()) };
        black_box(&sum);
    }
    LENGTH * CHAINS * 2 * V::WIDTH
}

/// Peak FLOP/s of the current rayon pool: `f32` multiplications and additions a
/// second, in fused multiply-adds of the current
/// [`InstructionSet`](crate::simd::InstructionSet). All threads run at once for a
/// tenth of a second; the best measurement of each thread counts.
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
