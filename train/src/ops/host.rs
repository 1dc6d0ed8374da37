//! Access to tensors of the CPU backends as slices, and the layers on them.

use super::buffers::{Buffer, give};
use super::layers::{
    self, HeadLayer, HeadSaved, LinearLayer, Middle, NormLayer, Sublayer, SublayerSaved, Targets,
};
use super::{
    AttentionLayer, AttentionWeights, EmbeddingLayer, EmbeddingWeights, Head, HeadWeights,
    LinearWeights, Maybe, MlpLayer, MlpWeights, Norm, NormWeights, Other,
};
use brevity_kernels::embedding::Embedding;
use brevity_kernels::mixture::Beside;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{TensorData, read_sync};
use std::ops::Deref;

/// A backend whose tensors are in host memory.
pub(super) trait Host: Backend {
    /// The values, if they are contiguous `f32` in row-major order.
    fn borrow(tensor: &FloatTensor<Self>) -> Option<&[f32]>;
}

/// The values of a tensor in row-major order: borrowed, or copied if its strides
/// require it.
pub(super) enum Values<'a> {
    Own(&'a [f32]),
    Copy(Buffer),
}

impl Deref for Values<'_> {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        match self {
            Values::Own(values) => values,
            Values::Copy(values) => values,
        }
    }
}

/// The values of `tensor`, for reading.
pub(super) fn values<B: Host>(tensor: &FloatTensor<B>) -> Values<'_> {
    match B::borrow(tensor) {
        Some(values) => Values::Own(values),
        None => Values::Copy(into_values::<B>(tensor.clone()).into()),
    }
}

/// The values of `tensor`, owned; copied only if they are shared.
pub(super) fn into_values<B: Host>(tensor: FloatTensor<B>) -> Vec<f32> {
    let data = read_sync(B::float_into_data(tensor)).expect("the CPU's memory can be read");
    data.try_into_vec().expect("tensors hold f32")
}

/// `values` as a tensor on the device of `like`.
pub(super) fn tensor<B: Host>(
    values: Vec<f32>,
    shape: &[usize],
    like: &FloatTensor<B>,
) -> FloatTensor<B> {
    let data = TensorData::new(values, shape.to_vec());
    B::float_from_data(data, &like.device())
}

fn maybe<B: Host>(tensor: &Maybe<B>) -> Option<Values<'_>> {
    match tensor {
        Maybe::Some(tensor) => Some(values::<B>(tensor)),
        Maybe::None => None,
    }
}

/// Parameters of an affine map as slices.
struct Affine<'a> {
    weight: Values<'a>,
    bias: Option<Values<'a>>,
    inputs: usize,
}

impl<'a> Affine<'a> {
    fn linear<B: Host>(weights: &'a LinearWeights<B>) -> Affine<'a> {
        Affine {
            weight: values::<B>(&weights.weight),
            bias: maybe(&weights.bias),
            inputs: weights.weight.shape()[0],
        }
    }

    fn norm<B: Host>(weights: &'a NormWeights<B>) -> Affine<'a> {
        Affine {
            weight: values::<B>(&weights.weight),
            bias: maybe(&weights.bias),
            inputs: 1,
        }
    }

    fn as_linear(&self) -> LinearLayer<'_> {
        LinearLayer {
            weight: &self.weight,
            bias: self.bias.as_deref(),
            inputs: self.inputs,
        }
    }

    fn as_norm(&self, kind: Norm) -> NormLayer<'_> {
        NormLayer {
            weight: &self.weight,
            bias: self.bias.as_deref(),
            kind,
        }
    }
}

/// Runs `f` on the attention sublayer with these parameters.
pub(super) fn with_attention<B: Host, T>(
    weights: &AttentionWeights<B>,
    mask: &Maybe<B>,
    layer: AttentionLayer,
    f: impl FnOnce(Sublayer) -> T,
) -> T {
    let (norm, first, last) = (
        Affine::norm(&weights.norm),
        Affine::linear(&weights.qkv),
        Affine::linear(&weights.output),
    );
    let (gain, mask) = (maybe(&weights.gain), maybe(mask));
    f(Sublayer {
        norm: norm.as_norm(layer.norm),
        placement: layer.placement,
        first: first.as_linear(),
        middle: Middle::Attention {
            attention: layer.attention,
            length: layer.length,
            gain: gain.as_deref(),
        },
        last: last.as_linear(),
        mask: mask.as_deref(),
    })
}

/// Runs `f` on the feed-forward sublayer with these parameters.
pub(super) fn with_mlp<B: Host, T>(
    weights: &MlpWeights<B>,
    mask: &Maybe<B>,
    layer: MlpLayer,
    f: impl FnOnce(Sublayer) -> T,
) -> T {
    let (norm, first, last) = (
        Affine::norm(&weights.norm),
        Affine::linear(&weights.up),
        Affine::linear(&weights.down),
    );
    let mask = maybe(mask);
    f(Sublayer {
        norm: norm.as_norm(layer.norm),
        placement: layer.placement,
        first: first.as_linear(),
        middle: Middle::Activation(layer.activation),
        last: last.as_linear(),
        mask: mask.as_deref(),
    })
}

/// Runs `f` on the output layer with these parameters.
pub(super) fn with_head<B: Host, T>(
    weights: &HeadWeights<B>,
    head: Head,
    f: impl FnOnce(HeadLayer) -> T,
) -> T {
    let norm = maybe(&weights.norm);
    let norm_bias = maybe(&weights.norm_bias);
    let (weight, bias) = (values::<B>(&weights.weight), maybe(&weights.bias));
    f(HeadLayer {
        norm: norm.as_deref().map(|weight| NormLayer {
            weight,
            bias: norm_bias.as_deref(),
            kind: head.norm,
        }),
        weight: &weight,
        bias: bias.as_deref(),
        width: weights.weight.shape()[usize::from(head.tied)],
        tied: head.tied,
    })
}

/// Runs `f` on the embedding layer with these parameters.
pub(super) fn with_embedding<B: Host, T>(
    weights: &EmbeddingWeights<B>,
    mask: &Maybe<B>,
    layer: &EmbeddingLayer,
    f: impl FnOnce(layers::EmbeddingLayer) -> T,
) -> T {
    let table = values::<B>(&weights.weight);
    let (taps, position) = (maybe(&weights.taps), maybe(&weights.position));
    let mask = maybe(mask);
    f(layers::EmbeddingLayer {
        embedding: Embedding {
            table: &table,
            width: weights.weight.shape()[1],
            scale: layer.scale,
            taps: taps.as_deref().unwrap_or_default(),
            distances: &layer.distances,
            length: layer.length,
            before: 0,
        },
        position: position.as_deref(),
        mask: mask.as_deref(),
    })
}

/// [`super::embedding`].
pub(super) fn embedding<B: Host>(
    weights: &EmbeddingWeights<B>,
    mask: &Maybe<B>,
    tokens: &[u8],
    layer: &EmbeddingLayer,
) -> FloatTensor<B> {
    let y = with_embedding::<B, _>(weights, mask, layer, |layer| layer.forward(tokens));
    let shape = [tokens.len(), weights.weight.shape()[1]];
    tensor::<B>(y, &shape, &weights.weight)
}

/// [`super::attention_layer`], and what its backward pass needs.
pub(super) fn attention_layer<B: Host>(
    x: &FloatTensor<B>,
    weights: &AttentionWeights<B>,
    mask: &Maybe<B>,
    layer: AttentionLayer,
) -> (FloatTensor<B>, SublayerSaved) {
    let (y, saved) = with_attention(weights, mask, layer, |sub| sub.forward(&values::<B>(x)));
    (tensor::<B>(y, &x.shape(), x), saved)
}

/// [`super::mlp_layer`], and what its backward pass needs.
pub(super) fn mlp_layer<B: Host>(
    x: &FloatTensor<B>,
    weights: &MlpWeights<B>,
    mask: &Maybe<B>,
    layer: MlpLayer,
) -> (FloatTensor<B>, SublayerSaved) {
    let (y, saved) = with_mlp(weights, mask, layer, |sub| sub.forward(&values::<B>(x)));
    (tensor::<B>(y, &x.shape(), x), saved)
}

/// [`super::head_loss`], and what its backward pass needs.
pub(super) fn head_loss<B: Host>(
    x: &FloatTensor<B>,
    weights: &HeadWeights<B>,
    targets: &[u8],
    head: Head,
) -> (FloatTensor<B>, HeadSaved) {
    priced::<B>(x, weights, Targets::Alone(targets), head)
}

/// [`super::head_mixture`], and what its backward pass needs.
pub(super) fn head_mixture<B: Host>(
    x: &FloatTensor<B>,
    weights: &HeadWeights<B>,
    gates: &FloatTensor<B>,
    targets: &[u8],
    other: &Other,
    head: Head,
) -> (FloatTensor<B>, HeadSaved) {
    let beside = Beside {
        targets,
        logits: &other.logits,
        gates: &values::<B>(gates),
    };
    priced::<B>(x, weights, Targets::Beside(beside, other.alone), head)
}

fn priced<B: Host>(
    x: &FloatTensor<B>,
    weights: &HeadWeights<B>,
    targets: Targets<'_>,
    head: Head,
) -> (FloatTensor<B>, HeadSaved) {
    let (mean, saved) = with_head(weights, head, |h| h.forward(&values::<B>(x), targets));
    (tensor::<B>(vec![mean], &[1], x), saved)
}

/// Returns the memory of a tensor to the pool of buffers, unless it is shared.
pub(super) fn recycle<B: Host>(tensor: FloatTensor<B>) {
    if tensor.can_mut() {
        give(into_values::<B>(tensor));
    }
}
