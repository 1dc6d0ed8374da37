//! Throughput of the forward pass, in bytes per second: whole blocks (encoding, scoring)
//! and step by step over lanes (decoding), and its share of the machine's peak FLOP/s.
//!
//! ```text
//! cargo run --release -p brevity-model --example throughput [-- THREADS]
//! ```
//!
//! FLOPs are counted by `Spec::forward_flops_per_byte`: matrix products and attention
//! over a full window, nothing else.

use brevity_kernels::peak;
use brevity_model::{Role, Spec, Transformer, Weights};
use std::time::{Duration, Instant};

/// Duration of each measurement.
const TIME: Duration = Duration::from_millis(1500);

fn main() {
    let threads = std::env::args().nth(1).map_or(2, |arg| {
        arg.parse().expect("the argument is a number of threads")
    });
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("threads start").install(|| {
        let peak = peak::flops_per_second();
        println!(
            "{threads} threads, peak {:.0} GFLOP/s in fused multiply-adds",
            peak / 1e9
        );
        println!("model                      lanes  way      KB/s  GFLOP/s  of peak");
        let windowed = |mut spec: Spec| {
            spec.window = Some(256);
            spec
        };
        let mut lmic = Spec::lmic(64, 4, 4, 256);
        lmic.position = brevity_model::Position::Rope;
        for (name, spec) in [
            (
                "brevity d=64 L=4 w=256",
                windowed(Spec::brevity(64, 4, 2, 512)),
            ),
            ("brevity d=64 L=4 T=256", Spec::brevity(64, 4, 2, 256)),
            ("lmic d=64 L=4 H=4 w=256", windowed(lmic)),
            (
                "brevity d=128 L=4 w=256",
                windowed(Spec::brevity(128, 4, 4, 512)),
            ),
        ] {
            measure(name, &spec, peak);
        }
    });
}

fn measure(name: &str, spec: &Spec, peak: f64) {
    let model = Transformer::new(&weights(spec));
    let keys = match spec.window {
        Some(window) => window as f64,
        None => spec.mean_keys(),
    };
    let flops = spec.forward_flops_per_byte(keys);
    let print = |way: &str, lanes: usize, bytes_per_second: f64| {
        let rate = bytes_per_second * flops;
        println!(
            "{name:<26} {lanes:>5}  {way:<6} {:>6.1}  {:>7.1}  {:>6.1}%",
            bytes_per_second / 1e3,
            rate / 1e9,
            100.0 * rate / peak
        );
    };

    let bytes: Vec<u8> = (0..1u32 << 16)
        .map(|i| (i.wrapping_mul(2654435761) >> 24) as u8)
        .collect();
    let parts: Vec<&[u8]> = bytes.chunks(1 << 12).collect();
    let mut sums = vec![0.0f32; parts.len()];
    let rate = bytes_per_second(bytes.len(), || {
        let sum = |sum: &mut f32, _, byte, logits: &[f32; 256]| *sum += logits[usize::from(byte)];
        model.score(&parts, &mut sums, sum).expect("finite logits");
    });
    print("score", parts.len(), rate);

    for lanes in [8, 16, 32] {
        let mut state = model.state(lanes);
        let mut previous = vec![0; lanes];
        let steps = spec.reach();
        let mut run = || {
            let next = |_: &mut (), _, logits: &[f32; 256]| logits[0].to_bits() as u8;
            let sinks = &mut vec![(); lanes];
            model
                .decode(&mut state, &mut previous, steps, sinks, next)
                .expect("finite logits");
        };
        print("decode", lanes, bytes_per_second(lanes * steps, &mut run));
    }
}

/// Bytes per second of a task over `bytes` bytes, repeated for [`TIME`].
fn bytes_per_second(bytes: usize, mut task: impl FnMut()) -> f64 {
    task();
    let start = Instant::now();
    let mut done = 0;
    while start.elapsed() < TIME {
        task();
        done += bytes;
    }
    done as f64 / start.elapsed().as_secs_f64()
}

/// Weights that keep activations near one.
fn weights(spec: &Spec) -> Weights {
    let mut state = 1u32;
    let made = Weights::from_fn(spec.clone(), |info| {
        let spread = match info.role {
            Role::Embedding | Role::Position => 0.5,
            Role::Scale | Role::Gain => return vec![1.0; info.len()],
            _ => (1.0 / info.rows_columns().0 as f32).sqrt(),
        };
        let mut next = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..info.len()).map(|_| spread * next()).collect()
    });
    made.expect("valid weights")
}
