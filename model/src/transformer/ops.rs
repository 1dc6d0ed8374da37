//! The pass's arithmetic as plain loops.
use super::block::Linear;
use crate::spec::{Activation, Norm};

pub fn linear(x: &[f32], l: &Linear, out: &mut [f32]) {
    out.fill(0.0);
    run(x, l, out, true);
}
pub fn linear_add(x: &[f32], l: &Linear, out: &mut [f32]) {
    run(x, l, out, true);
}
fn run(x: &[f32], l: &Linear, out: &mut [f32], _b: bool) {
    let o = l.output;
    let i = l.input;
    for (x, y) in x.chunks_exact(i).zip(out.chunks_exact_mut(o)) {
        for (x, w) in x.iter().zip(l.weight.chunks_exact(o)) {
            for (w, y) in w.iter().zip(y.iter_mut()) {
                *y = x.mul_add(*w, *y);
            }
        }
        if let Some(b) = &l.bias {
            for (b, y) in b.iter().zip(y) {
                *y += b;
            }
        }
    }
}
pub fn norm(kind: Norm, x: &[f32], w: &[f32], b: Option<&[f32]>, out: &mut [f32]) {
    let d = w.len();
    for (x, y) in x.chunks_exact(d).zip(out.chunks_exact_mut(d)) {
        let mean = match kind {
            Norm::Layer => x.iter().sum::<f32>() / d as f32,
            Norm::Rms => 0.0,
        };
        let var = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / d as f32;
        let r = 1.0 / (var + kind.epsilon()).sqrt();
        for i in 0..d {
            y[i] = (x[i] - mean) * r * w[i] + b.map_or(0.0, |b| b[i]);
        }
    }
}
pub fn activate<'a>(
    a: Activation,
    up: &'a mut [f32],
    gated: &'a mut [f32],
    hidden: usize,
) -> &'a [f32] {
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let tanh = f32::tanh;
    let erf = brevity_kernels::math::erf_f32;
    if a == Activation::Swiglu {
        for (u, g) in up
            .chunks_exact(2 * hidden)
            .zip(gated.chunks_exact_mut(hidden))
        {
            for i in 0..hidden {
                g[i] = u[i] * sigmoid(u[i]) * u[hidden + i];
            }
        }
        return gated;
    }
    for x in up.iter_mut() {
        *x = match a {
            Activation::Gelu => {
                0.5 * *x * (1.0 + tanh(0.797_884_6 * (*x + 0.044715 * *x * *x * *x)))
            }
            Activation::GeluErf => 0.5 * *x * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2)),
            _ => x.max(0.0) * x.max(0.0),
        };
    }
    up
}
