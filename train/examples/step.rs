//! Measures training steps: bytes and floating-point operations per second,
//! processor time and page faults per step.
//!
//! `cargo run --release -p brevity-train --example step -- WIDTH LAYERS HEADS CONTEXT BATCH STEPS THREADS`

#[path = "../../benches/usage/mod.rs"]
mod usage;

use brevity_model::Spec;
use brevity_train::{Control, DeviceKind, Stop, TrainConfig, TrainSetup, run};
use std::sync::Mutex;
use std::time::Instant;
use usage::Usage;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<usize> = std::env::args()
        .skip(1)
        .map(|a| a.parse())
        .collect::<Result<_, _>>()?;
    let [width, layers, heads, context, batch, steps, threads] = numbers[..] else {
        return Err("seven numbers: width layers heads context batch steps threads".into());
    };
    let spec = Spec::brevity(width, layers, heads, context);
    let data: Vec<u8> = (0..1_000_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 27) as u8 + (i % 7) as u8 * 16)
        .collect();
    let setup = TrainSetup {
        spec: spec.clone(),
        config: TrainConfig {
            steps: Some(steps as u64),
            batch_bytes: (batch * context) as u64,
            log_steps: 1_000_000,
            checkpoint_seconds: 0.0,
            ..TrainConfig::default()
        },
        seed: 1,
        device: DeviceKind::Flex,
        beside: None,
    };
    let folder = tempfile::tempdir()?;
    let stop = Stop::new();
    // The first steps allocate memory and warm up caches.
    let times = Mutex::new(Vec::new());
    let control = Control {
        stop: &stop,
        progress: &|p| {
            times.lock().unwrap().push((
                Instant::now(),
                p.bits_per_byte.unwrap_or_default(),
                Usage::now(),
            ))
        },
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    pool.install(|| run(&setup, &data, folder.path(), &control))?;
    let times = times.into_inner()?;
    let (first, last) = (times[times.len() / 4], times[times.len() - 1]);
    let steps = times.len() - 1 - times.len() / 4;
    let seconds = (last.0 - first.0).as_secs_f64() / steps as f64;
    let used = last.2.since(first.2, steps);
    let bytes = (batch * context) as f64 / seconds;
    println!(
        "{} parameters: {:.2} ms a step, {:.1} KB/s, {:.1} GFLOP/s, {:.2} ms of processor \
         time and {:.0} page faults a step, loss {:.4}",
        spec.parameters(),
        1e3 * seconds,
        bytes / 1e3,
        bytes * spec.flops_per_byte() / 1e9,
        1e3 * used.cpu_seconds,
        used.page_faults,
        last.1,
    );
    Ok(())
}
