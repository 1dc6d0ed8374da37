//! Shared by the tests: input values, runs on every instruction set and with several
//! numbers of threads, comparison by bits.

use brevity_kernels::simd::InstructionSet;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Values of mixed magnitude: mostly near 1, some large, tiny, subnormal, zero.
pub fn values(len: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..len)
        .map(|_| {
            let bits = rng.next_u32();
            let x = (bits >> 8) as f32 / (1 << 23) as f32 - 1.0;
            match bits & 63 {
                0 => x * 1e6,
                1 => x * 1e-6,
                2 => x * 1e-40,
                3 => 0.0,
                _ => x,
            }
        })
        .collect()
}

/// Values in (-scale, scale).
pub fn uniform(len: usize, scale: f32, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..len)
        .map(|_| ((rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale)
        .collect()
}

/// Random bytes.
pub fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut out = vec![0; len];
    rng.fill_bytes(&mut out);
    out
}

/// The instruction set holds for the whole process: one test at a time may choose it.
static CHOICE: Mutex<()> = Mutex::new(());

/// Runs `f` on every instruction set that this CPU supports.
pub fn on_every_instruction_set(mut f: impl FnMut(InstructionSet)) {
    let _guard = CHOICE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = InstructionSet::current();
    for set in InstructionSet::supported() {
        set.select();
        f(set);
    }
    before.select();
}

/// Runs `f` on every instruction set that this CPU supports, with 1, 2 and 8 threads.
pub fn everywhere(f: impl Fn() + Sync) {
    on_every_instruction_set(|_| {
        for pool in pools() {
            pool.install(&f);
        }
    });
}

fn pools() -> &'static [rayon::ThreadPool] {
    static POOLS: OnceLock<Vec<rayon::ThreadPool>> = OnceLock::new();
    POOLS.get_or_init(|| {
        [1, 2, 8]
            .map(|n| {
                let builder = rayon::ThreadPoolBuilder::new().num_threads(n);
                builder.build().expect("threads can be started")
            })
            .into()
    })
}

/// Asserts that values are equal to the last bit; any NaN equals any other.
#[track_caller]
pub fn assert_bits(got: &[f32], want: &[f32], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let same = g.to_bits() == w.to_bits() || (g.is_nan() && w.is_nan());
        assert!(same, "{what}: value {i} is {g:e}, not {w:e}");
    }
}

/// Runs `f` everywhere and asserts that it always returns the same bits.
#[track_caller]
pub fn same_everywhere(f: impl Fn() -> Vec<f32> + Sync) -> Vec<f32> {
    let first = OnceLock::new();
    everywhere(|| {
        let now = f();
        assert_bits(
            &now,
            first.get_or_init(|| now.clone()),
            "instruction sets and threads",
        );
    });
    first.into_inner().expect("`f` ran")
}

/// Asserts that values differ by less than `tolerance`, absolutely or relatively.
#[track_caller]
pub fn close(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let mut worst = 0.0f64;
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        let error = (g as f64 - w).abs() / (1.0 + w.abs());
        assert!(error < tolerance, "{what}: value {i} is {g}, not {w}");
        worst = worst.max(error);
    }
    println!("{what}: largest difference {worst:e}");
}

/// The values in double precision.
pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| x as f64).collect()
}

/// The gradient of `sum(f(x) * dy)` by central differences.
pub fn differences(x: &[f32], dy: &[f32], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let mut x = wide(x);
    let h = 1e-5;
    (0..x.len())
        .map(|i| {
            let at = x[i];
            let mut value = |to| {
                x[i] = to;
                f(&x)
                    .iter()
                    .zip(dy)
                    .map(|(y, &d)| y * d as f64)
                    .sum::<f64>()
            };
            let slope = (value(at + h) - value(at - h)) / (2.0 * h);
            x[i] = at;
            slope
        })
        .collect()
}
