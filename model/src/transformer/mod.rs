//! The deterministic forward pass, with state.
//!
//! What lives here:
//! - [`Transformer`]: weights laid out for the pass;
//! - [`State`]: what many independent streams (lanes), which advance in
//!   lock-step, remember; [`Transformer::forward`],
//!   [`Transformer::forward_each`] and [`Transformer::decode`] advance it;
//! - [`Transformer::score`]: whole byte sets from their start, for code lengths
//!   and for encoding.
//!
//! All arithmetic is that of `brevity-kernels`; training is elsewhere.

mod block;
mod finite;
mod group;
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

/// A byte transformer ready to predict.
///
/// The logits for a byte depend on the weights, on the bytes before it in its
/// lane and on nothing else: not on the number of lanes and what is in them,
/// nor on how the steps are cut into calls, nor on the number of threads or
/// the CPU. They are equal to the last bit.
///
/// Without a window (chunk mode), positions start anew every `context` steps
/// of a lane, and nothing is seen of earlier chunks. With one (stream mode),
/// a lane is one unbounded stream.
#[derive(Debug)]
pub struct Transformer {
    spec: Spec,
    /// `[256, d]`
    embedding: Vec<f32>,
    embedding_scale: f32,
    /// `[taps + lags, d]`
    taps: Vec<f32>,
    /// How far before a byte each of them looks.
    distances: Vec<usize>,
    /// `[context, d]` for learned positions.
    positions: Option<Vec<f32>>,
    blocks: Vec<Block>,
    final_norm: Option<NormLayer>,
    /// For tied models the transposed embedding.
    output: Linear,
}

/// A forward pass that left the finite numbers. The state it ran on is spoilt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the model's activations after `{tensor}` are not finite at byte {position} of lane {lane}: \
     its weights are too large to code with"
)]
pub struct ForwardError {
    /// The parameter tensor whose product overflowed.
    pub tensor: String,
    /// The lane, or the part that was scored.
    pub lane: usize,
    /// Steps of the lane before this one.
    pub position: u64,
}

impl Transformer {
    /// Lays out a copy of the weights.
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

    /// What this is.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// How far back the taps look, 0 without any.
    fn furthest_tap(&self) -> usize {
        self.distances.last().copied().unwrap_or(0)
    }

    /// Vectors of the positions that lanes of `steps` steps come to, empty
    /// unless sinusoidal.
    fn sinusoids(&self, steps: usize) -> Arc<[f32]> {
        match self.spec.position {
            Position::Sinusoidal => {
                sinusoidal_positions(steps.min(self.spec.context), self.spec.width).into()
            }
            Position::Learned | Position::Rope => Arc::default(),
        }
    }
}
