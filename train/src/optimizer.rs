//! The optimizers, NorMuon, Muon and AdamW, on the flat parameters. This file decides
//! which tensor gets which update.
//!
//! The arithmetic is in `brevity_kernels::optim` and runs on the CPU for every
//! device: a GPU run reads gradients back and uploads the updated weights. At
//! the model sizes of this project that costs little, and the optimizer needs no
//! second implementation.

use crate::parameters::Parameters;
use crate::recipe::{OptimizerKind, TrainConfig};
use brevity_kernels::optim::{self, AdamW, Muon, NorMuon};
use brevity_model::{Role, TensorInfo};
use rayon::prelude::*;

/// Epsilon of AdamW, added to the square root of the second moment.
const EPSILON: f64 = 1e-8;

/// Spectral norm of Muon's updates, relative to the learning rate, for a model of
/// one layer. It is divided by the square root of the number of layers, with which
/// the effect of all updates grows (Yang et al. 2023, "Tensor Programs VI"), so that
/// one learning rate serves models of all shapes: `docs/recipe.md`. With two layers
/// of width 48 the root mean square of an update is 0.2, that of AdamW.
const SPECTRAL_NORM: f64 = 2.0;

/// The state of the optimizer and the moving average of the weights.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Optimizer {
    /// AdamW's first moments, Muon's momenta.
    pub first: Vec<f32>,
    /// AdamW's second moments; for NorMuon's tensors those of the outputs, at the front of
    /// each tensor's values, and zero behind; zero for Muon's.
    pub second: Vec<f32>,
    /// The exponential moving average of the weights; empty if there is none.
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

    /// Takes optimizer step number `step`, counted from 1, at `rate` times the
    /// configured learning rates. Returns the norm of the gradient before gradient
    /// clipping. `gradient` is multiplied by `scale` first.
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
        let spec = parameters.spec();
        let (hidden_width, layers) = (spec.hidden, spec.layers);
        let tensors = parameters.tensors().to_vec();
        let mut values = &mut parameters.values[..];
        let (mut first, mut second) = (&mut self.first[..], &mut self.second[..]);
        // Tensors are adjacent, in order.
        let tensors: Vec<Tensor> = tensors
            .iter()
            .map(|(info, range)| Tensor {
                info,
                gradient: &gradient[range.clone()],
                values: front(&mut values, range.len()),
                first: front(&mut first, range.len()),
                second: front(&mut second, range.len()),
            })
            .collect();
        let rates = Rates {
            config,
            scale,
            step,
            rate,
            hidden_width,
            layers,
        };
        let tensors = tensors.into_par_iter().with_max_len(1);
        tensors.for_each(|tensor| rates.step(tensor));
        if !self.average.is_empty() {
            // Early in a run the average forgets the initial weights faster.
            let young = (1.0 + step as f64) / (10.0 + step as f64);
            let decay = config.ema.min(young) as f32;
            optim::ema(decay, &parameters.values, &mut self.average);
        }
        norm
    }

    /// The resulting weights: the moving average, if there is one.
    pub fn result<'a>(&'a self, parameters: &'a Parameters) -> &'a [f32] {
        match self.average.is_empty() {
            true => &parameters.values,
            false => &self.average,
        }
    }
}

/// Splits the first `len` values off `rest`.
fn front<'a>(rest: &mut &'a mut [f32], len: usize) -> &'a mut [f32] {
    let (front, behind) = std::mem::take(rest).split_at_mut(len);
    *rest = behind;
    front
}

/// One tensor's slices of parameters, gradient and state.
struct Tensor<'a> {
    info: &'a TensorInfo,
    gradient: &'a [f32],
    values: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

/// The settings of one step, the same for all tensors.
struct Rates<'a> {
    config: &'a TrainConfig,
    /// Factor of the gradient.
    scale: f32,
    /// Number of the step, from 1.
    step: u64,
    /// Factor of the learning rates.
    rate: f64,
    hidden_width: usize,
    layers: usize,
}

impl Rates<'_> {
    fn step(&self, tensor: Tensor) {
        let (config, info) = (self.config, tensor.info);
        let weight_decay = match info.role.is_matrix() {
            true => config.weight_decay,
            false => 0.0,
        };
        let hidden = matches!(info.role, Role::Hidden | Role::Residual);
        if hidden && config.optimizer != OptimizerKind::Adamw {
            let muon = Muon {
                learning_rate: self.rate * config.learning_rate,
                norm: SPECTRAL_NORM / (self.layers as f64).sqrt(),
                momentum: config.momentum,
                nesterov: true,
                weight_decay,
            };
            // Queries, keys and values are separate matrices; so are gate and value.
            let split = match &info.name {
                name if name.ends_with("qkv.weight") => 3,
                name if name.ends_with("up.weight") => info.shape[1] / self.hidden_width,
                _ => 1,
            };
            let (values, momentum) = (tensor.values, tensor.first);
            let (gradient, rows) = (tensor.gradient, info.shape[0]);
            if config.optimizer == OptimizerKind::Muon {
                muon.step(self.scale, gradient, values, momentum, rows, split);
                return;
            }
            let normuon = NorMuon {
                muon,
                second_decay: config.beta2,
            };
            let second = &mut tensor.second[..info.shape[1]];
            normuon.step(self.scale, gradient, values, momentum, second, rows, split);
            return;
        }
        let share = match hidden {
            true => 1.0,
            false => config.rest_rate,
        };
        let adamw = AdamW {
            learning_rate: self.rate * config.learning_rate * share,
            beta1: config.beta1,
            beta2: config.beta2,
            epsilon: EPSILON,
            weight_decay,
        };
        adamw.step(
            self.step,
            self.scale,
            tensor.gradient,
            tensor.values,
            tensor.first,
            tensor.second,
        );
    }
}
