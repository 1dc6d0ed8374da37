//! The layers in burn's autodiff graph: each is one node, with the backward
//! pass of [`layers`](super::layers).

use super::buffers::give;
use super::host::{self, Host};
use super::layers::{HeadSaved, LinearGrads, NormGrads, SublayerSaved};
use super::{
    AttentionLayer, AttentionWeights, EmbeddingLayer, EmbeddingWeights, Head, HeadWeights,
    LinearWeights, Maybe, MlpLayer, MlpWeights, NormWeights, Other, Tokens,
};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::backend::{AutodiffBackend, TensorMetadata};
use std::fmt::Debug;
use std::marker::PhantomData;

type Tracked<B, C> = FloatTensor<Autodiff<B, C>>;

/// Splits the inputs of a layer into plain tensors, for the computation, and graph
/// nodes.
struct Inputs<B, C> {
    nodes: Vec<NodeGuard>,
    backend: PhantomData<(B, C)>,
}

impl<B: Host, C: CheckpointStrategy> Inputs<B, C> {
    fn new() -> Self {
        Inputs {
            nodes: Vec::new(),
            backend: PhantomData,
        }
    }

    fn take(&mut self, tensor: Tracked<B, C>) -> FloatTensor<B> {
        let (tensor, node) = tensor.into_parts();
        self.nodes.push(node);
        tensor
    }

    /// Adds an optional tensor; if absent, a node without a gradient takes its place,
    /// made from any tensor `like`.
    fn maybe(&mut self, tensor: Maybe<Autodiff<B, C>>, like: &FloatTensor<B>) -> Maybe<B> {
        match tensor {
            Maybe::Some(tensor) => Maybe::Some(self.take(tensor)),
            Maybe::None => {
                let nothing = <Autodiff<B, C> as AutodiffBackend>::from_inner(like.clone());
                self.nodes.push(nothing.node());
                Maybe::None
            }
        }
    }

    fn norm(&mut self, norm: NormWeights<Autodiff<B, C>>) -> NormWeights<B> {
        let weight = self.take(norm.weight);
        let bias = self.maybe(norm.bias, &weight);
        NormWeights { weight, bias }
    }

    fn linear(&mut self, linear: LinearWeights<Autodiff<B, C>>) -> LinearWeights<B> {
        let weight = self.take(linear.weight);
        let bias = self.maybe(linear.bias, &weight);
        LinearWeights { weight, bias }
    }

    fn head(&mut self, head: HeadWeights<Autodiff<B, C>>, like: &FloatTensor<B>) -> HeadWeights<B> {
        HeadWeights {
            norm: self.maybe(head.norm, like),
            norm_bias: self.maybe(head.norm_bias, like),
            weight: self.take(head.weight),
            bias: self.maybe(head.bias, like),
        }
    }

    fn constant(tensor: Maybe<Autodiff<B, C>>) -> Maybe<B> {
        match tensor {
            Maybe::Some(tensor) => Maybe::Some(tensor.into_primitive()),
            Maybe::None => Maybe::None,
        }
    }

    /// Adds the node of `backward` to the graph. `forward` computes the output
    /// and what the backward pass needs.
    fn node<F, const N: usize>(
        self,
        backward: F,
        forward: impl FnOnce() -> (FloatTensor<B>, F::State),
    ) -> Tracked<B, C>
    where
        F: Backward<B, N>,
    {
        let nodes: [NodeGuard; N] = self
            .nodes
            .try_into()
            .expect("a layer has as many nodes as inputs");
        match backward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (output, state) = forward();
                prep.finish(state, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(forward().0),
        }
    }
}

/// A gradient and its shape, if there is one.
type Grad = Option<(Vec<f32>, Vec<usize>)>;

fn vector(values: Vec<f32>) -> Grad {
    let shape = vec![values.len()];
    Some((values, shape))
}

fn matrix(values: Vec<f32>, columns: usize) -> Grad {
    let shape = vec![values.len() / columns, columns];
    Some((values, shape))
}

fn norm_grads(grads: NormGrads) -> [Grad; 2] {
    [vector(grads.weight), grads.bias.and_then(vector)]
}

fn linear_grads(grads: LinearGrads, columns: usize) -> [Grad; 2] {
    [matrix(grads.weight, columns), grads.bias.and_then(vector)]
}

/// Registers gradients for the inputs that need one, in the order of [`Inputs`].
fn register<B: Host, const N: usize>(
    parents: [Option<NodeId>; N],
    values: [Grad; N],
    like: &FloatTensor<B>,
    grads: &mut Gradients,
) {
    for (parent, value) in parents.into_iter().zip(values) {
        match (parent, value) {
            (Some(id), Some((values, shape))) => {
                grads.register::<B>(id, host::tensor::<B>(values, &shape, like));
            }
            (None, Some((values, _))) => give(values),
            (_, None) => {}
        }
    }
}

/// [`super::embedding`] with gradients for all inputs but the mask.
pub(super) fn embedding<B: Host, C: CheckpointStrategy>(
    weights: EmbeddingWeights<Autodiff<B, C>>,
    mask: Maybe<Autodiff<B, C>>,
    tokens: Tokens,
    layer: EmbeddingLayer,
) -> Tracked<B, C> {
    let mut inputs = Inputs::<B, C>::new();
    let weight = inputs.take(weights.weight);
    let weights = EmbeddingWeights {
        taps: inputs.maybe(weights.taps, &weight),
        position: inputs.maybe(weights.position, &weight),
        weight,
    };
    let mask = Inputs::<B, C>::constant(mask);
    inputs.node(EmbeddingBackward, || {
        let y = host::embedding(&weights, &mask, &tokens, &layer);
        (
            y,
            EmbeddingState {
                weights,
                mask,
                tokens,
                layer,
            },
        )
    })
}

#[derive(Debug)]
struct EmbeddingBackward;

#[derive(Clone, Debug)]
struct EmbeddingState<B: Host> {
    weights: EmbeddingWeights<B>,
    mask: Maybe<B>,
    tokens: Tokens,
    layer: EmbeddingLayer,
}

impl<B: Host> Backward<B, 3> for EmbeddingBackward {
    type State = EmbeddingState<B>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = host::into_values::<B>(grads.consume::<B>(&ops.node));
        let s = ops.state;
        let result = host::with_embedding::<B, _>(&s.weights, &s.mask, &s.layer, |layer| {
            layer.backward(&s.tokens, dy)
        });
        let width = s.weights.weight.shape()[1];
        let values = [
            matrix(result.weight, width),
            result.taps.and_then(|taps| matrix(taps, width)),
            result.position.and_then(|p| matrix(p, width)),
        ];
        let parents = ops.parents.map(|p| p.map(|node| node.id));
        register::<B, 3>(parents, values, &s.weights.weight, grads);
    }
}

/// [`super::attention_layer`] with gradients for all inputs but the mask.
pub(super) fn attention_layer<B: Host, C: CheckpointStrategy>(
    x: Tracked<B, C>,
    weights: AttentionWeights<Autodiff<B, C>>,
    mask: Maybe<Autodiff<B, C>>,
    layer: AttentionLayer,
) -> Tracked<B, C> {
    let mut inputs = Inputs::<B, C>::new();
    let x = inputs.take(x);
    let weights = AttentionWeights {
        norm: inputs.norm(weights.norm),
        qkv: inputs.linear(weights.qkv),
        gain: inputs.maybe(weights.gain, &x),
        output: inputs.linear(weights.output),
    };
    let mask = Inputs::<B, C>::constant(mask);
    inputs.node(AttentionBackward, || {
        let (y, saved) = host::attention_layer(&x, &weights, &mask, layer);
        (
            y,
            AttentionState {
                x,
                weights,
                mask,
                layer,
                saved,
            },
        )
    })
}

#[derive(Debug)]
struct AttentionBackward;

#[derive(Clone, Debug)]
struct AttentionState<B: Host> {
    x: FloatTensor<B>,
    weights: AttentionWeights<B>,
    mask: Maybe<B>,
    layer: AttentionLayer,
    saved: SublayerSaved,
}

impl<B: Host> Backward<B, 8> for AttentionBackward {
    type State = AttentionState<B>;

    fn backward(self, ops: Ops<Self::State, 8>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = host::into_values::<B>(grads.consume::<B>(&ops.node));
        let s = ops.state;
        let result = host::with_attention(&s.weights, &s.mask, s.layer, |sub| {
            sub.backward(&host::values::<B>(&s.x), &s.saved, dy)
        });
        let width = s.x.shape()[1];
        let [norm, norm_bias] = norm_grads(result.norm);
        let [qkv, qkv_bias] = linear_grads(result.first, 3 * width);
        let [output, output_bias] = linear_grads(result.last, width);
        let gain = result.gain.and_then(vector);
        let x = matrix(result.x, width);
        let values = [x, norm, norm_bias, qkv, qkv_bias, gain, output, output_bias];
        let parents = ops.parents.map(|p| p.map(|node| node.id));
        register::<B, 8>(parents, values, &s.x, grads);
        host::recycle::<B>(s.x);
    }
}

/// [`super::mlp_layer`] with gradients for all inputs but the mask.
pub(super) fn mlp_layer<B: Host, C: CheckpointStrategy>(
    x: Tracked<B, C>,
    weights: MlpWeights<Autodiff<B, C>>,
    mask: Maybe<Autodiff<B, C>>,
    layer: MlpLayer,
) -> Tracked<B, C> {
    let mut inputs = Inputs::<B, C>::new();
    let x = inputs.take(x);
    let weights = MlpWeights {
        norm: inputs.norm(weights.norm),
        up: inputs.linear(weights.up),
        down: inputs.linear(weights.down),
    };
    let mask = Inputs::<B, C>::constant(mask);
    inputs.node(MlpBackward, || {
        let (y, saved) = host::mlp_layer(&x, &weights, &mask, layer);
        (
            y,
            MlpState {
                x,
                weights,
                mask,
                layer,
                saved,
            },
        )
    })
}

#[derive(Debug)]
struct MlpBackward;

#[derive(Clone, Debug)]
struct MlpState<B: Host> {
    x: FloatTensor<B>,
    weights: MlpWeights<B>,
    mask: Maybe<B>,
    layer: MlpLayer,
    saved: SublayerSaved,
}

impl<B: Host> Backward<B, 7> for MlpBackward {
    type State = MlpState<B>;

    fn backward(self, ops: Ops<Self::State, 7>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = host::into_values::<B>(grads.consume::<B>(&ops.node));
        let s = ops.state;
        let result = host::with_mlp(&s.weights, &s.mask, s.layer, |sub| {
            sub.backward(&host::values::<B>(&s.x), &s.saved, dy)
        });
        let width = s.x.shape()[1];
        let [norm, norm_bias] = norm_grads(result.norm);
        let [up, up_bias] = linear_grads(result.first, s.weights.up.weight.shape()[1]);
        let [down, down_bias] = linear_grads(result.last, width);
        let x = matrix(result.x, width);
        let values = [x, norm, norm_bias, up, up_bias, down, down_bias];
        let parents = ops.parents.map(|p| p.map(|node| node.id));
        register::<B, 7>(parents, values, &s.x, grads);
        host::recycle::<B>(s.x);
    }
}

/// [`super::head_loss`] with gradients.
pub(super) fn head_loss<B: Host, C: CheckpointStrategy>(
    x: Tracked<B, C>,
    weights: HeadWeights<Autodiff<B, C>>,
    targets: Tokens,
    head: Head,
) -> Tracked<B, C> {
    let mut inputs = Inputs::<B, C>::new();
    let x = inputs.take(x);
    let weights = inputs.head(weights, &x);
    inputs.node(HeadBackward, || {
        let (mean, saved) = host::head_loss(&x, &weights, &targets, head);
        (
            mean,
            HeadState {
                x,
                weights,
                head,
                saved,
            },
        )
    })
}

#[derive(Debug)]
struct HeadBackward;

#[derive(Clone, Debug)]
struct HeadState<B: Host> {
    x: FloatTensor<B>,
    weights: HeadWeights<B>,
    head: Head,
    saved: HeadSaved,
}

impl<B: Host> Backward<B, 5> for HeadBackward {
    type State = HeadState<B>;

    fn backward(self, ops: Ops<Self::State, 5>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (values, x) = head_gradients(ops.state, grads.consume::<B>(&ops.node));
        let [x_grad, norm, norm_bias, weight, bias, _] = values;
        let values = [x_grad, norm, norm_bias, weight, bias];
        let parents = ops.parents.map(|p| p.map(|node| node.id));
        register::<B, 5>(parents, values, &x, grads);
        host::recycle::<B>(x);
    }
}

/// [`super::head_mixture`] with gradients, of the gates too.
pub(super) fn head_mixture<B: Host, C: CheckpointStrategy>(
    x: Tracked<B, C>,
    weights: HeadWeights<Autodiff<B, C>>,
    gates: Tracked<B, C>,
    targets: Tokens,
    beside: Other,
    head: Head,
) -> Tracked<B, C> {
    let mut inputs = Inputs::<B, C>::new();
    let x = inputs.take(x);
    let weights = inputs.head(weights, &x);
    let gates = inputs.take(gates);
    inputs.node(MixtureBackward, || {
        let (mean, saved) = host::head_mixture(&x, &weights, &gates, &targets, &beside, head);
        (
            mean,
            HeadState {
                x,
                weights,
                head,
                saved,
            },
        )
    })
}

#[derive(Debug)]
struct MixtureBackward;

impl<B: Host> Backward<B, 6> for MixtureBackward {
    type State = HeadState<B>;

    fn backward(self, ops: Ops<Self::State, 6>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (values, x) = head_gradients(ops.state, grads.consume::<B>(&ops.node));
        let parents = ops.parents.map(|p| p.map(|node| node.id));
        register::<B, 6>(parents, values, &x, grads);
        host::recycle::<B>(x);
    }
}

/// The gradients of the output layer's inputs, those of the gates last; and the first
/// input.
fn head_gradients<B: Host>(s: HeadState<B>, dmean: FloatTensor<B>) -> ([Grad; 6], FloatTensor<B>) {
    let dmean = host::values::<B>(&dmean)[0];
    let result = host::with_head(&s.weights, s.head, |head| {
        head.backward(&host::values::<B>(&s.x), s.saved, dmean)
    });
    let width = s.x.shape()[1];
    let [norm, norm_bias] = result.norm.map(norm_grads).unwrap_or_default();
    let [weight, bias] = linear_grads(result.head, s.weights.weight.shape()[1]);
    let x = matrix(result.x, width);
    let gates = result.gates.and_then(vector);
    ([x, norm, norm_bias, weight, bias, gates], s.x)
}
