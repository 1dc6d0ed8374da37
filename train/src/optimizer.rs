//! The optimisers over the parameters' own layout: which tensor gets what.
//!
//! The arithmetic is that of `brevity_kernels::optim`, on the CPU for every
//! device: gradients are read back and the stepped weights go out again. At
//! the sizes that this project trains that costs a GPU run little, and the
//! optimiser needs no second implementation.

use crate::parameters::Parameters;
use crate::recipe::{OptimizerKind, TrainConfig};
use brevity_kernels::optim::{self, AdamW, Muon};
use brevity_model::Role;

/// Added to the root of AdamW's second moment.
const EPSILON: f64 = 1e-8;

/// The state of the optimiser and of the average of weights.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Optimizer {
    /// AdamW's first moments, Muon's momenta.
    pub first: Vec<f32>,
    /// AdamW's second moments; zero where Muon steps.
    pub second: Vec<f32>,
    /// The average of weights; empty without one.
    pub average: Vec<f32>,
}

impl Optimizer {
    /// The state before the first step.
    pub fn new(config: &TrainConfig, parameters: &Parameters) -> Optimizer {
        let n = parameters.values.len();
        Optimizer {
            first: vec![0.0; n],
            second: vec![0.0; n],
            average: match config.ema > 0.0 {
                true => parameters.values.clone(),
                false => Vec::new(),
            },
        }
    }

    /// Step number `step`, counted from 1, at `rate` times the configured
    /// learning rates. Returns the norm of the gradient before clipping.
    /// `gradient` is multiplied by `scale` first.
    pub fn step(
        &mut self,
        config: &TrainConfig,
        parameters: &mut Parameters,
        gradient: &[f32],
        scale: f32,
        step: u64,
        rate: f64,
    ) -> f64 {
        let norm = optim::global_norm([gradient]) * f64::from(scale);
        let clip = match config.clip > 0.0 {
            true => optim::clip_factor(norm, config.clip),
            false => 1.0,
        };
        let scale = scale * clip;
        let hidden_width = parameters.spec().hidden;
        let tensors = parameters.tensors().to_vec();
        for (info, range) in tensors {
            let gradient = &gradient[range.clone()];
            let values = &mut parameters.values[range.clone()];
            let first = &mut self.first[range.clone()];
            let weight_decay = match info.role.is_matrix() {
                true => config.weight_decay,
                false => 0.0,
            };
            let hidden = matches!(info.role, Role::Hidden | Role::Residual);
            if hidden && config.optimizer == OptimizerKind::Muon {
                let muon = Muon {
                    learning_rate: rate * config.learning_rate,
                    momentum: config.momentum,
                    nesterov: true,
                    weight_decay,
                };
                // Queries, keys and values are matrices of their own, and so
                // are gate and value.
                let split = match &info.name {
                    name if name.ends_with("qkv.weight") => 3,
                    name if name.ends_with("up.weight") => info.shape[1] / hidden_width,
                    _ => 1,
                };
                muon.step(scale, gradient, values, first, info.shape[0], split);
            } else {
                let share = match hidden {
                    true => 1.0,
                    false => config.rest_rate,
                };
                let adamw = AdamW {
                    learning_rate: rate * config.learning_rate * share,
                    beta1: config.beta1,
                    beta2: config.beta2,
                    epsilon: EPSILON,
                    weight_decay,
                };
                let second = &mut self.second[range];
                adamw.step(step, scale, gradient, values, first, second);
            }
        }
        if !self.average.is_empty() {
            // The average of a young run forgets the initial weights faster.
            let young = (1.0 + step as f64) / (10.0 + step as f64);
            let decay = config.ema.min(young) as f32;
            optim::ema(decay, &parameters.values, &mut self.average);
        }
        norm
    }

    /// The weights that the run stands for: the average, if there is one.
    pub fn result<'a>(&'a self, parameters: &'a Parameters) -> &'a [f32] {
        match self.average.is_empty() {
            true => &parameters.values,
            false => &self.average,
        }
    }
}
