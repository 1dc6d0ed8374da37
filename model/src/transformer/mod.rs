//! Inference: the deterministic forward pass, with KV cache.
//!
//! - [`Transformer`]: weights in the layout of the forward pass;
//! - [`State`]: the KV caches of a batch of independent streams (lanes) that advance
//!   in lock-step; [`Transformer::forward`], [`Transformer::forward_each`] and
//!   [`Transformer::decode`] advance it;
//! - [`Transformer::score`]: logits for known bytes, for code lengths and for encoding.
//!
//! All arithmetic is in `brevity-kernels`; training is in another crate.

mod block;
mod finite_check;
mod lane_group;
mod layers;
mod score;
mod state;

pub use state::State;

use crate::sinusoidal::sinusoidal_positions;
use crate::spec::{Placement, Position, SYMBOLS, Spec};
use crate::weights::Weights;
use block::Block;
use brevity_kernels::gemm::View;
use layers::{Linear, NormLayer, tensor};
use std::sync::Arc;

/// A byte transformer, ready for inference.
///
/// The logits for a byte depend, to the last bit, only on the weights and on the
/// earlier bytes of its lane: not on the batch size or the other lanes, not on how
/// the steps are split into calls, not on the number of threads or the CPU.
///
/// Without a window (chunk mode), a lane is cut into independent chunks of `context`
/// bytes. With a window (stream mode), it is one unbounded stream.
#[derive(Debug)]
pub struct Transformer {
    spec: Spec,
    /// `[256, d]`
    embedding: Vec<f32>,
    embedding_scale: f32,
    /// `[taps + lags, d]`
    taps: Vec<f32>,
    /// The distance of each tap from the input byte, in bytes.
    distances: Vec<usize>,
    /// Learned position vectors, `[context, d]`.
    positions: Option<Vec<f32>>,
    blocks: Vec<Block>,
    final_norm: Option<NormLayer>,
    /// The output projection; in tied models, the transposed embedding.
    output: Linear,
}

/// The forward pass computed an activation that is not finite. Its [`State`] cannot be
/// used any more until it is reset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the model's activations after `{tensor}` are not finite at byte {position} of lane {lane}: \
     its weights are too large to code with"
)]
pub struct ForwardError {
    /// The parameter tensor of the matrix product that overflowed.
    pub tensor: String,
    /// The lane, or the scored part.
    pub lane: usize,
    /// The byte of the lane, counted from 0.
    pub position: u64,
}

impl Transformer {
    /// Copies the weights into the layout of the forward pass.
    pub fn new(weights: &Weights) -> Transformer {
        let spec = weights.spec().clone();
        let d = spec.width;
        let embedding = tensor(weights, "embedding.weight");
        let output = if spec.tied {
            let transposed = View::new(embedding, SYMBOLS, d).t();
            Linear::of(
                weights,
                "embedding.weight".into(),
                transposed,
                "output.bias",
            )
        } else {
            Linear::new(weights, "output", d)
        };
        Transformer {
            embedding: embedding.to_vec(),
            embedding_scale: if spec.scale_embedding {
                (d as f32).sqrt()
            } else {
                1.0
            },
            taps: weights
                .get("embedding.taps")
                .map(<[f32]>::to_vec)
                .unwrap_or_default(),
            distances: spec.tap_distances(),
            positions: weights.get("position.weight").map(<[f32]>::to_vec),
            blocks: (0..spec.layers).map(|i| Block::new(weights, i)).collect(),
            final_norm: (spec.placement == Placement::Pre)
                .then(|| NormLayer::new(weights, "final_norm")),
            output,
            spec,
        }
    }

    /// The spec.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The largest distance of a tap from the input byte, in bytes; 0 without taps.
    fn furthest_tap(&self) -> usize {
        self.distances.last().copied().unwrap_or(0)
    }

    /// Sinusoidal position vectors for lanes of `steps` steps, `[positions, d]`; empty
    /// for other kinds of position.
    fn sinusoids(&self, steps: usize) -> Arc<[f32]> {
        match self.spec.position {
            Position::Sinusoidal => {
                sinusoidal_positions(steps.min(self.spec.context), self.spec.width).into()
            }
            Position::Learned | Position::Rope => Arc::default(),
        }
    }
}
