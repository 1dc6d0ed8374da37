//! The reference: the transformer in plain `f64` loops over all earlier bytes, without
//! state or tiles. It shares only names and shapes with the crate.

use brevity_model::{Activation, Norm, Placement, Position, Spec, Weights};
use std::f64::consts::PI;

/// Logits for each byte of one lane, `[bytes.len(), 256]`.
pub fn logits(weights: &Weights, bytes: &[u8]) -> Vec<f64> {
    let spec = weights.spec();
    match spec.window {
        Some(_) => sequence(weights, bytes),
        None => bytes
            .chunks(spec.context)
            .flat_map(|chunk| sequence(weights, chunk))
            .collect(),
    }
}

type Rows = Vec<Vec<f64>>;

fn sequence(weights: &Weights, bytes: &[u8]) -> Vec<f64> {
    let spec = weights.spec();
    let d = spec.width;
    let embedding = tensor(weights, "embedding.weight").unwrap();
    let taps = tensor(weights, "embedding.taps").unwrap_or_default();
    let mut x: Rows = (0..bytes.len())
        .map(|t| {
            let token = if t == 0 { 0 } else { usize::from(bytes[t - 1]) };
            let scale = if spec.scale_embedding {
                (d as f64).sqrt()
            } else {
                1.0
            };
            (0..d)
                .map(|i| {
                    let mut sum = embedding[token * d + i];
                    // Distances from the byte at t; the input is at distance 1.
                    let distances = (2..2 + spec.taps).chain(spec.lags.iter().copied());
                    for (k, distance) in distances.enumerate().filter(|(_, far)| *far <= t + 1) {
                        // The byte before the first one is 0.
                        let token = match t + 1 - distance {
                            0 => 0,
                            at => usize::from(bytes[at - 1]),
                        };
                        sum += taps[k * d + i] * embedding[token * d + i];
                    }
                    sum * scale + position(weights, t, i)
                })
                .collect()
        })
        .collect();
    for i in 0..spec.layers {
        let name = |part: &str| format!("blocks.{i}.{part}");
        let attend = |x: &Rows| {
            let qkv = linear(weights, &name("attention.qkv"), x);
            let gain = tensor(weights, &name("attention.gain"));
            let attended = attention(spec, gain.as_deref(), &qkv);
            linear(weights, &name("attention.output"), &attended)
        };
        x = residual(weights, &name("attention_norm"), x, attend);
        let mlp = |x: &Rows| {
            let up = linear(weights, &name("mlp.up"), x);
            linear(weights, &name("mlp.down"), &activation(spec, up))
        };
        x = residual(weights, &name("mlp_norm"), x, mlp);
    }
    if spec.placement == Placement::Pre {
        x = norm(weights, "final_norm", &x);
    }
    let bias = tensor(weights, "output.bias");
    let output = tensor(weights, "output.weight");
    let mut logits = Vec::new();
    for row in &x {
        for symbol in 0..256 {
            let dot: f64 = (0..d)
                .map(|i| {
                    row[i]
                        * match &output {
                            Some(output) => output[i * 256 + symbol],
                            None => embedding[symbol * d + i],
                        }
                })
                .sum();
            logits.push(dot + bias.as_ref().map_or(0.0, |b| b[symbol]));
        }
    }
    logits
}

fn tensor(weights: &Weights, name: &str) -> Option<Vec<f64>> {
    let values = weights.get(name)?;
    Some(values.iter().map(|v| f64::from(*v)).collect())
}

fn position(weights: &Weights, t: usize, i: usize) -> f64 {
    let spec = weights.spec();
    match spec.position {
        Position::Rope => 0.0,
        Position::Learned => tensor(weights, "position.weight").unwrap()[t * spec.width + i],
        Position::Sinusoidal => {
            let sines = spec.width / 2 + 1;
            let frequency = |i: usize| 1e4f64.powf(-2.0 * i as f64 / spec.width as f64);
            if i < sines {
                (t as f64 * frequency(i)).sin()
            } else {
                (t as f64 * frequency(i - sines)).cos()
            }
        }
    }
}

fn residual(weights: &Weights, name: &str, x: Rows, layer: impl Fn(&Rows) -> Rows) -> Rows {
    let add = |x: &Rows, y: Rows| -> Rows {
        let add = |(x, y): (&Vec<f64>, Vec<f64>)| x.iter().zip(y).map(|(x, y)| x + y).collect();
        x.iter().zip(y).map(add).collect()
    };
    match weights.spec().placement {
        Placement::Pre => add(&x, layer(&norm(weights, name, &x))),
        Placement::Post => norm(weights, name, &add(&x, layer(&x))),
    }
}

fn norm(weights: &Weights, name: &str, x: &Rows) -> Rows {
    let scale = tensor(weights, &format!("{name}.weight")).unwrap();
    let shift = tensor(weights, &format!("{name}.bias"));
    let d = scale.len() as f64;
    x.iter()
        .map(|row| {
            let (mean, epsilon) = match weights.spec().norm {
                Norm::Layer => (row.iter().sum::<f64>() / d, 1e-5),
                Norm::Rms => (0.0, 1e-6),
            };
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d;
            let inverse = 1.0 / (variance + epsilon).sqrt();
            let one = |i: usize| (row[i] - mean) * inverse * scale[i];
            (0..row.len())
                .map(|i| one(i) + shift.as_ref().map_or(0.0, |s| s[i]))
                .collect()
        })
        .collect()
}

fn linear(weights: &Weights, name: &str, x: &Rows) -> Rows {
    let weight = tensor(weights, &format!("{name}.weight")).unwrap();
    let bias = tensor(weights, &format!("{name}.bias"));
    let columns = weight.len() / x[0].len();
    x.iter()
        .map(|row| {
            let dot = |o: usize| {
                (0..row.len())
                    .map(|i| row[i] * weight[i * columns + o])
                    .sum()
            };
            (0..columns)
                .map(|o| {
                    bias.as_ref().map_or(0.0, |b| b[o]) + {
                        let y: f64 = dot(o);
                        y
                    }
                })
                .collect()
        })
        .collect()
}

fn activation(spec: &Spec, up: Rows) -> Rows {
    let gelu = |x: f64| 0.5 * x * (1.0 + ((2.0 / PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh());
    up.into_iter()
        .map(|row| match spec.activation {
            Activation::Gelu => row.into_iter().map(gelu).collect(),
            Activation::GeluErf => row.into_iter().map(|x| x * normal_cdf(x)).collect(),
            Activation::Relu2 => row.into_iter().map(|x| x.max(0.0).powi(2)).collect(),
            Activation::Swiglu => {
                let (gate, value) = row.split_at(spec.hidden);
                let silu = |g: &f64| g / (1.0 + (-g).exp());
                gate.iter().zip(value).map(|(g, v)| silu(g) * v).collect()
            }
        })
        .collect()
}

/// The integral of the normal density, by Simpson's rule.
fn normal_cdf(x: f64) -> f64 {
    let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
    let n = 400;
    let h = x / f64::from(n);
    let weight = |i| {
        if i == 0 || i == n {
            1.0
        } else if i % 2 == 1 {
            4.0
        } else {
            2.0
        }
    };
    let sum: f64 = (0..=n).map(|i| weight(i) * density(f64::from(i) * h)).sum();
    0.5 + sum * h / 3.0
}

fn attention(spec: &Spec, gain: Option<&[f64]>, qkv: &Rows) -> Rows {
    let (d, size) = (spec.width, spec.head_dim());
    let part = |t: usize, which: usize, head: usize| {
        let mut v = qkv[t][which * d + head * size..][..size].to_vec();
        if gain.is_some() && which < 2 {
            let square = v.iter().map(|x| x * x).sum::<f64>() / size as f64;
            v.iter_mut().for_each(|x| *x /= (square + 1e-6).sqrt());
        }
        if spec.position == Position::Rope && which < 2 {
            rotate(&mut v, t);
        }
        v
    };
    (0..qkv.len())
        .map(|t| {
            let first = (t + 1).saturating_sub(spec.reach());
            let mut out = Vec::new();
            for head in 0..spec.heads {
                let q = part(t, 0, head);
                let scale = gain.map_or(1.0, |g| g[head]) / (size as f64).sqrt();
                let score = |s: usize| -> f64 {
                    let k = part(s, 1, head);
                    q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>() * scale
                };
                let scores: Vec<f64> = (first..=t).map(score).collect();
                let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let p: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
                let sum: f64 = p.iter().sum();
                let mut mean = vec![0.0; size];
                for (s, p) in (first..=t).zip(p) {
                    let v = part(s, 2, head);
                    mean.iter_mut().zip(v).for_each(|(m, v)| *m += p / sum * v);
                }
                out.extend(mean);
            }
            out
        })
        .collect()
}

/// RoPE, with frequencies rounded to 65536ths of a turn.
fn rotate(v: &mut [f64], t: usize) {
    let half = v.len() / 2;
    for i in 0..half {
        let turn = 65536.0 / (2.0 * PI) * 1e4f64.powf(-(i as f64) / half as f64);
        let angle = t as f64 * turn.round().max(1.0) * 2.0 * PI / 65536.0;
        let (a, b) = (v[i], v[i + half]);
        v[i] = a * angle.cos() - b * angle.sin();
        v[i + half] = a * angle.sin() + b * angle.cos();
    }
}
