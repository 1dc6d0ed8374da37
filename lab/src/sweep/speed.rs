//! How fast a machine trains.

use super::error::SweepError;
use super::folder::SweepFolder;
use super::manifest::Manifest;
use brevity_kernels::gemm::{Epilogue, View, ViewMut, gemm};
use std::time::{Duration, Instant};

/// Assumed speed of a whole training step as a share of that of a matrix product.
const STEP_SHARE: f64 = 0.5;

/// Training speed of a machine in floating-point operations per second, and whether it
/// was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Operations per second of all threads together.
    pub flops_per_second: f64,
    /// Whether it was measured on trials of this sweep; otherwise it is half the speed
    /// of a matrix product.
    pub measured: bool,
}

impl Speed {
    /// The speed of the finished trials of a folder; if there are none, half that of a
    /// matrix product, which takes a tenth of a second to measure.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn of(
        folder: &SweepFolder,
        manifest: &Manifest,
        threads: usize,
    ) -> Result<Speed, SweepError> {
        let (mut flops, mut thread_seconds) = (0.0, 0.0);
        for trial in &manifest.trials {
            let Some(score) = folder.score(trial)? else {
                continue;
            };
            if let (Some(seconds), used @ 1..) =
                (score.training.wall_seconds, score.provenance.threads)
            {
                flops += trial.flops;
                thread_seconds += seconds * used as f64;
            }
        }
        if thread_seconds > 0.0 {
            return Ok(Speed {
                flops_per_second: flops / thread_seconds * threads as f64,
                measured: true,
            });
        }
        Ok(Speed {
            flops_per_second: STEP_SHARE * product_speed(),
            measured: false,
        })
    }

    /// The assumed speed of one thread.
    pub(super) fn assumed_per_core() -> f64 {
        STEP_SHARE * product_speed() / rayon::current_num_threads() as f64
    }
}

/// Floating-point operations per second of a matrix product in this pool.
pub fn product_speed() -> f64 {
    const N: usize = 384;
    let (a, b) = (vec![0.5f32; N * N], vec![0.25f32; N * N]);
    let mut c = vec![0.0f32; N * N];
    let mut product = || {
        gemm(
            View::new(&a, N, N),
            View::new(&b, N, N),
            ViewMut::new(&mut c, N, N),
            false,
            Epilogue::default(),
        );
    };
    // A warm-up: threads wake and buffers grow.
    product();
    let start = Instant::now();
    let mut products = 0;
    while start.elapsed() < Duration::from_millis(100) {
        product();
        products += 1;
    }
    products as f64 * 2.0 * (N * N * N) as f64 / start.elapsed().as_secs_f64()
}
