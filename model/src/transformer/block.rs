//! A transformer block: attention and the feed-forward layer.

use super::finite_check::check_finite;
use super::lane_group::Buffers;
use super::layers::{Linear, NormLayer};
use crate::spec::{Activation, Placement, Spec};
use crate::weights::Weights;
use brevity_kernels::activation::{self, Activation as Elementwise};
use brevity_kernels::attention::KvCache;

#[derive(Debug)]
pub(super) struct Block {
    width: usize,
    hidden: usize,
    placement: Placement,
    /// Fused into the up projection; `None` for SwiGLU, which is not elementwise.
    activation: Option<Elementwise>,
    attention_norm: NormLayer,
    qkv: Linear,
    gain: Option<Vec<f32>>,
    output: Linear,
    mlp_norm: NormLayer,
    up: Linear,
    down: Linear,
}

impl Block {
    pub fn new(weights: &Weights, index: usize) -> Block {
        let spec = weights.spec();
        let d = spec.width;
        let name = |part: &str| format!("blocks.{index}.{part}");
        Block {
            width: d,
            hidden: spec.hidden,
            placement: spec.placement,
            activation: elementwise(spec),
            attention_norm: NormLayer::new(weights, &name("attention_norm")),
            qkv: Linear::new(weights, &name("attention.qkv"), d),
            gain: weights.get(&name("attention.gain")).map(<[f32]>::to_vec),
            output: Linear::new(weights, &name("attention.output"), d),
            mlp_norm: NormLayer::new(weights, &name("mlp_norm")),
            up: Linear::new(weights, &name("mlp.up"), d),
            down: Linear::new(weights, &name("mlp.down"), spec.hidden),
        }
    }

    /// Applies the block to the residual stream `buffers.x`, for `steps` further
    /// positions of every lane of `cache`.
    ///
    /// # Errors
    /// The name of the weight whose product is not finite, and the first such row.
    pub fn forward(
        &self,
        cache: &mut KvCache,
        steps: usize,
        buffers: &mut Buffers,
    ) -> Result<(), (&str, usize)> {
        let Buffers {
            x,
            y,
            qkv,
            attended,
            hidden,
            gated,
            ..
        } = buffers;

        let input = self.before(&self.attention_norm, x, y);
        self.qkv.forward(input, None, None, qkv);
        cache.attend(steps, qkv, self.gain.as_deref(), attended);
        self.output.forward(attended, None, Some(x), y);
        self.after(&self.attention_norm, &self.output, x, y)?;

        let input = self.before(&self.mlp_norm, x, y);
        self.up.forward(input, self.activation, None, hidden);
        let inner = match self.activation {
            Some(_) => hidden,
            None => {
                activation::swiglu(hidden, self.hidden, gated);
                gated
            }
        };
        self.down.forward(inner, None, Some(x), y);
        self.after(&self.mlp_norm, &self.down, x, y)
    }

    /// The input of a sublayer: `norm(x)`, written to `y`, for pre-norm; `x` for
    /// post-norm.
    fn before<'a>(&self, norm: &NormLayer, x: &'a [f32], y: &'a mut [f32]) -> &'a [f32] {
        match self.placement {
            Placement::Pre => {
                norm.forward(x, y);
                y
            }
            Placement::Post => x,
        }
    }

    /// Makes `y`, the residual sum after a sublayer, the new residual stream `x`. `last`
    /// is the last projection of the sublayer.
    fn after<'a>(
        &self,
        norm: &NormLayer,
        last: &'a Linear,
        x: &mut Vec<f32>,
        y: &mut Vec<f32>,
    ) -> Result<(), (&'a str, usize)> {
        check_finite(y, self.width).map_err(|row| (&last.name[..], row))?;
        match self.placement {
            Placement::Pre => std::mem::swap(x, y),
            Placement::Post => norm.forward(y, x),
        }
        Ok(())
    }
}

fn elementwise(spec: &Spec) -> Option<Elementwise> {
    match spec.activation {
        Activation::Gelu => Some(Elementwise::Gelu),
        Activation::GeluErf => Some(Elementwise::GeluErf),
        Activation::Relu2 => Some(Elementwise::Relu2),
        Activation::Swiglu => None,
    }
}
