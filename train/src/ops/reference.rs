//! The definition of the layers, as compositions of ordinary burn operations.
//!
//! They are differentiable on a backend with autodiff, correct on any backend,
//! and fast only on a GPU. Tests compare the kernels with them.

use super::{
    Activation, AttentionLayer, AttentionWeights, EmbeddingLayer, EmbeddingWeights, Head,
    HeadWeights, LinearWeights, Maybe, MlpLayer, MlpWeights, Norm, Other, Placement,
};
use brevity_kernels::mixture::{BITS, confidence};
use brevity_kernels::{attention, rope};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{Shape, Slice, TensorData};

/// A wrapper that gives a float tensor methods.
struct Array<B: Backend>(FloatTensor<B>);

impl<B: Backend> Clone for Array<B> {
    fn clone(&self) -> Self {
        Array(self.0.clone())
    }
}

impl<B: Backend> Array<B> {
    /// A constant on the device of `self`, with the same precision.
    fn constant(&self, values: Vec<f32>, shape: &[usize]) -> Self {
        let data = TensorData::new(values, shape.to_vec()).convert_dtype(self.0.dtype());
        Array(B::float_from_data(data, &self.0.device()))
    }
    fn dims(&self) -> Vec<usize> {
        self.0.shape().to_vec()
    }
    fn reshape(self, shape: &[usize]) -> Self {
        Array(B::float_reshape(self.0, Shape::from(shape.to_vec())))
    }
    /// A vector as a matrix of one row.
    fn row(self) -> Self {
        let n = self.dims()[0];
        self.reshape(&[1, n])
    }
    fn add(self, other: Self) -> Self {
        Array(B::float_add(self.0, other.0))
    }
    fn add_row(self, row: Maybe<B>) -> Self {
        match row {
            Maybe::Some(row) => self.add(Array(row).row()),
            Maybe::None => self,
        }
    }
    fn add_scalar(self, x: f32) -> Self {
        Array(B::float_add_scalar(self.0, x.into()))
    }
    fn sub(self, other: Self) -> Self {
        Array(B::float_sub(self.0, other.0))
    }
    fn mul(self, other: Self) -> Self {
        Array(B::float_mul(self.0, other.0))
    }
    fn mul_maybe(self, other: Maybe<B>) -> Self {
        match other {
            Maybe::Some(other) => self.mul(Array(other)),
            Maybe::None => self,
        }
    }
    fn scale(self, x: f32) -> Self {
        Array(B::float_mul_scalar(self.0, x.into()))
    }
    fn div(self, other: Self) -> Self {
        Array(B::float_div(self.0, other.0))
    }
    fn matmul(self, other: Self) -> Self {
        Array(B::float_matmul(self.0, other.0))
    }
    fn transpose(self) -> Self {
        Array(B::float_transpose(self.0))
    }
    fn sqrt(self) -> Self {
        Array(B::float_sqrt(self.0))
    }
    fn tanh(self) -> Self {
        Array(B::float_tanh(self.0))
    }
    fn erf(self) -> Self {
        Array(B::float_erf(self.0))
    }
    fn exp(self) -> Self {
        Array(B::float_exp(self.0))
    }
    fn log(self) -> Self {
        Array(B::float_log(self.0))
    }
    fn relu(self) -> Self {
        Array(B::relu(self.0))
    }
    fn permute(self, axes: &[usize]) -> Self {
        Array(B::float_permute(self.0, axes))
    }
    fn sum_last(self) -> Self {
        let last = self.dims().len() - 1;
        Array(B::float_sum_dim(self.0, last))
    }
    fn mean_last(self) -> Self {
        let n = *self.dims().last().expect("a tensor has a dimension");
        self.sum_last().scale(1.0 / n as f32)
    }
    /// The maximum of each row, as a constant: softmax does not depend on it, so it
    /// needs no gradient.
    fn max_last(self) -> Self {
        let last = self.dims().len() - 1;
        Array(B::float_detach(B::float_max_dim(self.0, last)))
    }
    /// `start..end` of dimension `dim`.
    fn slice(self, dim: usize, start: usize, end: usize) -> Self {
        let slice = |(i, n): (usize, usize)| match i == dim {
            true => Slice::from(start..end),
            false => Slice::from(0..n),
        };
        let slices: Vec<Slice> = self.dims().into_iter().enumerate().map(slice).collect();
        Array(B::float_slice(self.0, &slices))
    }
    /// Each row divided by its root mean square.
    fn rms_normalised(self, eps: f32) -> Self {
        let mean = self.clone().mul(self.clone()).mean_last();
        self.div(mean.add_scalar(eps).sqrt())
    }
}

/// [`super::embedding`].
pub fn embedding<B: Backend>(
    weights: EmbeddingWeights<B>,
    mask: Maybe<B>,
    tokens: &[u8],
    layer: EmbeddingLayer,
) -> FloatTensor<B> {
    let EmbeddingLayer {
        length,
        scale,
        distances,
    } = layer;
    let (rows, width) = (tokens.len(), weights.weight.shape()[1]);
    let table = weights.weight;
    let look_up = |tokens: Vec<i32>| {
        let tokens = TensorData::new(tokens, [rows]);
        let tokens = B::int_from_data(tokens, &table.device());
        Array::<B>(B::float_select(table.clone(), 0, tokens))
    };
    let mut x = look_up(tokens.iter().map(|&t| i32::from(t)).collect());
    if let Maybe::Some(taps) = weights.taps {
        let taps = Array::<B>(taps);
        for (k, &distance) in distances.iter().enumerate() {
            let seen = |row: usize| row % length >= distance;
            let before = |row: usize| match seen(row) {
                true => i32::from(tokens[row - distance]),
                false => 0,
            };
            let value = look_up((0..rows).map(before).collect());
            let seen = (0..rows).map(|row| f32::from(seen(row))).collect();
            let seen = value.constant(seen, &[rows, 1]);
            let tap = taps.clone().slice(0, k, k + 1);
            x = x.add(value.mul(seen).mul(tap));
        }
    }
    let mut x = x.scale(scale);
    if let Maybe::Some(position) = weights.position {
        let position = Array::<B>(position)
            .slice(0, 0, length)
            .reshape(&[1, length, width]);
        x = x.reshape(&[rows / length, length, width]).add(position);
    }
    x.reshape(&[rows, width]).mul_maybe(mask).0
}

/// Layer norm or RMS norm of each row.
pub fn norm<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Maybe<B>,
    kind: Norm,
) -> FloatTensor<B> {
    let x = Array::<B>(x);
    let centred = match kind {
        Norm::Rms => x,
        Norm::Layer => {
            let mean = x.clone().mean_last();
            x.sub(mean)
        }
    };
    let unit = centred.rms_normalised(kind.epsilon());
    unit.mul(Array(weight).row()).add_row(bias).0
}

/// `x W + bias`.
pub fn linear<B: Backend>(x: FloatTensor<B>, weights: LinearWeights<B>) -> FloatTensor<B> {
    let y = Array::<B>(x).matmul(Array(weights.weight));
    y.add_row(weights.bias).0
}

/// The activation function, elementwise; SwiGLU maps `[rows, 2 hidden]` to
/// `[rows, hidden]`.
pub fn activation<B: Backend>(x: FloatTensor<B>, kind: Activation) -> FloatTensor<B> {
    let x = Array::<B>(x);
    match kind {
        Activation::Gelu => {
            let cube = x.clone().mul(x.clone()).mul(x.clone());
            let inner = x.clone().add(cube.scale(0.044_715));
            let factor = (2.0 / std::f64::consts::PI).sqrt() as f32;
            x.mul(inner.scale(factor).tanh().add_scalar(1.0)).scale(0.5)
        }
        Activation::GeluErf => {
            let inner = x.clone().scale(std::f32::consts::FRAC_1_SQRT_2);
            x.mul(inner.erf().add_scalar(1.0)).scale(0.5)
        }
        Activation::Relu2 => {
            let r = x.relu();
            r.clone().mul(r)
        }
        Activation::Swiglu => {
            let hidden = x.dims()[1] / 2;
            let gate = x.clone().slice(1, 0, hidden);
            let value = x.slice(1, hidden, 2 * hidden);
            let sigmoid = Array::<B>(B::sigmoid(gate.0.clone()));
            gate.mul(sigmoid).mul(value)
        }
    }
    .0
}

/// Causal attention over `qkv` `[rows, 3 width]`: `[rows, width]`.
pub fn attention<B: Backend>(
    qkv: FloatTensor<B>,
    gain: Maybe<B>,
    layer: AttentionLayer,
) -> FloatTensor<B> {
    let qkv = Array::<B>(qkv);
    let (shape, length) = (layer.attention, layer.length);
    let (heads, head_dim) = (shape.heads, shape.head_dim);
    let rows = qkv.dims()[0];
    let (width, batch) = (heads * head_dim, rows / length);
    let part = |i: usize| {
        qkv.clone()
            .slice(1, i * width, (i + 1) * width)
            .reshape(&[batch, length, heads, head_dim])
            .permute(&[0, 2, 1, 3])
    };
    let (mut q, mut k, v) = (part(0), part(1), part(2));
    if let Maybe::Some(_) = gain {
        q = q.rms_normalised(attention::NORM_EPS);
        k = k.rms_normalised(attention::NORM_EPS);
    }
    if shape.rope {
        let (cos, sin) = rope::table(head_dim, 0, length);
        let half = head_dim / 2;
        let cos = q.constant(cos, &[1, 1, length, half]);
        let sin = q.constant(sin, &[1, 1, length, half]);
        let turn = |x: Array<B>| {
            let a = x.clone().slice(3, 0, half);
            let b = x.slice(3, half, head_dim);
            let (cos, sin) = (cos.clone(), sin.clone());
            let turned = [
                a.clone().mul(cos.clone()).sub(b.clone().mul(sin.clone())).0,
                a.mul(sin).add(b.mul(cos)).0,
            ];
            Array::<B>(B::float_cat(turned.into(), 3))
        };
        q = turn(q);
        k = turn(k);
    }
    let root = (head_dim as f32).sqrt();
    let mut scores = q.matmul(k.transpose()).scale(1.0 / root);
    if let Maybe::Some(gain) = gain {
        scores = scores.mul(Array(gain).reshape(&[1, heads, 1, 1]));
    }
    let reach = shape.window.unwrap_or(length);
    let hidden = (0..length * length)
        .map(|at| {
            let (query, key) = (at / length, at % length);
            let seen = key <= query && query - key < reach;
            if seen { 0.0 } else { -1e30 }
        })
        .collect();
    let hidden = scores.constant(hidden, &[1, 1, length, length]);
    let scores = scores.add(hidden);
    let exp = scores.clone().sub(scores.max_last()).exp();
    let sum = exp.clone().sum_last();
    let out = exp.div(sum).matmul(v).permute(&[0, 2, 1, 3]);
    out.reshape(&[rows, width]).0
}

/// [`super::attention_layer`].
pub fn attention_layer<B: Backend>(
    x: FloatTensor<B>,
    weights: AttentionWeights<B>,
    mask: Maybe<B>,
    layer: AttentionLayer,
) -> FloatTensor<B> {
    let norms = weights.norm;
    let normalise = |x| norm::<B>(x, norms.weight, norms.bias, layer.norm);
    residual::<B>(x, mask, layer.placement, normalise, |x| {
        let qkv = linear::<B>(x, weights.qkv);
        linear::<B>(attention::<B>(qkv, weights.gain, layer), weights.output)
    })
}

/// [`super::mlp_layer`].
pub fn mlp_layer<B: Backend>(
    x: FloatTensor<B>,
    weights: MlpWeights<B>,
    mask: Maybe<B>,
    layer: MlpLayer,
) -> FloatTensor<B> {
    let norms = weights.norm;
    let normalise = |x| norm::<B>(x, norms.weight, norms.bias, layer.norm);
    residual::<B>(x, mask, layer.placement, normalise, |x| {
        let hidden = activation::<B>(linear::<B>(x, weights.up), layer.activation);
        linear::<B>(hidden, weights.down)
    })
}

/// `x + mask f(norm(x))` or `norm(x + mask f(x))`.
fn residual<B: Backend>(
    x: FloatTensor<B>,
    mask: Maybe<B>,
    placement: Placement,
    norm: impl FnOnce(FloatTensor<B>) -> FloatTensor<B>,
    f: impl FnOnce(FloatTensor<B>) -> FloatTensor<B>,
) -> FloatTensor<B> {
    let stream = Array::<B>(x.clone());
    match placement {
        Placement::Pre => stream.add(Array(f(norm(x))).mul_maybe(mask)).0,
        Placement::Post => norm(stream.add(Array(f(x)).mul_maybe(mask)).0),
    }
}

/// The logits of the output layer.
fn head_logits<B: Backend>(x: FloatTensor<B>, weights: HeadWeights<B>, head: Head) -> Array<B> {
    let x = match weights.norm {
        Maybe::Some(weight) => norm::<B>(x, weight, weights.norm_bias, head.norm),
        Maybe::None => x,
    };
    let weight = Array::<B>(weights.weight);
    let weight = if head.tied {
        weight.transpose()
    } else {
        weight
    };
    Array::<B>(x).matmul(weight).add_row(weights.bias)
}

/// [`super::head_loss`].
pub fn head_loss<B: Backend>(
    x: FloatTensor<B>,
    weights: HeadWeights<B>,
    targets: &[u8],
    head: Head,
) -> FloatTensor<B> {
    cross_entropy(head_logits(x, weights, head), targets).0
}

fn cross_entropy<B: Backend>(logits: Array<B>, targets: &[u8]) -> Array<B> {
    let rows = targets.len();
    let targets: Vec<i32> = targets.iter().map(|&t| i32::from(t)).collect();
    let targets = TensorData::new(targets, [rows, 1]);
    let targets = B::int_from_data(targets, &logits.0.device());
    let shifted = logits.clone().sub(logits.max_last());
    let log_sum = shifted.clone().exp().sum_last().log();
    let chosen = Array::<B>(B::float_gather(1, shifted.0, targets));
    let nats = log_sum.sub(chosen);
    Array::<B>(B::float_sum(nats.0)).scale(1.0 / rows as f32)
}

/// [`super::head_mixture`].
pub fn head_mixture<B: Backend>(
    x: FloatTensor<B>,
    weights: HeadWeights<B>,
    gates: FloatTensor<B>,
    targets: &[u8],
    other: &Other,
    head: Head,
) -> FloatTensor<B> {
    let Other {
        logits: beside,
        alone,
    } = other;
    let logits = head_logits(x, weights, head);
    let by_itself = cross_entropy(logits.clone(), targets);
    let (rows, device) = (targets.len(), logits.0.device());
    let powers = logits.clone().sub(logits.max_last()).exp();
    // Nodes of the tree of bits: a byte is below those that begin as it does.
    let below = |at: usize| -> f32 {
        let (byte, node) = (at / 512 + 256, at % 512);
        f32::from((0..=8).any(|bits| byte >> bits == node))
    };
    let tree = powers.constant((0..256 * 512).map(below).collect(), &[256, 512]);
    let masses = powers.clone().matmul(tree);
    let shares = (1..=BITS).map(|depth| (256 >> depth) as f32 / 16_777_216.0);
    let shares = powers.constant(shares.collect(), &[1, BITS]);
    let floor = powers.sum_last().mul(shares);
    let log_mass = |other: usize| {
        let nodes = targets.iter().flat_map(|&target| {
            let leaf = usize::from(target) + 256;
            (0..BITS).map(move |depth| ((leaf >> (7 - depth)) ^ other) as i32)
        });
        let nodes = TensorData::new(nodes.collect::<Vec<_>>(), [rows, BITS]);
        let nodes = B::int_from_data(nodes, &device);
        let mass = Array::<B>(B::float_gather(1, masses.0.clone(), nodes));
        mass.add(floor.clone()).log()
    };
    let own = log_mass(0).sub(log_mass(1));
    let gate = |which: usize| {
        let classes = beside.iter().map(|&logit| confidence(logit));
        let places: Vec<i32> = classes.map(|class| (2 * class + which) as i32).collect();
        let places = B::int_from_data(TensorData::new(places, [rows * BITS]), &device);
        Array::<B>(B::float_select(gates.clone(), 0, places)).reshape(&[rows, BITS])
    };
    let beside = own.constant(beside.to_vec(), &[rows, BITS]);
    let u = gate(0).mul(beside).add(gate(1).mul(own));
    let less = u.clone().scale(-1.0).relu();
    let magnitude = u.relu().add(less.clone());
    let nats = magnitude.scale(-1.0).exp().add_scalar(1.0).log().add(less);
    let mixed = Array::<B>(B::float_sum(nats.0)).scale((1.0 - alone) / rows as f32);
    mixed.add(by_itself.scale(*alone)).0
}
