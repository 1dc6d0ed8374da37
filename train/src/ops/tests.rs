//! Gradients of each layer in each variant, against finite differences in
//! `f64` and against the default bodies.

use super::*;
use crate::random;
use brevity_kernels::mixture::GATES;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Flex, TensorMetadata};
use burn::tensor::{DType, TensorData, read_sync};

type Graph = Autodiff<Flex, NoCheckpointing>;

/// A layer as a function of tensors, on any backend.
trait Layer {
    fn apply<B: Ops>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B>;
    fn reference<B: Backend>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B>;
    /// The shapes of the inputs; inputs from index `constants` on have no gradient.
    fn shapes(&self) -> Vec<Vec<usize>>;
    fn constants(&self) -> usize {
        self.shapes().len()
    }
}

/// Hands out the inputs in order; each layer knows its own inputs.
struct Take<'a, B: Backend>(std::slice::Iter<'a, FloatTensor<B>>);

impl<B: Backend> Take<'_, B> {
    fn one(&mut self) -> FloatTensor<B> {
        self.0.next().expect("an input for each shape").clone()
    }
    fn maybe(&mut self, there: bool) -> Maybe<B> {
        match there {
            true => Maybe::Some(self.one()),
            false => Maybe::None,
        }
    }
    fn norm(&mut self, kind: Norm) -> NormWeights<B> {
        NormWeights {
            weight: self.one(),
            bias: self.maybe(kind == Norm::Layer),
        }
    }
    fn linear(&mut self, bias: bool) -> LinearWeights<B> {
        LinearWeights {
            weight: self.one(),
            bias: self.maybe(bias),
        }
    }
}

fn norm_shapes(kind: Norm, width: usize) -> Vec<Vec<usize>> {
    vec![vec![width]; if kind == Norm::Layer { 2 } else { 1 }]
}

fn linear_shapes(inputs: usize, outputs: usize, bias: bool) -> Vec<Vec<usize>> {
    let mut shapes = vec![vec![inputs, outputs]];
    if bias {
        shapes.push(vec![outputs]);
    }
    shapes
}

struct AttentionCase {
    layer: AttentionLayer,
    bias: bool,
    gain: bool,
    mask: bool,
}

impl AttentionCase {
    fn width(&self) -> usize {
        self.layer.attention.heads * self.layer.attention.head_dim
    }
    fn inputs<B: Backend>(
        &self,
        inputs: &[FloatTensor<B>],
    ) -> (FloatTensor<B>, AttentionWeights<B>, Maybe<B>) {
        let mut take = Take::<B>(inputs.iter());
        let x = take.one();
        let weights = AttentionWeights {
            norm: take.norm(self.layer.norm),
            qkv: take.linear(self.bias),
            gain: take.maybe(self.gain),
            output: take.linear(self.bias),
        };
        (x, weights, take.maybe(self.mask))
    }
}

impl Layer for AttentionCase {
    fn apply<B: Ops>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B> {
        let (x, weights, mask) = self.inputs::<B>(inputs);
        B::attention_layer(x, weights, mask, self.layer)
    }
    fn reference<B: Backend>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B> {
        let (x, weights, mask) = self.inputs::<B>(inputs);
        reference::attention_layer::<B>(x, weights, mask, self.layer)
    }
    fn shapes(&self) -> Vec<Vec<usize>> {
        let width = self.width();
        let rows = 2 * self.layer.length;
        let mut shapes = vec![vec![rows, width]];
        shapes.extend(norm_shapes(self.layer.norm, width));
        shapes.extend(linear_shapes(width, 3 * width, self.bias));
        if self.gain {
            shapes.push(vec![self.layer.attention.heads]);
        }
        shapes.extend(linear_shapes(width, width, self.bias));
        if self.mask {
            shapes.push(vec![rows, width]);
        }
        shapes
    }
    fn constants(&self) -> usize {
        self.shapes().len() - usize::from(self.mask)
    }
}

struct MlpCase {
    layer: MlpLayer,
    bias: bool,
    mask: bool,
}

const WIDTH: usize = 6;
const HIDDEN: usize = 10;
const ROWS: usize = 5;

impl MlpCase {
    fn inputs<B: Backend>(
        &self,
        inputs: &[FloatTensor<B>],
    ) -> (FloatTensor<B>, MlpWeights<B>, Maybe<B>) {
        let mut take = Take::<B>(inputs.iter());
        let x = take.one();
        let weights = MlpWeights {
            norm: take.norm(self.layer.norm),
            up: take.linear(self.bias),
            down: take.linear(self.bias),
        };
        (x, weights, take.maybe(self.mask))
    }
}

impl Layer for MlpCase {
    fn apply<B: Ops>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B> {
        let (x, weights, mask) = self.inputs::<B>(inputs);
        B::mlp_layer(x, weights, mask, self.layer)
    }
    fn reference<B: Backend>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B> {
        let (x, weights, mask) = self.inputs::<B>(inputs);
        reference::mlp_layer::<B>(x, weights, mask, self.layer)
    }
    fn shapes(&self) -> Vec<Vec<usize>> {
        let up = match self.layer.activation {
            Activation::Swiglu => 2 * HIDDEN,
            _ => HIDDEN,
        };
        let mut shapes = vec![vec![ROWS, WIDTH]];
        shapes.extend(norm_shapes(self.layer.norm, WIDTH));
        shapes.extend(linear_shapes(WIDTH, up, self.bias));
        shapes.extend(linear_shapes(HIDDEN, WIDTH, self.bias));
        if self.mask {
            shapes.push(vec![ROWS, WIDTH]);
        }
        shapes
    }
    fn constants(&self) -> usize {
        self.shapes().len() - usize::from(self.mask)
    }
}

struct HeadCase {
    head: Head,
    norm: bool,
    bias: bool,
}

impl HeadCase {
    fn inputs<B: Backend>(&self, inputs: &[FloatTensor<B>]) -> (FloatTensor<B>, HeadWeights<B>) {
        let mut take = Take::<B>(inputs.iter());
        let x = take.one();
        let weights = HeadWeights {
            norm: take.maybe(self.norm),
            norm_bias: take.maybe(self.norm && self.head.norm == Norm::Layer),
            weight: take.one(),
            bias: take.maybe(self.bias),
        };
        (x, weights)
    }
    fn targets() -> Tokens {
        (0..ROWS).map(|i| (37 * i) as u8).collect()
    }
}

impl Layer for HeadCase {
    fn apply<B: Ops>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B> {
        let (x, weights) = self.inputs::<B>(inputs);
        B::head_loss(x, weights, HeadCase::targets(), self.head)
    }
    fn reference<B: Backend>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B> {
        let (x, weights) = self.inputs::<B>(inputs);
        reference::head_loss::<B>(x, weights, &HeadCase::targets(), self.head)
    }
    fn shapes(&self) -> Vec<Vec<usize>> {
        let mut shapes = vec![vec![ROWS, WIDTH]];
        if self.norm {
            shapes.extend(norm_shapes(self.head.norm, WIDTH));
        }
        shapes.push(match self.head.tied {
            true => vec![256, WIDTH],
            false => vec![WIDTH, 256],
        });
        if self.bias {
            shapes.push(vec![256]);
        }
        shapes
    }
}

/// As [`HeadCase`], beside another model.
struct MixtureCase(HeadCase);

impl MixtureCase {
    /// Confident and hesitant, right and wrong.
    fn beside() -> Other {
        let logits = (0..ROWS * 8).map(|i| (i * 29 % 41) as f32 * 0.4 - 6.0);
        Other {
            logits: logits.collect(),
            alone: 0.25,
        }
    }
}

impl Layer for MixtureCase {
    fn apply<B: Ops>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B> {
        let (gates, inputs) = inputs.split_last().expect("gates");
        let (x, weights) = self.0.inputs::<B>(inputs);
        let (targets, beside) = (HeadCase::targets(), MixtureCase::beside());
        B::head_mixture(x, weights, gates.clone(), targets, beside, self.0.head)
    }
    fn reference<B: Backend>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B> {
        let (gates, inputs) = inputs.split_last().expect("gates");
        let (x, weights) = self.0.inputs::<B>(inputs);
        let (targets, beside) = (HeadCase::targets(), MixtureCase::beside());
        reference::head_mixture::<B>(x, weights, gates.clone(), &targets, &beside, self.0.head)
    }
    fn shapes(&self) -> Vec<Vec<usize>> {
        let mut shapes = self.0.shapes();
        shapes.push(vec![GATES]);
        shapes
    }
}

struct EmbeddingCase {
    distances: &'static [usize],
    position: bool,
    mask: bool,
    scale: f32,
}

impl EmbeddingCase {
    const LENGTH: usize = 3;
    fn tokens() -> Tokens {
        [7, 255, 7, 0, 7, 1].into()
    }

    fn inputs<B: Backend>(&self, inputs: &[FloatTensor<B>]) -> (EmbeddingWeights<B>, Maybe<B>) {
        let mut take = Take::<B>(inputs.iter());
        let weights = EmbeddingWeights {
            weight: take.one(),
            taps: take.maybe(!self.distances.is_empty()),
            position: take.maybe(self.position),
        };
        (weights, take.maybe(self.mask))
    }

    fn layer(&self) -> EmbeddingLayer {
        EmbeddingLayer {
            length: Self::LENGTH,
            scale: self.scale,
            distances: self.distances.into(),
        }
    }
}

impl Layer for EmbeddingCase {
    fn apply<B: Ops>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B> {
        let (weights, mask) = self.inputs::<B>(inputs);
        <B as Ops>::embedding(weights, mask, EmbeddingCase::tokens(), self.layer())
    }
    fn reference<B: Backend>(&self, inputs: &[FloatTensor<B>]) -> FloatTensor<B> {
        let (weights, mask) = self.inputs::<B>(inputs);
        reference::embedding::<B>(weights, mask, &EmbeddingCase::tokens(), self.layer())
    }
    fn shapes(&self) -> Vec<Vec<usize>> {
        let mut shapes = vec![vec![256, WIDTH]];
        if !self.distances.is_empty() {
            shapes.push(vec![self.distances.len(), WIDTH]);
        }
        if self.position {
            // One position more than a sequence has.
            shapes.push(vec![Self::LENGTH + 1, WIDTH]);
        }
        if self.mask {
            shapes.push(vec![6, WIDTH]);
        }
        shapes
    }
    fn constants(&self) -> usize {
        self.shapes().len() - usize::from(self.mask)
    }
}

fn tensor<B: Backend>(values: &[f64], shape: &[usize], dtype: DType) -> FloatTensor<B> {
    let data = TensorData::new(values.to_vec(), shape.to_vec()).convert_dtype(dtype);
    B::float_from_data(data, &B::Device::default())
}

fn read<B: Backend>(tensor: FloatTensor<B>) -> Vec<f64> {
    let data = read_sync(B::float_into_data(tensor)).unwrap();
    data.convert::<f64>().try_into_vec().unwrap()
}

/// `sum(layer(inputs) * weights)` in `f64` by the reference.
fn exact<L: Layer>(layer: &L, inputs: &[Vec<f64>], weights: &[f64]) -> f64 {
    let tensors: Vec<_> = inputs
        .iter()
        .zip(layer.shapes())
        .map(|(values, shape)| tensor::<Flex>(values, &shape, DType::F64))
        .collect();
    let out = read::<Flex>(layer.reference::<Flex>(&tensors));
    out.iter().zip(weights).map(|(o, w)| o * w).sum()
}

/// Output and gradients of `sum(out * weights)`.
fn gradients(
    forward: impl FnOnce(&[FloatTensor<Graph>]) -> FloatTensor<Graph>,
    inputs: &[Vec<f64>],
    shapes: &[Vec<usize>],
    constants: usize,
    weights: &[f64],
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let tensors: Vec<_> = inputs
        .iter()
        .zip(shapes)
        .enumerate()
        .map(|(i, (values, shape))| {
            let leaf = tensor::<Graph>(values, shape, DType::F32);
            Graph::float_set_require_grad(leaf, i < constants)
        })
        .collect();
    let out = forward(&tensors);
    let shape = out.shape();
    let values = read::<Graph>(out.clone());
    let weights = tensor::<Graph>(&weights[..values.len()], &shape, DType::F32);
    let sum = Graph::float_sum(Graph::float_mul(out, weights));
    let grads = Graph::backward(sum);
    let grads = tensors[..constants]
        .iter()
        .map(|t| read::<Flex>(Graph::grad(t, &grads).expect("every input matters")))
        .collect();
    (values, grads)
}

fn check<L: Layer>(name: &str, layer: &L) {
    let mut rng = random::at(42, random::Stream::Weights, 0);
    let mut draw = |n: usize| -> Vec<f64> {
        // Rounded to `f32`, so that all precisions get the same inputs.
        (0..n)
            .map(|_| f64::from(random::normal(&mut rng) * 0.7))
            .collect()
    };
    let shapes = layer.shapes();
    let mut inputs: Vec<Vec<f64>> = shapes
        .iter()
        .map(|shape| draw(shape.iter().product()))
        .collect();
    let weights = draw(1 << 10);
    let constants = layer.constants();
    let (out, grads) = gradients(
        |t| layer.apply::<Graph>(t),
        &inputs,
        &shapes,
        constants,
        &weights,
    );
    let (expected, expected_grads) = gradients(
        |t| layer.reference::<Graph>(t),
        &inputs,
        &shapes,
        constants,
        &weights,
    );
    let close = |a: f64, b: f64, slack: f64| (a - b).abs() <= slack * (1.0 + a.abs().max(b.abs()));
    for (a, b) in out.iter().zip(&expected) {
        assert!(close(*a, *b, 1e-5), "{name}: output {a} {b}");
    }
    for (i, (a, b)) in grads.iter().zip(&expected_grads).enumerate() {
        for (a, b) in a.iter().zip(b) {
            assert!(close(*a, *b, 5e-5), "{name}: gradient {i}: {a} {b}");
        }
    }
    // Finite differences at some elements of each input.
    for i in 0..constants {
        let len = inputs[i].len();
        for at in (0..len).step_by(len.div_ceil(7)) {
            let value = inputs[i][at];
            let h = 1e-5;
            let mut side = |x: f64| {
                inputs[i][at] = x;
                exact(layer, &inputs, &weights)
            };
            let slope = (side(value + h) - side(value - h)) / (2.0 * h);
            inputs[i][at] = value;
            let got = grads[i][at];
            assert!(
                close(got, slope, 1e-4),
                "{name}: input {i} at {at}: {got}, by differences {slope}"
            );
        }
    }
}

#[test]
fn attention_gradients_are_right_in_every_variant() {
    for norm in [Norm::Rms, Norm::Layer] {
        for placement in [Placement::Pre, Placement::Post] {
            for (bias, gain, mask, rope, window) in [
                (false, true, false, true, None),
                (true, false, true, false, None),
                (false, true, true, true, Some(3)),
            ] {
                let case = AttentionCase {
                    layer: AttentionLayer {
                        attention: Attention {
                            heads: 2,
                            head_dim: 4,
                            rope,
                            window,
                        },
                        length: 5,
                        norm,
                        placement,
                    },
                    bias,
                    gain,
                    mask,
                };
                check(&format!("{norm:?} {placement:?} {rope} {window:?}"), &case);
            }
        }
    }
}

#[test]
fn mlp_gradients_are_right_in_every_variant() {
    let activations = [
        Activation::Gelu,
        Activation::GeluErf,
        Activation::Relu2,
        Activation::Swiglu,
    ];
    for activation in activations {
        for norm in [Norm::Rms, Norm::Layer] {
            for placement in [Placement::Pre, Placement::Post] {
                for bias in [false, true] {
                    let layer = MlpLayer {
                        activation,
                        norm,
                        placement,
                    };
                    let mask = bias;
                    let case = MlpCase { layer, bias, mask };
                    check(&format!("{activation:?} {norm:?} {placement:?}"), &case);
                }
            }
        }
    }
}

#[test]
fn head_gradients_are_right_in_every_variant() {
    for tied in [false, true] {
        for (norm, bias) in [
            (None, true),
            (Some(Norm::Rms), false),
            (Some(Norm::Layer), true),
        ] {
            let head = Head {
                norm: norm.unwrap_or(Norm::Rms),
                tied,
            };
            let norm = norm.is_some();
            let case = HeadCase { head, norm, bias };
            check(&format!("{head:?}"), &case);
            check(&format!("{head:?} in a mixture"), &MixtureCase(case));
        }
    }
}

#[test]
fn embedding_gradients_are_right_in_every_variant() {
    for (distances, position, mask, scale) in [
        (&[][..], false, false, 1.0),
        (&[], true, false, 2.5),
        (&[1], true, true, 1.0),
        (&[2], false, false, 1.0),
        // More taps than a sequence has bytes.
        (&[1, 2, 3, 4], false, false, 2.5),
    ] {
        let case = EmbeddingCase {
            distances,
            position,
            mask,
            scale,
        };
        check(&format!("{distances:?} {position} {mask} {scale}"), &case);
    }
}
