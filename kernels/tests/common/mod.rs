//! What the tests share: values, every way to run, comparison by bits.
#![allow(dead_code, reason = "each test file uses its part")]

use brevity_kernels::simd::Path;
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

/// The path is a property of the process: one test at a time may choose it.
static PATH: Mutex<()> = Mutex::new(());

/// Runs `f` on every path that this CPU has, on 1, 2 and 8 threads.
pub fn everywhere(f: impl Fn() + Sync) {
    let _guard = PATH.lock().unwrap_or_else(PoisonError::into_inner);
    let before = Path::current();
    for path in Path::here() {
        Path::set(path);
        for pool in pools() {
            pool.install(&f);
        }
    }
    Path::set(before);
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

/// Equal to the last bit; all NaN are one.
#[track_caller]
pub fn assert_bits(got: &[f32], want: &[f32], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let same = g.to_bits() == w.to_bits() || (g.is_nan() && w.is_nan());
        assert!(same, "{what}: value {i} is {g:e}, not {w:e}");
    }
}

/// Runs `f` everywhere and asserts that the values are always the same.
#[track_caller]
pub fn same_everywhere(f: impl Fn() -> Vec<f32> + Sync) -> Vec<f32> {
    let first = OnceLock::new();
    everywhere(|| {
        let now = f();
        assert_bits(&now, first.get_or_init(|| now.clone()), "paths and threads");
    });
    first.into_inner().expect("there is a path")
}
