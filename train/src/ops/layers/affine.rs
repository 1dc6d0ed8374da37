//! Norms and affine maps with their parameters.

use super::super::Norm;
use super::super::buffers::{Buffer, take};
use super::parts::{Cut, Parts};
use brevity_kernels::gemm::{Epilogue, Right, View, ViewMut, gemm};
use brevity_kernels::{linear, norm, reduce};

/// Parameters and kind of a norm over rows of `weight.len()`.
#[derive(Clone, Copy)]
pub(in super::super) struct NormLayer<'a> {
    pub weight: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub kind: Norm,
}

/// Gradients of a norm's parameters.
#[derive(Debug)]
pub(in super::super) struct NormGrads {
    pub weight: Vec<f32>,
    pub bias: Option<Vec<f32>>,
}

/// Statistics that a norm's forward pass saves.
#[derive(Clone, Debug, Default)]
pub(super) struct NormSaved {
    /// The inverse standard deviation of each row.
    inverse: Buffer,
    /// The mean of each row; only for layer norm.
    mean: Buffer,
}

impl NormSaved {
    /// Splits the statistics among the tasks, for [`NormLayer::forward`].
    pub fn cut(&mut self, parts: &Parts) -> [Cut<'_>; 2] {
        [parts.cut(&mut self.inverse), parts.cut(&mut self.mean)]
    }

    /// Returns the statistics of `rows`, for [`NormLayer::backward`].
    pub fn of(&self, parts: &Parts, rows: &std::ops::Range<usize>) -> [&[f32]; 2] {
        [parts.of(&self.inverse, rows), parts.of(&self.mean, rows)]
    }
}

/// Gradients of a norm's parameters, separate for each part of the rows.
pub(super) struct NormSums {
    weight: Buffer,
    /// Only for layer norm.
    bias: Buffer,
}

impl NormSums {
    /// Splits the sums among the tasks, for [`NormLayer::backward`].
    pub fn cut(&mut self, parts: &Parts) -> [Cut<'_>; 2] {
        [
            parts.cut_sums(&mut self.weight),
            parts.cut_sums(&mut self.bias),
        ]
    }

    /// The sum over the parts.
    pub fn total(&self, layer: &NormLayer) -> NormGrads {
        let total = |sums: &[f32]| {
            let mut total = take(layer.width());
            reduce::add_parts(sums, &mut total, false);
            total
        };
        NormGrads {
            weight: total(&self.weight),
            bias: layer.bias.map(|_| total(&self.bias)),
        }
    }
}

impl NormLayer<'_> {
    pub fn width(&self) -> usize {
        self.weight.len()
    }

    /// Buffers for the statistics of `rows` rows.
    pub(super) fn saved(&self, rows: usize) -> NormSaved {
        NormSaved {
            inverse: Buffer::new(rows),
            mean: Buffer::new(if self.kind == Norm::Layer { rows } else { 0 }),
        }
    }

    /// Buffers for the gradients of each part.
    pub(super) fn sums(&self, parts: &Parts) -> NormSums {
        let len = parts.count() * self.width();
        NormSums {
            weight: Buffer::new(len),
            bias: Buffer::new(if self.kind == Norm::Layer { len } else { 0 }),
        }
    }

    /// `y` from `x`, and the statistics of the rows.
    pub fn forward(&self, x: &[f32], y: &mut [f32], [inverse, mean]: [&mut [f32]; 2]) {
        let eps = self.kind.epsilon();
        match self.kind {
            Norm::Rms => norm::rms_norm(x, self.weight, eps, y, Some(inverse)),
            Norm::Layer => {
                let bias = self.bias.expect("a layer norm has a bias");
                norm::layer_norm(x, self.weight, bias, eps, y, Some((mean, inverse)));
            }
        }
    }

    /// `dx` from `dy`, added to the values of `dx` if `accumulate`, and the
    /// gradients of the parameters for each part of `part` rows.
    #[expect(clippy::too_many_arguments, reason = "the formula has this many terms")]
    pub fn backward(
        &self,
        x: &[f32],
        [inverse, mean]: [&[f32]; 2],
        dy: &[f32],
        dx: &mut [f32],
        accumulate: bool,
        part: usize,
        [dweight, dbias]: [&mut [f32]; 2],
    ) {
        let weight = self.weight;
        match self.kind {
            Norm::Rms => {
                norm::rms_norm_backward(x, weight, inverse, dy, dx, accumulate, part, dweight);
            }
            Norm::Layer => {
                norm::layer_norm_backward(
                    x, weight, mean, inverse, dy, dx, accumulate, part, dweight, dbias,
                );
            }
        }
    }
}

/// Parameters of an affine map of `inputs` values, weights `[inputs, outputs]`.
#[derive(Clone, Copy)]
pub(in super::super) struct LinearLayer<'a> {
    pub weight: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub inputs: usize,
}

/// Gradients of an affine map's parameters.
#[derive(Debug)]
pub(in super::super) struct LinearGrads {
    pub weight: Vec<f32>,
    pub bias: Option<Vec<f32>>,
}

impl<'a> LinearLayer<'a> {
    pub fn outputs(&self) -> usize {
        self.weight.len() / self.inputs
    }

    /// The weights, `[inputs, outputs]`.
    pub fn view(&self) -> View<'a> {
        View::new(self.weight, self.inputs, self.outputs())
    }

    /// `y = epilogue(x W + bias)`, where `weights` are those of this layer.
    pub fn forward(&self, x: &[f32], weights: Right, y: &mut [f32], epilogue: Epilogue) {
        let bias = self.bias;
        linear::forward(x, weights, y, Epilogue { bias, ..epilogue });
    }

    pub fn backward_weight(&self, x: &[f32], dy: &[f32]) -> LinearGrads {
        let mut weight = take(self.weight.len());
        linear::backward_weight(x, dy, self.inputs, self.outputs(), &mut weight, false);
        LinearGrads {
            weight,
            bias: self.bias.map(|_| bias_gradient(dy, self.outputs())),
        }
    }
}

/// `dx = epilogue(dy W^T)`, added to the values of `dx` if `accumulate`.
/// `transposed` is `W^T`.
pub(super) fn backward_input(
    dy: &[f32],
    transposed: Right,
    dx: &mut [f32],
    accumulate: bool,
    epilogue: Epilogue,
) {
    let (outputs, inputs) = (transposed.rows(), transposed.cols());
    let rows = dx.len() / inputs;
    gemm(
        View::new(dy, rows, outputs),
        transposed,
        ViewMut::new(dx, rows, inputs),
        accumulate,
        epilogue,
    );
}

/// The gradient of a bias.
pub(super) fn bias_gradient(dy: &[f32], outputs: usize) -> Vec<f32> {
    let mut db = take(outputs);
    linear::backward_bias(dy, &mut db, false);
    db
}
