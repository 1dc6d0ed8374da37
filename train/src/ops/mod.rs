//! The hot operations of a byte transformer, as one extension of burn's
//! backends.
//!
//! There are four: the embedding, the two sublayers of a block with their
//! normalisation and residual, and the output layer with its loss. They are
//! this coarse because a fine-grained graph writes every intermediate to memory
//! twice, and because a sublayer that owns its gradient adds the residual
//! branch to it in place.
//!
//! [`Ops`] has a default body for each, composed of ordinary burn operations in
//! [`mod@reference`]: the definition, and what a GPU runs. The CPU backends
//! override them with the kernels of `brevity-kernels` and backward passes
//! written by hand, so that a training step on the CPU has the same bits on
//! every machine and with any number of threads.
//!
//! Activations are matrices `[rows, width]`, one row a position, sequences one
//! after the other. Weights are `[in, out]`.

mod autodiff;
mod backends;
mod buffers;
mod host;
mod layers;
pub mod reference;
#[cfg(test)]
mod tests;

pub use backends::{DeviceError, DeviceKind, Ops};
pub use brevity_kernels::attention::Attention;
pub use brevity_model::{Activation, Norm, Placement};

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, ExtensionType};
use burn::tensor::Tensor;
use std::cell::Cell;
use std::sync::Arc;

/// Bytes that all parts of an operation share.
pub type Tokens = Arc<[u8]>;

thread_local! {
    static DEFAULT_BODIES: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with the default bodies of [`Ops`] on every backend, as far as this
/// thread goes: plain burn, to compare with.
pub fn with_default_bodies<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            DEFAULT_BODIES.set(self.0);
        }
    }
    let _restore = Restore(DEFAULT_BODIES.replace(true));
    f()
}

fn default_bodies() -> bool {
    DEFAULT_BODIES.get()
}

/// Keeps the memory of values read back from a tensor for the next step.
pub(crate) fn recycle(values: Vec<f32>) {
    buffers::give(values);
}

/// Frees the memory kept between steps, when a run is over.
pub(crate) fn forget_buffers() {
    buffers::clear();
}

/// A tensor that a variant of the model may lack.
#[derive(Clone, Debug, ExtensionType)]
pub enum Maybe<B: Backend> {
    /// It is there.
    Some(FloatTensor<B>),
    /// It is not.
    None,
}

impl<B: Backend> Maybe<B> {
    /// As an option.
    pub fn into_option(self) -> Option<FloatTensor<B>> {
        match self {
            Maybe::Some(tensor) => Some(tensor),
            Maybe::None => None,
        }
    }
}

/// A tensor as the operations take it.
pub fn some<const D: usize>(tensor: Tensor<D>) -> FloatTensor<Dispatch> {
    tensor.into_dispatch()
}

/// A tensor that may lack as the operations take it.
pub fn maybe<const D: usize>(tensor: Option<Tensor<D>>) -> Maybe<Dispatch> {
    tensor.map_or(Maybe::None, |t| Maybe::Some(t.into_dispatch()))
}

/// Parameters of the embedding.
#[derive(Clone, Debug, ExtensionType)]
pub struct EmbeddingWeights<B: Backend> {
    /// `[256, width]`
    pub weight: FloatTensor<B>,
    /// Weights of earlier bytes, a row for each of the layer's distances.
    #[extension_type]
    pub taps: Maybe<B>,
    /// Vectors of positions, `[at least length, width]`.
    #[extension_type]
    pub position: Maybe<B>,
}

/// Parameters of a norm.
#[derive(Clone, Debug, ExtensionType)]
pub struct NormWeights<B: Backend> {
    /// Scale, `[width]`.
    pub weight: FloatTensor<B>,
    /// Shift, `[width]`; layer norm only.
    #[extension_type]
    pub bias: Maybe<B>,
}

/// Parameters of an affine map.
#[derive(Clone, Debug, ExtensionType)]
pub struct LinearWeights<B: Backend> {
    /// `[in, out]`.
    pub weight: FloatTensor<B>,
    /// `[out]`.
    #[extension_type]
    pub bias: Maybe<B>,
}

/// Parameters of the attention sublayer.
#[derive(Clone, Debug, ExtensionType)]
pub struct AttentionWeights<B: Backend> {
    /// Before or after the sublayer.
    #[extension_type]
    pub norm: NormWeights<B>,
    /// Queries, keys and values, `[width, 3 width]`.
    #[extension_type]
    pub qkv: LinearWeights<B>,
    /// Gain on the scores of normalised queries and keys, `[heads]`.
    #[extension_type]
    pub gain: Maybe<B>,
    /// `[width, width]`.
    #[extension_type]
    pub output: LinearWeights<B>,
}

/// Parameters of the feed-forward sublayer.
#[derive(Clone, Debug, ExtensionType)]
pub struct MlpWeights<B: Backend> {
    /// Before or after the sublayer.
    #[extension_type]
    pub norm: NormWeights<B>,
    /// `[width, hidden]`, or `[width, 2 hidden]` for SwiGLU.
    #[extension_type]
    pub up: LinearWeights<B>,
    /// `[hidden, width]`.
    #[extension_type]
    pub down: LinearWeights<B>,
}

/// Parameters of the output layer.
#[derive(Clone, Debug, ExtensionType)]
pub struct HeadWeights<B: Backend> {
    /// Scale of the final norm, `[width]`; pre-norm only.
    #[extension_type]
    pub norm: Maybe<B>,
    /// Shift of the final norm, `[width]`; pre-norm with layer norm only.
    #[extension_type]
    pub norm_bias: Maybe<B>,
    /// `[width, 256]`, or the embedding `[256, width]` if tied.
    pub weight: FloatTensor<B>,
    /// `[256]`.
    #[extension_type]
    pub bias: Maybe<B>,
}

/// What the embedding is, apart from its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingLayer {
    /// Rows of a sequence.
    pub length: usize,
    /// Factor of everything but positions.
    pub scale: f32,
    /// How far before a byte each tap looks, ascending.
    pub distances: Arc<[usize]>,
}

/// What an attention sublayer is, apart from its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionLayer {
    /// Heads, positions, window.
    pub attention: Attention,
    /// Rows of a sequence.
    pub length: usize,
    /// Kind of normalisation.
    pub norm: Norm,
    /// Place of the normalisation.
    pub placement: Placement,
}

/// What a feed-forward sublayer is, apart from its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MlpLayer {
    /// The nonlinearity.
    pub activation: Activation,
    /// Kind of normalisation.
    pub norm: Norm,
    /// Place of the normalisation.
    pub placement: Placement,
}

/// What the output layer is, apart from its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// Kind of normalisation, used if there is a final norm.
    pub norm: Norm,
    /// The weight is the embedding, transposed.
    pub tied: bool,
}

/// The embedded `tokens`, whole sequences of `layer.length`: the row of
/// `weights.weight` that belongs to each, plus those of the bytes at the layer's
/// distances before it in its sequence times the taps, all times `layer.scale`; plus the row of
/// `weights.position` for its place in the sequence; times `mask`:
/// `[tokens, width]`.
pub fn embedding(
    weights: EmbeddingWeights<Dispatch>,
    mask: Option<Tensor<2>>,
    tokens: Tokens,
    layer: EmbeddingLayer,
) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as Ops>::embedding(
        weights,
        maybe(mask),
        tokens,
        layer,
    ))
}

/// The attention sublayer on the residual stream `x` `[rows, width]`:
/// `x + mask f(norm(x))` for pre-norm, `norm(x + mask f(x))` for post-norm,
/// where `f` projects to queries, keys and values, attends within sequences of
/// `layer.length` rows, and projects back.
pub fn attention_layer(
    x: Tensor<2>,
    weights: AttentionWeights<Dispatch>,
    mask: Option<Tensor<2>>,
    layer: AttentionLayer,
) -> Tensor<2> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(<Dispatch as Ops>::attention_layer(
        x,
        weights,
        maybe(mask),
        layer,
    ))
}

/// The feed-forward sublayer on the residual stream `x` `[rows, width]`, with
/// norm, mask and residual as in [`attention_layer`].
pub fn mlp_layer(
    x: Tensor<2>,
    weights: MlpWeights<Dispatch>,
    mask: Option<Tensor<2>>,
    layer: MlpLayer,
) -> Tensor<2> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(<Dispatch as Ops>::mlp_layer(x, weights, maybe(mask), layer))
}

/// Mean cross entropy, in nats, of the logits of `x` `[rows, width]` against
/// `targets`, one a row: `[1]`.
pub fn head_loss(
    x: Tensor<2>,
    weights: HeadWeights<Dispatch>,
    targets: Tokens,
    head: Head,
) -> Tensor<1> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(<Dispatch as Ops>::head_loss(x, weights, targets, head))
}
