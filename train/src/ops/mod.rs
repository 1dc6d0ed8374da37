//! The operations of a byte transformer, as an extension of burn's backends.
//!
//! There are five: the embedding, the two sublayers of a block with their
//! normalisation and residual connection, and the output layer with its loss, alone or
//! beside another model. They
//! are this large because a fine-grained graph writes every intermediate to memory
//! twice, and because a sublayer that owns its gradient adds the residual
//! branch to it in place.
//!
//! [`Ops`] has a default body for each, composed of ordinary burn operations in
//! [`mod@reference`]: they are the definition, and run on GPUs. The CPU backends
//! override them with the kernels of `brevity-kernels` and hand-written backward
//! passes, so that a training step on the CPU has the same bits on
//! every machine and with any number of threads.
//!
//! Activations are matrices `[rows, width]`, one row per position, sequences
//! concatenated. Weights are `[in, out]`.

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

/// Bytes shared by all parts of an operation.
pub type Tokens = Arc<[u8]>;

/// Another model that codes the same targets.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its logits for the eight bits of each target that come, `[rows, 8]`, highest bit
    /// first.
    pub logits: Arc<[f32]>,
    /// Share of the loss that is the cross entropy of the model alone, 0 to 1.
    pub alone: f32,
}

thread_local! {
    static DEFAULT_BODIES: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with the default bodies of [`Ops`] on every backend, within this
/// thread: plain burn, for comparison.
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

/// Returns the memory of values read from a tensor to the pool of buffers.
pub(crate) fn recycle(values: Vec<f32>) {
    buffers::give(values);
}

/// Frees the pool of buffers at the end of a run.
pub(crate) fn forget_buffers() {
    buffers::clear();
}

/// An optional tensor, which some variants of the model do not have.
#[derive(Clone, Debug, ExtensionType)]
pub enum Maybe<B: Backend> {
    /// The tensor.
    Some(FloatTensor<B>),
    /// No tensor.
    None,
}

impl<B: Backend> Maybe<B> {
    /// Converts to an [`Option`].
    pub fn into_option(self) -> Option<FloatTensor<B>> {
        match self {
            Maybe::Some(tensor) => Some(tensor),
            Maybe::None => None,
        }
    }
}

/// Converts a tensor to the argument type of the operations.
pub fn some<const D: usize>(tensor: Tensor<D>) -> FloatTensor<Dispatch> {
    tensor.into_dispatch()
}

/// Converts an optional tensor to the argument type of the operations.
pub fn maybe<const D: usize>(tensor: Option<Tensor<D>>) -> Maybe<Dispatch> {
    tensor.map_or(Maybe::None, |t| Maybe::Some(t.into_dispatch()))
}

/// Parameters of the embedding.
#[derive(Clone, Debug, ExtensionType)]
pub struct EmbeddingWeights<B: Backend> {
    /// `[256, width]`
    pub weight: FloatTensor<B>,
    /// Weights of earlier bytes, one row for each of the layer's distances.
    #[extension_type]
    pub taps: Maybe<B>,
    /// Position embeddings, `[at least length, width]`.
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

/// Parameters of an attention sublayer.
#[derive(Clone, Debug, ExtensionType)]
pub struct AttentionWeights<B: Backend> {
    /// Before or after the sublayer.
    #[extension_type]
    pub norm: NormWeights<B>,
    /// Queries, keys and values, `[width, 3 width]`.
    #[extension_type]
    pub qkv: LinearWeights<B>,
    /// Gain of the scores of normalised queries and keys (QK norm), `[heads]`.
    #[extension_type]
    pub gain: Maybe<B>,
    /// `[width, width]`.
    #[extension_type]
    pub output: LinearWeights<B>,
}

/// Parameters of a feed-forward sublayer.
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

/// Settings of the embedding.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingLayer {
    /// Sequence length.
    pub length: usize,
    /// Factor of everything but position embeddings.
    pub scale: f32,
    /// For each tap, the distance to the earlier byte that it reads, ascending.
    pub distances: Arc<[usize]>,
}

/// Settings of an attention sublayer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionLayer {
    /// Heads, positions, window.
    pub attention: Attention,
    /// Sequence length.
    pub length: usize,
    /// Kind of normalisation.
    pub norm: Norm,
    /// Place of the normalisation.
    pub placement: Placement,
}

/// Settings of a feed-forward sublayer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MlpLayer {
    /// The nonlinearity.
    pub activation: Activation,
    /// Kind of normalisation.
    pub norm: Norm,
    /// Place of the normalisation.
    pub placement: Placement,
}

/// Settings of the output layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// Kind of normalisation, if there is a final norm.
    pub norm: Norm,
    /// Whether the weight is the embedding, transposed.
    pub tied: bool,
}

/// Embeds `tokens`, whole sequences of `layer.length`: the row of
/// `weights.weight` for each byte, plus the rows of the bytes at the layer's
/// distances before it in its sequence, times the taps; all times `layer.scale`; plus
/// the row of `weights.position` for its position in the sequence; times `mask`:
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
/// `targets`, one per row: `[1]`.
pub fn head_loss(
    x: Tensor<2>,
    weights: HeadWeights<Dispatch>,
    targets: Tokens,
    head: Head,
) -> Tensor<1> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(<Dispatch as Ops>::head_loss(x, weights, targets, head))
}

/// Mean code length, in nats, of `targets`, one per row of `x` `[rows, width]`, whose
/// bits are coded by the logits of `x` together with another model: `[1]`. The definition
/// is that of [`brevity_kernels::mixture`], which has the shape of the `gates` too. A share
/// of the loss is that of [`head_loss`].
pub fn head_mixture(
    x: Tensor<2>,
    weights: HeadWeights<Dispatch>,
    gates: Tensor<1>,
    targets: Tokens,
    beside: Other,
    head: Head,
) -> Tensor<1> {
    let (x, gates) = (x.into_dispatch(), gates.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Ops>::head_mixture(
        x, weights, gates, targets, beside, head,
    ))
}
