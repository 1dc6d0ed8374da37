//! Measures every kernel at the shapes of small byte models: the share of the FMA peak
//! for matrix products and attention, and the share of the memory bandwidth of a copy for
//! elementwise passes. The latter exceeds 100% if the data stay in a cache.

use brevity_kernels::activation::{self, Activation};
use brevity_kernels::attention::{Attention, KvCache, Saved};
use brevity_kernels::embedding::Embedding;
use brevity_kernels::gemm::{Epilogue, Packed, View};
use brevity_kernels::optim::{self, AdamW};
use brevity_kernels::{linear, loss, norm, peak, reduce};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Rows: a batch of 16 sequences of 256 bytes.
const ROWS: usize = 4096;

/// The shortest time of many runs of `f`, in seconds.
fn shortest(mut f: impl FnMut() + Send) -> f64 {
    let start = Instant::now();
    let mut best = f64::MAX;
    while best == f64::MAX || start.elapsed() < Duration::from_millis(100) {
        let now = Instant::now();
        f();
        best = best.min(now.elapsed().as_secs_f64());
    }
    best
}

/// The work of a kernel.
#[derive(Clone, Copy)]
enum Cost {
    /// Floating-point operations.
    Flops(usize),
    /// Bytes read and written.
    Bytes(usize),
}

struct Bench<'a> {
    criterion: &'a mut Criterion,
    /// Floating-point operations per second.
    peak: f64,
    /// Bytes per second.
    bandwidth: f64,
}

impl Bench<'_> {
    fn run(&mut self, name: &str, cost: Cost, mut f: impl FnMut() + Send) {
        // Inside the pool, like a training step.
        let seconds = rayon::scope(|_| shortest(&mut f));
        let mut group = self.criterion.benchmark_group("kernels");
        match cost {
            Cost::Flops(n) => {
                let rate = n as f64 / seconds;
                let share = 100.0 * rate / self.peak;
                println!("{name}: {:.1} GFLOP/s, {share:.0}% of peak", rate / 1e9);
                group.throughput(Throughput::Elements(n as u64));
            }
            Cost::Bytes(n) => {
                let rate = n as f64 / seconds;
                let share = 100.0 * rate / self.bandwidth;
                println!("{name}: {:.1} GB/s, {share:.0}% of a copy", rate / 1e9);
                group.throughput(Throughput::Bytes(n as u64));
            }
        }
        group.bench_function(name, |b| {
            b.iter_custom(|runs| {
                rayon::scope(|_| {
                    let start = Instant::now();
                    (0..runs).for_each(|_| f());
                    start.elapsed()
                })
            });
        });
        group.finish();
    }
}

fn values(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| ((i * 7919) % 1024) as f32 / 512.0 - 1.0)
        .collect()
}

fn products(bench: &mut Bench) {
    for (inputs, outputs) in [
        (16, 64),
        (32, 128),
        (64, 64),
        (64, 256),
        (128, 512),
        (256, 256),
    ] {
        let (x, w, dy) = (
            values(ROWS * inputs),
            values(inputs * outputs),
            values(ROWS * outputs),
        );
        let weight = View::new(&w, inputs, outputs);
        let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
        let flops = Cost::Flops(2 * ROWS * inputs * outputs);
        let shape = format!("{inputs}x{outputs}");
        bench.run(&format!("linear {shape} forward"), flops, || {
            linear::forward(&x, weight, &mut y, Epilogue::default());
        });
        bench.run(&format!("linear {shape} backward input"), flops, || {
            linear::backward_input(&dy, weight, &mut dx, false, Epilogue::default());
        });
        bench.run(&format!("linear {shape} backward weight"), flops, || {
            linear::backward_weight(&x, &dy, inputs, outputs, &mut dw, false);
        });
    }
    let (inputs, outputs) = (64, 256);
    let (x, w) = (values(ROWS * inputs), values(inputs * outputs));
    let (mut y, saved) = (values(ROWS * outputs), values(ROWS * outputs));
    let flops = Cost::Flops(2 * ROWS * inputs * outputs);
    for f in [Activation::Gelu, Activation::GeluErf, Activation::Relu2] {
        bench.run(&format!("linear 64x256 forward {f:?}"), flops, || {
            let epilogue = Epilogue {
                activation: Some(f),
                ..Epilogue::default()
            };
            linear::forward(&x, View::new(&w, inputs, outputs), &mut y, epilogue);
        });
        bench.run(
            &format!("linear 256x64 backward input {f:?}"),
            flops,
            || {
                let epilogue = Epilogue {
                    derivative: Some((f, &saved)),
                    ..Epilogue::default()
                };
                let weight = View::new(&w, outputs, inputs);
                linear::backward_input(&x, weight, &mut y, false, epilogue);
            },
        );
    }
    // A decoding step: one row for each lane.
    let packed = Packed::new(View::new(&w, inputs, outputs));
    for lanes in [1, 6, 48] {
        let flops = Cost::Flops(2 * lanes * inputs * outputs);
        bench.run(
            &format!("linear 64x256 packed, {lanes} rows"),
            flops,
            || {
                let y = &mut y[..lanes * outputs];
                linear::forward(&x[..lanes * inputs], &packed, y, Epilogue::default());
            },
        );
    }
    let mut matrix = values(64 * 256);
    // Five steps of two products 64 x 64 x 256 and one 64 x 64 x 64.
    let flops = Cost::Flops(5 * 2 * 64 * 64 * (2 * 256 + 64));
    bench.run("orthogonalize 64x256", flops, || {
        optim::orthogonalize(&mut matrix, 64);
    });
}

fn passes(bench: &mut Bench) {
    let width = 64;
    let len = ROWS * width;
    let bytes = |tensors: usize, len: usize| Cost::Bytes(4 * tensors * len);
    let (x, dy, gain) = (values(len), values(len), values(width));
    let (mut y, mut dx) = (values(len), values(len));
    let part = reduce::part_rows(ROWS, 1);
    let (mut inverse, mut dgains) = (vec![0.0; ROWS], vec![0.0; ROWS / part * width]);
    bench.run("rms norm", bytes(2, len), || {
        norm::rms_norm(&x, &gain, 1e-6, &mut y, Some(&mut inverse));
    });
    bench.run("rms norm backward", bytes(4, len), || {
        norm::rms_norm_backward(&x, &gain, &inverse, &dy, &mut dx, true, part, &mut dgains);
    });
    let (hidden, mut out) = (values(4 * len), values(4 * len));
    for f in [Activation::Gelu, Activation::GeluErf, Activation::Relu2] {
        bench.run(&format!("{f:?}"), bytes(2, 4 * len), || {
            activation::forward(f, &hidden, &mut out);
        });
    }
    bench.run("swiglu", bytes(3, 2 * len), || {
        activation::swiglu(&hidden, 2 * width, &mut out[..2 * len]);
    });
    let tokens: Vec<u8> = (0..ROWS).map(|i| (i * 31) as u8).collect();
    let mut nats = vec![0.0; ROWS];
    bench.run("cross entropy and gradient", bytes(2, 4 * len), || {
        loss::cross_entropy_with_gradient(&hidden, &tokens, 1e-4, &mut nats, &mut out);
    });
    let (table, mut dtable) = (values(256 * width), vec![0.0; 256 * width]);
    let (taps, mut dtaps) = (values(4 * width), vec![0.0; 4 * width]);
    let embedding = Embedding {
        table: &table,
        width,
        scale: 8.0,
        taps: &taps,
        distances: &[1, 2, 3, 4],
        length: ROWS,
        before: 0,
    };
    bench.run("embedding with 4 taps", bytes(1, len), || {
        embedding.forward(&tokens, None, &mut y);
    });
    bench.run("embedding with 4 taps backward", bytes(1, len), || {
        embedding.backward(&tokens, &dy, &mut dtable, &mut dtaps);
    });
    let (mut m, mut v) = (vec![0.0; len], vec![0.0; len]);
    let adamw = AdamW {
        learning_rate: 1e-6,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        weight_decay: 0.0,
    };
    bench.run("adamw", bytes(7, len), || {
        adamw.step(10, 1.0, &dy, &mut y, &mut m, &mut v);
    });
    bench.run("sum of squares", bytes(1, len), || {
        black_box(optim::sum_squares(&x));
    });
}

/// Attention forward and backward at width 64, and a decoding step.
fn attentions(bench: &mut Bench) {
    let (seq_len, width) = (256, 64);
    for heads in [8, 4, 2] {
        let attention = Attention {
            heads,
            head_dim: width / heads,
            rope: true,
            window: None,
        };
        let gain = vec![1.0; heads];
        let (qkv, dout) = (values(ROWS * 3 * width), values(ROWS * width));
        let (mut out, mut dqkv) = (dout.clone(), qkv.clone());
        let mut stats = vec![0.0; attention.stats_len(ROWS / seq_len, seq_len)];
        let mut dgain = vec![0.0; ROWS / seq_len * heads];
        // Two products over half of the pairs of positions; the backward pass has five,
        // of which four are counted, since one repeats the forward pass.
        let flops = 2 * ROWS * seq_len * width;
        let name = format!("attention {heads} heads of {}", width / heads);
        bench.run(&format!("{name} forward"), Cost::Flops(flops), || {
            attention.forward(seq_len, &qkv, Some(&gain), &mut out, Some(&mut stats));
        });
        bench.run(&format!("{name} backward"), Cost::Flops(2 * flops), || {
            let saved = Saved {
                qkv: &qkv,
                gain: Some(&gain),
                out: &out,
                stats: &stats,
            };
            attention.backward(seq_len, saved, &dout, &mut dqkv, Some(&mut dgain));
        });
        let lanes = 8;
        let window = Some(seq_len);
        let sliding = Attention {
            window,
            ..attention
        };
        let mut cache = KvCache::new(sliding, lanes, seq_len);
        // With a full window, every further step sees `seq_len` positions.
        let block = &qkv[..lanes * seq_len * 3 * width];
        cache.attend(
            seq_len,
            block,
            Some(&gain),
            &mut out[..lanes * seq_len * width],
        );
        let flops = Cost::Flops(4 * lanes * seq_len * width);
        bench.run(&format!("{name}, a step of {lanes} lanes"), flops, || {
            let out = &mut out[..lanes * width];
            cache.attend(1, &qkv[..lanes * 3 * width], Some(&gain), out);
        });
    }
}

/// Bytes per second, read and written, of a copy by all threads that is far larger than
/// the caches.
fn bandwidth() -> f64 {
    let from = vec![1.0f32; 1 << 24];
    let mut to = vec![0.0f32; 1 << 24];
    let chunk = 1 << 16;
    let seconds = shortest(|| {
        let chunks = to.par_chunks_mut(chunk).zip(from.par_chunks(chunk));
        chunks.for_each(|(to, from)| to.copy_from_slice(from));
    });
    8.0 * from.len() as f64 / seconds
}

fn all(criterion: &mut Criterion) {
    let peak = peak::flops_per_second();
    let threads = rayon::current_num_threads();
    println!("FMA peak of {threads} threads: {:.1} GFLOP/s", peak / 1e9);
    let bandwidth = bandwidth();
    println!("a copy through memory: {:.1} GB/s", bandwidth / 1e9);
    let mut bench = Bench {
        criterion,
        peak,
        bandwidth,
    };
    products(&mut bench);
    attentions(&mut bench);
    passes(&mut bench);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200));
    targets = all
}
criterion_main!(benches);
