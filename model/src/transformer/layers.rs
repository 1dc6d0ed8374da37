//! Linear projections and norms with their weights.

use crate::spec::Norm;
use crate::weights::Weights;
use brevity_kernels::activation::Activation;
use brevity_kernels::gemm::{Epilogue, Packed, View};
use brevity_kernels::linear;
use brevity_kernels::norm;

/// A linear projection `y = x W + b`.
#[derive(Debug)]
pub(super) struct Linear {
    /// The name of the weight, for errors.
    pub name: String,
    weight: Packed,
    bias: Option<Vec<f32>>,
}

impl Linear {
    /// The projection with the weight `{name}.weight`, `[inputs, outputs]`, and the bias
    /// `{name}.bias` if there is one.
    pub fn new(weights: &Weights, name: &str, inputs: usize) -> Linear {
        let matrix = format!("{name}.weight");
        let values = tensor(weights, &matrix);
        let view = View::new(values, inputs, values.len() / inputs);
        Linear::of(weights, matrix, view, &format!("{name}.bias"))
    }

    /// The projection with the weight `view`, taken from the tensor `name`, and the bias
    /// named `bias` if there is one.
    pub fn of(weights: &Weights, name: String, view: View, bias: &str) -> Linear {
        Linear {
            name,
            weight: Packed::new(view),
            bias: weights.get(bias).map(<[f32]>::to_vec),
        }
    }

    /// `y = activation(x W + b) + residual`: x is `[rows, in]`, y and the
    /// residual `[rows, out]`.
    pub fn forward(
        &self,
        x: &[f32],
        activation: Option<Activation>,
        residual: Option<&[f32]>,
        y: &mut [f32],
    ) {
        let epilogue = Epilogue {
            bias: self.bias.as_deref(),
            activation,
            residual,
            ..Epilogue::default()
        };
        linear::forward(x, &self.weight, y, epilogue);
    }
}

/// A norm layer: scale and shift, `[d]` each.
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
            weight: tensor(weights, &format!("{name}.weight")).to_vec(),
            bias: weights.get(&format!("{name}.bias")).map(<[f32]>::to_vec),
        }
    }

    /// `out = norm(x)`, both `[rows, d]`.
    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        let epsilon = self.kind.epsilon();
        match (self.kind, &self.bias) {
            (Norm::Layer, Some(bias)) => {
                norm::layer_norm(x, &self.weight, bias, epsilon, out, None);
            }
            _ => norm::rms_norm(x, &self.weight, epsilon, out, None),
        }
    }
}

/// The values of the tensor `name`, which the spec has.
pub(super) fn tensor<'a>(weights: &'a Weights, name: &str) -> &'a [f32] {
    let values = weights.get(name);
    values.expect("weights hold every tensor of their spec")
}
