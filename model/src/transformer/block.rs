//! One block of the transformer, on the rows of one group of lanes.

use super::group::Buffers;
use super::ops;
use crate::spec::{Activation, Norm, Placement};
use crate::weights::Weights;
use brevity_kernels::attention::Cache;

/// A projection `y = x W + b`.
#[derive(Debug)]
pub(super) struct Linear {
    /// The weight's name, for errors.
    pub name: String,
    pub input: usize,
    pub output: usize,
    /// `[in, out]`.
    pub weight: Vec<f32>,
    /// `[out]`.
    pub bias: Option<Vec<f32>>,
}

impl Linear {
    fn new(weights: &Weights, name: String) -> Linear {
        let bias = weights.get(&format!("{name}.bias")).map(<[f32]>::to_vec);
        let name = format!("{name}.weight");
        let weight = tensor(weights, &name);
        let info = weights.iter().find(|(t, _)| t.name == name).unwrap().0;
        let (input, output) = info.rows_columns();
        Linear {
            name,
            input,
            output,
            weight,
            bias,
        }
    }
}

/// Scale and shift of a norm, `[d]` each.
#[derive(Debug)]
pub(super) struct NormLayer {
    kind: Norm,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
}

impl NormLayer {
    pub fn new(weights: &Weights, name: &str) -> NormLayer {
        NormLayer {
            kind: weights.spec().norm,
            weight: tensor(weights, &format!("{name}.weight")),
            bias: weights.get(&format!("{name}.bias")).map(<[f32]>::to_vec),
        }
    }

    /// `out = norm(x)`, both `[rows, d]`.
    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        ops::norm(self.kind, x, &self.weight, self.bias.as_deref(), out);
    }
}

fn tensor(weights: &Weights, name: &str) -> Vec<f32> {
    let values = weights.get(name);
    values
        .expect("weights hold every tensor of their spec")
        .to_vec()
}

#[derive(Debug)]
pub(super) struct Block {
    width: usize,
    placement: Placement,
    activation: Activation,
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
        let name = |part: &str| format!("blocks.{index}.{part}");
        Block {
            width: spec.width,
            placement: spec.placement,
            activation: spec.activation,
            attention_norm: NormLayer::new(weights, &name("attention_norm")),
            qkv: Linear::new(weights, name("attention.qkv")),
            gain: weights.get(&name("attention.gain")).map(<[f32]>::to_vec),
            output: Linear::new(weights, name("attention.output")),
            mlp_norm: NormLayer::new(weights, &name("mlp_norm")),
            up: Linear::new(weights, name("mlp.up")),
            down: Linear::new(weights, name("mlp.down")),
        }
    }

    /// Advances the residual stream `buffers.x` by this block: `steps` further
    /// positions of every lane of `cache`.
    ///
    /// # Errors
    /// The weight whose product is not finite, and the first row where.
    pub fn forward(
        &self,
        cache: &mut Cache,
        steps: usize,
        buffers: &mut Buffers,
    ) -> Result<(), (&str, usize)> {
        let pre = self.placement == Placement::Pre;
        let Buffers {
            x,
            normed,
            qkv,
            attended,
            hidden,
            gated,
            ..
        } = buffers;

        if pre {
            self.attention_norm.forward(x, normed);
        }
        ops::linear(if pre { normed } else { x }, &self.qkv, qkv);
        cache.attend(steps, qkv, self.gain.as_deref(), attended);
        ops::linear_add(attended, &self.output, x);
        finite_rows(x, self.width).map_err(|row| (&self.output.name[..], row))?;
        if !pre {
            self.attention_norm.forward(x, normed);
            std::mem::swap(x, normed);
        }

        if pre {
            self.mlp_norm.forward(x, normed);
        }
        ops::linear(if pre { normed } else { x }, &self.up, hidden);
        let inner = ops::activate(self.activation, hidden, gated, self.down.input);
        ops::linear_add(inner, &self.down, x);
        finite_rows(x, self.width).map_err(|row| (&self.down.name[..], row))?;
        if !pre {
            self.mlp_norm.forward(x, normed);
            std::mem::swap(x, normed);
        }
        Ok(())
    }
}

/// Whether all rows of `width` values are finite; else the first that is not.
pub(super) fn finite_rows(x: &[f32], width: usize) -> Result<(), usize> {
    // Infinity and NaN have all exponent bits set; a maximum over integers
    // vectorises, and the search is for the day that it matters.
    const INFINITY: u32 = 0x7f80_0000;
    let magnitude = |x: &f32| x.to_bits() & !(1 << 31);
    if x.iter().map(magnitude).fold(0, u32::max) < INFINITY {
        return Ok(());
    }
    let mut rows = x.chunks_exact(width);
    Err(rows
        .position(|row| row.iter().any(|x| !x.is_finite()))
        .unwrap_or(0))
}
