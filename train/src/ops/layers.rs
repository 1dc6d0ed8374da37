//! The layers on slices: each a forward pass and its backward pass, by the
//! kernels.
//!
//! What a forward pass saves lives in [`Buffer`]s, which come back when the
//! backward pass has used them.

use super::buffers::{Buffer, give, take};
use super::{Activation, Attention, Norm, Placement};
use brevity_kernels::activation::{self, Activation as Elementwise};
use brevity_kernels::embedding::{self, Embedding};
use brevity_kernels::gemm::{Epilogue, View};
use brevity_kernels::{attention, linear, loss, norm, reduce};
use rayon::prelude::*;

/// Parameters and kind of a norm over rows of `weight.len()`.
#[derive(Clone, Copy)]
pub(super) struct NormLayer<'a> {
    pub weight: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub kind: Norm,
}

/// Gradients of a norm's parameters.
#[derive(Debug)]
pub(super) struct NormGrads {
    pub weight: Vec<f32>,
    pub bias: Option<Vec<f32>>,
}

/// What a norm's forward pass leaves: the inverse deviation of each row, then
/// its mean for layer norm.
type NormSaved = Buffer;

impl NormLayer<'_> {
    fn width(&self) -> usize {
        self.weight.len()
    }

    fn forward(&self, x: &[f32], y: &mut [f32]) -> NormSaved {
        let rows = x.len() / self.width();
        let eps = self.kind.epsilon();
        match self.kind {
            Norm::Rms => {
                let mut inverse = Buffer::new(rows);
                norm::rms_norm(x, self.weight, eps, y, Some(&mut inverse));
                inverse
            }
            Norm::Layer => {
                let mut saved = Buffer::new(2 * rows);
                let (inverse, mean) = saved.split_at_mut(rows);
                let bias = self.bias.expect("a layer norm has a bias");
                norm::layer_norm(x, self.weight, bias, eps, y, Some((mean, inverse)));
                saved
            }
        }
    }

    /// `dx`, added to what it holds if `accumulate`, from `dy`.
    fn backward(
        &self,
        x: &[f32],
        saved: &NormSaved,
        dy: &[f32],
        dx: &mut [f32],
        accumulate: bool,
    ) -> NormGrads {
        let mut weight = take(self.width());
        match self.kind {
            Norm::Rms => {
                norm::rms_norm_backward(x, self.weight, saved, dy, dx, accumulate, &mut weight);
                NormGrads { weight, bias: None }
            }
            Norm::Layer => {
                let mut bias = take(self.width());
                let (inverse, mean) = saved.split_at(saved.len() / 2);
                norm::layer_norm_backward(
                    x,
                    self.weight,
                    mean,
                    inverse,
                    dy,
                    dx,
                    accumulate,
                    &mut weight,
                    &mut bias,
                );
                NormGrads {
                    weight,
                    bias: Some(bias),
                }
            }
        }
    }
}

/// Parameters of an affine map of `inputs` values, weights `[inputs, outputs]`.
#[derive(Clone, Copy)]
pub(super) struct LinearLayer<'a> {
    pub weight: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub inputs: usize,
}

/// Gradients of an affine map's parameters.
#[derive(Debug)]
pub(super) struct LinearGrads {
    pub weight: Vec<f32>,
    pub bias: Option<Vec<f32>>,
}

impl<'a> LinearLayer<'a> {
    fn outputs(&self) -> usize {
        self.weight.len() / self.inputs
    }

    fn view(&self) -> View<'a> {
        View::new(self.weight, self.inputs, self.outputs())
    }

    fn forward(&self, x: &[f32], y: &mut [f32], epilogue: Epilogue) {
        let bias = self.bias;
        linear::forward(x, self.view(), y, Epilogue { bias, ..epilogue });
    }

    fn backward_input(&self, dy: &[f32], dx: &mut [f32], accumulate: bool, epilogue: Epilogue) {
        linear::backward_input(dy, self.view(), dx, accumulate, epilogue);
    }

    fn backward_weight(&self, x: &[f32], dy: &[f32]) -> LinearGrads {
        let mut weight = take(self.weight.len());
        linear::backward_weight(x, dy, self.inputs, self.outputs(), &mut weight, false);
        let bias = self.bias.map(|bias| {
            let mut db = take(bias.len());
            linear::backward_bias(dy, &mut db, false);
            db
        });
        LinearGrads { weight, bias }
    }
}

/// What a sublayer does between its two affine maps.
#[derive(Clone, Copy)]
pub(super) enum Middle<'a> {
    Activation(Activation),
    Attention {
        attention: Attention,
        length: usize,
        gain: Option<&'a [f32]>,
    },
}

/// A sublayer of a block: `x + mask f(norm(x))` or `norm(x + mask f(x))`, where
/// `f` is an affine map, something in the middle, and another affine map.
#[derive(Clone, Copy)]
pub(super) struct Sublayer<'a> {
    pub norm: NormLayer<'a>,
    pub placement: Placement,
    pub first: LinearLayer<'a>,
    pub middle: Middle<'a>,
    pub last: LinearLayer<'a>,
    pub mask: Option<&'a [f32]>,
}

/// What the backward pass of a sublayer needs beside its input.
#[derive(Clone, Debug, Default)]
pub(super) struct SublayerSaved {
    norm: NormSaved,
    /// Pre-norm: the normalised input; post-norm: the input of the norm.
    beside_norm: Buffer,
    /// The output of the first map, if the middle's backward pass needs it.
    first: Buffer,
    /// The input of the last map.
    hidden: Buffer,
    /// Statistics of attention.
    stats: Buffer,
}

/// Gradients of a sublayer.
#[derive(Debug)]
pub(super) struct SublayerGrads {
    pub x: Vec<f32>,
    pub norm: NormGrads,
    pub first: LinearGrads,
    pub gain: Option<Vec<f32>>,
    pub last: LinearGrads,
}

impl Sublayer<'_> {
    /// `x` to the sublayer's output, both `[rows, width]`.
    pub fn forward(&self, x: &[f32]) -> (Vec<f32>, SublayerSaved) {
        let mut saved = SublayerSaved::default();
        let mut out = take(x.len());
        let input = match self.placement {
            Placement::Post => x,
            Placement::Pre => {
                saved.beside_norm = Buffer::new(x.len());
                saved.norm = self.norm.forward(x, &mut saved.beside_norm);
                &saved.beside_norm
            }
        };
        let rows = x.len() / self.norm.width();
        let mut first = Buffer::new(rows * self.first.outputs());
        match self.middle {
            Middle::Activation(kind) => match elementwise(kind) {
                Some(f) => {
                    saved.hidden = Buffer::new(first.len());
                    let keep = f.needs_input().then_some(&mut first[..]);
                    let epilogue = Epilogue {
                        activation: Some(f),
                        keep,
                        ..Epilogue::default()
                    };
                    self.first.forward(input, &mut saved.hidden, epilogue);
                }
                None => {
                    self.first.forward(input, &mut first, Epilogue::default());
                    saved.hidden = Buffer::new(first.len() / 2);
                    activation::swiglu(&first, self.last.inputs, &mut saved.hidden);
                }
            },
            Middle::Attention {
                attention,
                length,
                gain,
            } => {
                self.first.forward(input, &mut first, Epilogue::default());
                saved.hidden = Buffer::new(first.len() / 3);
                saved.stats = Buffer::new(attention.stats_len(rows / length, length));
                let (out, stats) = (&mut saved.hidden, &mut saved.stats);
                attention.forward(length, &first, gain, out, Some(stats));
            }
        }
        saved.first = first;
        let residual = self.mask.is_none().then_some(x);
        let epilogue = Epilogue {
            residual,
            ..Epilogue::default()
        };
        self.last.forward(&saved.hidden, &mut out, epilogue);
        if let Some(mask) = self.mask {
            each(&mut out, &[x, mask], |o, [x, m]| x + o * m);
        }
        if self.placement == Placement::Post {
            let mut y = take(out.len());
            saved.norm = self.norm.forward(&out, &mut y);
            saved.beside_norm = Buffer::from(std::mem::replace(&mut out, y));
        }
        (out, saved)
    }

    /// Gradients from the one at the output.
    pub fn backward(&self, x: &[f32], saved: &SublayerSaved, dout: Vec<f32>) -> SublayerGrads {
        let (mut dx, post_norm, input) = match self.placement {
            Placement::Pre => (dout, None, &saved.beside_norm[..]),
            Placement::Post => {
                let mut ds = take(dout.len());
                let sum = &saved.beside_norm;
                let grads = self.norm.backward(sum, &saved.norm, &dout, &mut ds, false);
                give(dout);
                (ds, Some(grads), x)
            }
        };
        let masked = self.mask.map(|mask| {
            let mut masked = Buffer::new(dx.len());
            masked.copy_from_slice(&dx);
            each(&mut masked, &[mask], |d, [m]| d * m);
            masked
        });
        let branch = masked.as_deref().unwrap_or(&dx);

        let last = self.last.backward_weight(&saved.hidden, branch);
        let rows = x.len() / self.norm.width();
        let mut dfirst = Buffer::new(rows * self.first.outputs());
        let mut dgain = None;
        match self.middle {
            Middle::Activation(kind) => match elementwise(kind) {
                Some(f) => {
                    let kept = if f.needs_input() {
                        &saved.first
                    } else {
                        &saved.hidden
                    };
                    let epilogue = Epilogue {
                        derivative: Some((f, kept)),
                        ..Epilogue::default()
                    };
                    self.last
                        .backward_input(branch, &mut dfirst, false, epilogue);
                }
                None => {
                    let mut dhidden = Buffer::new(saved.hidden.len());
                    let epilogue = Epilogue::default();
                    self.last
                        .backward_input(branch, &mut dhidden, false, epilogue);
                    let hidden = self.last.inputs;
                    activation::swiglu_backward(&saved.first, hidden, &dhidden, &mut dfirst);
                }
            },
            Middle::Attention {
                attention,
                length,
                gain,
            } => {
                let mut dhidden = Buffer::new(saved.hidden.len());
                let epilogue = Epilogue::default();
                self.last
                    .backward_input(branch, &mut dhidden, false, epilogue);
                dgain = gain.map(|gain| take(gain.len()));
                let forward = attention::Saved {
                    qkv: &saved.first,
                    gain,
                    out: &saved.hidden,
                    stats: &saved.stats,
                };
                let dgain = dgain.as_deref_mut();
                attention.backward(length, forward, &dhidden, &mut dfirst, dgain);
            }
        }
        let first = self.first.backward_weight(input, &dfirst);
        let norm = match post_norm {
            Some(grads) => {
                let epilogue = Epilogue::default();
                self.first.backward_input(&dfirst, &mut dx, true, epilogue);
                grads
            }
            None => {
                let mut dnormed = Buffer::new(dx.len());
                let epilogue = Epilogue::default();
                self.first
                    .backward_input(&dfirst, &mut dnormed, false, epilogue);
                self.norm.backward(x, &saved.norm, &dnormed, &mut dx, true)
            }
        };
        SublayerGrads {
            x: dx,
            norm,
            first,
            gain: dgain,
            last,
        }
    }
}

fn elementwise(kind: Activation) -> Option<Elementwise> {
    match kind {
        Activation::Gelu => Some(Elementwise::Gelu),
        Activation::GeluErf => Some(Elementwise::GeluErf),
        Activation::Relu2 => Some(Elementwise::Relu2),
        Activation::Swiglu => None,
    }
}

/// The output layer: an optional norm, logits, mean cross entropy.
#[derive(Clone, Copy)]
pub(super) struct HeadLayer<'a> {
    pub norm: Option<NormLayer<'a>>,
    pub weight: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub width: usize,
    pub tied: bool,
}

/// What the backward pass of the output layer needs beside its input.
#[derive(Clone, Debug, Default)]
pub(super) struct HeadSaved {
    norm: NormSaved,
    normed: Buffer,
    dlogits: Buffer,
}

/// Gradients of the output layer.
#[derive(Debug)]
pub(super) struct HeadGrads {
    pub x: Vec<f32>,
    pub norm: Option<NormGrads>,
    pub head: LinearGrads,
}

impl HeadLayer<'_> {
    /// The weights as `[width, 256]`.
    fn view(&self) -> View<'_> {
        let symbols = self.weight.len() / self.width;
        if self.tied {
            View::new(self.weight, symbols, self.width).t()
        } else {
            View::new(self.weight, self.width, symbols)
        }
    }

    /// The mean cost in nats of `targets`, one a row of `x`.
    pub fn forward(&self, x: &[f32], targets: &[u8]) -> (f32, HeadSaved) {
        let mut saved = HeadSaved::default();
        if let Some(norm) = &self.norm {
            saved.normed = Buffer::new(x.len());
            saved.norm = norm.forward(x, &mut saved.normed);
        }
        let input = if self.norm.is_some() {
            &saved.normed
        } else {
            x
        };
        let mut logits = Buffer::new(targets.len() * loss::CLASSES);
        let epilogue = Epilogue {
            bias: self.bias,
            ..Epilogue::default()
        };
        linear::forward(input, self.view(), &mut logits, epilogue);
        let mut nats = Buffer::new(targets.len());
        let scale = 1.0 / targets.len() as f32;
        loss::cross_entropy_in_place(&mut logits, targets, scale, &mut nats);
        saved.dlogits = logits;
        let mean = reduce::sum(&nats) / targets.len() as f64;
        (mean as f32, saved)
    }

    /// Gradients, times the gradient `dmean` at the mean.
    pub fn backward(&self, x: &[f32], mut saved: HeadSaved, dmean: f32) -> HeadGrads {
        if dmean != 1.0 {
            each(&mut saved.dlogits, &[], |d, []| d * dmean);
        }
        let dlogits = &saved.dlogits;
        let input = if self.norm.is_some() {
            &saved.normed
        } else {
            x
        };
        let mut weight = take(self.weight.len());
        let (width, symbols) = (self.width, loss::CLASSES);
        if self.tied {
            linear::backward_weight(dlogits, input, symbols, width, &mut weight, false);
        } else {
            linear::backward_weight(input, dlogits, width, symbols, &mut weight, false);
        }
        let bias = self.bias.map(|bias| {
            let mut db = take(bias.len());
            linear::backward_bias(dlogits, &mut db, false);
            db
        });
        let mut dx = take(x.len());
        linear::backward_input(dlogits, self.view(), &mut dx, false, Epilogue::default());
        let norm = self.norm.map(|norm| {
            let dnormed = std::mem::replace(&mut dx, take(x.len()));
            let grads = norm.backward(x, &saved.norm, &dnormed, &mut dx, false);
            give(dnormed);
            grads
        });
        HeadGrads {
            x: dx,
            norm,
            head: LinearGrads { weight, bias },
        }
    }
}

/// The embedding layer.
#[derive(Clone, Copy)]
pub(super) struct EmbeddingLayer<'a> {
    pub embedding: Embedding<'a>,
    pub position: Option<&'a [f32]>,
    pub mask: Option<&'a [f32]>,
}

/// Gradients of the embedding layer.
#[derive(Debug)]
pub(super) struct EmbeddingGrads {
    pub weight: Vec<f32>,
    pub taps: Option<Vec<f32>>,
    pub position: Option<Vec<f32>>,
}

impl EmbeddingLayer<'_> {
    /// Values of the vectors of a sequence's positions.
    fn positions(&self) -> usize {
        self.embedding.length * self.embedding.width
    }

    /// `[tokens, width]`.
    pub fn forward(&self, tokens: &[u8]) -> Vec<f32> {
        let mut y = take(tokens.len() * self.embedding.width);
        let position = self.position.map(|p| &p[..self.positions()]);
        self.embedding.forward(tokens, position, &mut y);
        if let Some(mask) = self.mask {
            each(&mut y, &[mask], |y, [m]| y * m);
        }
        y
    }

    /// Gradients of the parameters from the one at the output.
    pub fn backward(&self, tokens: &[u8], mut dy: Vec<f32>) -> EmbeddingGrads {
        if let Some(mask) = self.mask {
            each(&mut dy, &[mask], |d, [m]| d * m);
        }
        let zeros = |length| {
            let mut grad = take(length);
            grad.fill(0.0);
            grad
        };
        let mut weight = zeros(self.embedding.table.len());
        let mut taps = zeros(self.embedding.taps.len());
        self.embedding.backward(tokens, &dy, &mut weight, &mut taps);
        let position = self.position.map(|position| {
            let mut grad = zeros(position.len());
            embedding::backward_positions(&dy, &mut grad[..self.positions()]);
            grad
        });
        give(dy);
        EmbeddingGrads {
            weight,
            taps: (!taps.is_empty()).then_some(taps),
            position,
        }
    }
}

/// `y = f(y, inputs)` for each value, on all threads.
fn each<const N: usize>(
    y: &mut [f32],
    inputs: &[&[f32]; N],
    f: impl Fn(f32, [f32; N]) -> f32 + Sync,
) {
    const CHUNK: usize = 1 << 14;
    y.par_chunks_mut(CHUNK).enumerate().for_each(|(i, y)| {
        let inputs = inputs.map(|x| &x[i * CHUNK..i * CHUNK + y.len()]);
        for (at, y) in y.iter_mut().enumerate() {
            *y = f(*y, inputs.map(|x| x[at]));
        }
    });
}
