//! The deterministic forward pass, with state.
//!
//! What lives here:
//! - [`Transformer`]: weights laid out for the pass;
//! - [`State`]: what many independent streams (lanes), which advance in
//!   lock-step, remember; [`Transformer::forward`] and
//!   [`Transformer::forward_each`] advance it by one step or by many;
//! - [`Transformer::score`]: whole byte sets from their start, for code lengths
//!   and for encoding.
//!
//! All arithmetic is that of `brevity-kernels`; training is elsewhere.

mod block;
mod group;
mod ops;
mod score;
mod state;

pub use state::State;

use crate::sinusoidal::sinusoidal_positions;
use crate::spec::{Placement, Position, SYMBOLS, Spec};
use crate::weights::Weights;
use block::{Block, Linear, NormLayer};

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
    /// `[256, d]`, multiplied by `sqrt(d)` already if the spec says so.
    embedding: Vec<f32>,
    /// `[context, d]` for learned positions.
    positions: Option<Vec<f32>>,
    blocks: Vec<Block>,
    final_norm: Option<NormLayer>,
    /// The matrix is `[d, 256]`, for tied models the transposed embedding.
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
        let get = |name: &str| weights.get(name).map(<[f32]>::to_vec);
        let own = |name: &str| get(name).expect("weights hold every tensor of their spec");

        let mut embedding = own("embedding.weight");
        let output = Linear {
            input: d,
            output: SYMBOLS,
            name: if spec.tied {
                "embedding.weight"
            } else {
                "output.weight"
            }
            .into(),
            weight: if spec.tied {
                transposed(&embedding, d)
            } else {
                own("output.weight")
            },
            bias: get("output.bias"),
        };
        if spec.scale_embedding {
            let scale = (d as f32).sqrt();
            embedding.iter_mut().for_each(|x| *x *= scale);
        }
        Transformer {
            embedding,
            positions: get("position.weight"),
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

    /// The sinusoidal table for the first `steps` positions, empty for specs
    /// with other positions.
    fn sinusoids(&self, steps: usize) -> Vec<f32> {
        match self.spec.position {
            Position::Sinusoidal => sinusoidal_positions(steps, self.spec.width),
            Position::Learned | Position::Rope => Vec::new(),
        }
    }
}

/// `[256, d]` as `[d, 256]`.
fn transposed(embedding: &[f32], d: usize) -> Vec<f32> {
    let mut out = vec![0.0; embedding.len()];
    for (symbol, row) in embedding.chunks_exact(d).enumerate() {
        for (i, x) in row.iter().enumerate() {
            out[i * SYMBOLS + symbol] = *x;
        }
    }
    out
}
