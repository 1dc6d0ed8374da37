//! Textbook attention in `f64`, and its gradients by central differences.

use brevity_kernels::attention::Attention;
use brevity_kernels::rope;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// `n` values with a roughly normal distribution.
pub fn random(n: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = || rng.next_u32() as f32 / u32::MAX as f32 - 0.5;
    (0..n)
        .map(|_| 2.0 * (uniform() + uniform() + uniform()))
        .collect()
}

pub struct Case {
    pub attention: Attention,
    pub seq_len: usize,
    pub qkv: Vec<f32>,
    pub gain: Option<Vec<f32>>,
    pub dout: Vec<f32>,
}

impl Case {
    pub fn new(attention: Attention, batch: usize, seq_len: usize, norm: bool, seed: u64) -> Case {
        let rows = batch * seq_len * attention.width();
        Case {
            attention,
            seq_len,
            qkv: random(3 * rows, seed),
            gain: norm.then(|| {
                random(attention.heads, seed ^ 1)
                    .iter()
                    .map(|x| 1.0 + x)
                    .collect()
            }),
            dout: random(rows, seed ^ 2),
        }
    }
}

pub struct Exact {
    pub out: Vec<f64>,
    pub dqkv: Vec<f64>,
    pub dgain: Vec<f64>,
}

/// Output, and the gradients of `sum(dout * out)`.
pub fn gradients(case: &Case, eps: f64) -> Exact {
    let to64 = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let (mut qkv, dout) = (to64(&case.qkv), to64(&case.dout));
    let mut gain = case.gain.as_deref().map(to64);
    let loss = |qkv: &[f64], gain: Option<&[f64]>, b: usize| -> f64 {
        let rows = case.seq_len * case.attention.width();
        let out = forward(case, &qkv[b * 3 * rows..][..3 * rows], gain, eps);
        out.iter().zip(&dout[b * rows..]).map(|(x, y)| x * y).sum()
    };
    let h = 1e-5;
    let sequence = case.seq_len * 3 * case.attention.width();
    let batch = qkv.len() / sequence;
    let mut dqkv = Vec::new();
    for i in 0..qkv.len() {
        let x = qkv[i];
        qkv[i] = x + h;
        let up = loss(&qkv, gain.as_deref(), i / sequence);
        qkv[i] = x - h;
        let down = loss(&qkv, gain.as_deref(), i / sequence);
        qkv[i] = x;
        dqkv.push((up - down) / (2.0 * h));
    }
    let mut dgain = Vec::new();
    for i in 0..gain.as_ref().map_or(0, Vec::len) {
        let mut at = |x: f64| {
            let gain = gain.as_mut().unwrap();
            let old = std::mem::replace(&mut gain[i], case.gain.as_ref().unwrap()[i] as f64 + x);
            let sum: f64 = (0..batch).map(|b| loss(&qkv, Some(gain), b)).sum();
            gain[i] = old;
            sum
        };
        dgain.push((at(h) - at(-h)) / (2.0 * h));
    }
    let out = qkv
        .chunks(sequence)
        .flat_map(|x| forward(case, x, gain.as_deref(), eps))
        .collect();
    Exact { out, dqkv, dgain }
}

fn prepare(a: &Attention, x: &[f64], t: usize, norm: bool, eps: f64) -> Vec<f64> {
    let n = x.len();
    let mut y = x.to_vec();
    if norm {
        let mean = x.iter().map(|x| x * x).sum::<f64>() / n as f64;
        y.iter_mut().for_each(|y| *y /= (mean + eps).sqrt());
    }
    if a.rope {
        for (i, k) in rope::steps(n).into_iter().enumerate() {
            let (s, c) = (f64::from(k) * t as f64 / 65536.0 * std::f64::consts::TAU).sin_cos();
            let (p, q) = (y[i], y[i + n / 2]);
            y[i] = p * c - q * s;
            y[i + n / 2] = q * c + p * s;
        }
    }
    y
}

/// The output for one sequence.
fn forward(case: &Case, qkv: &[f64], gain: Option<&[f64]>, eps: f64) -> Vec<f64> {
    let a = &case.attention;
    let (d, dh) = (a.width(), a.head_dim);
    let norm = gain.is_some();
    let mut out = vec![0.0; case.seq_len * d];
    for h in 0..a.heads {
        let row = |t: usize, part: usize| &qkv[t * 3 * d + part * d + h * dh..][..dh];
        let keys: Vec<_> = (0..case.seq_len)
            .map(|t| prepare(a, row(t, 1), t, norm, eps))
            .collect();
        for t in 0..case.seq_len {
            let q = prepare(a, row(t, 0), t, norm, eps);
            let scale = gain.map_or(1.0, |g| g[h]) / (dh as f64).sqrt();
            let first = (t + 1).saturating_sub(a.window.unwrap_or(usize::MAX));
            let scores: Vec<f64> = (first..=t)
                .map(|j| scale * q.iter().zip(&keys[j]).map(|(x, y)| x * y).sum::<f64>())
                .collect();
            let max = scores.iter().fold(f64::MIN, |m, &s| m.max(s));
            let p: Vec<f64> = scores.iter().map(|s| (s - max).exp()).collect();
            let sum: f64 = p.iter().sum();
            for (j, p) in (first..=t).zip(p) {
                for (c, v) in row(j, 2).iter().enumerate() {
                    out[t * d + h * dh + c] += p / sum * v;
                }
            }
        }
    }
    out
}
