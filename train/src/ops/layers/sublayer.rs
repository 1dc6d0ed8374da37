//! Forward pass of the two sublayers of a block, attention and feed-forward.

use super::super::buffers::{Buffer, take};
use super::super::{Activation, Attention, Placement};
use super::affine::{LinearLayer, NormLayer, NormSaved};
use super::each;
use super::parts::Parts;
use brevity_kernels::activation::{self, Activation as Elementwise};
use brevity_kernels::gemm::{Epilogue, Right};

/// The function between the two affine maps of a sublayer.
#[derive(Clone, Copy)]
pub(in super::super) enum Middle<'a> {
    Activation(Activation),
    Attention {
        attention: Attention,
        length: usize,
        gain: Option<&'a [f32]>,
    },
}

/// A sublayer of a block: `x + mask f(norm(x))` or `norm(x + mask f(x))`, where
/// `f` is an affine map, a [`Middle`], and another affine map.
#[derive(Clone, Copy)]
pub(in super::super) struct Sublayer<'a> {
    pub norm: NormLayer<'a>,
    pub placement: Placement,
    pub first: LinearLayer<'a>,
    pub middle: Middle<'a>,
    pub last: LinearLayer<'a>,
    pub mask: Option<&'a [f32]>,
}

/// Values saved for the backward pass of a sublayer, besides its input.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct SublayerSaved {
    pub(super) norm: NormSaved,
    /// Pre-norm: the normalised input; post-norm: the input of the norm.
    pub(super) beside_norm: Buffer,
    /// The output of the first map, if the backward pass of the middle needs it.
    pub(super) first: Buffer,
    /// The input of the last map.
    pub(super) hidden: Buffer,
    /// Statistics of attention.
    pub(super) stats: Buffer,
}

/// The forward pass of a sublayer for some rows.
struct Task<'a> {
    x: &'a [f32],
    mask: Option<&'a [f32]>,
    norm: [&'a mut [f32]; 2],
    beside_norm: &'a mut [f32],
    first: &'a mut [f32],
    hidden: &'a mut [f32],
    stats: &'a mut [f32],
    out: &'a mut [f32],
}

impl Sublayer<'_> {
    /// The division of its rows: into whole sequences, for attention.
    pub(super) fn parts(&self, rows: usize) -> Parts {
        match self.middle {
            Middle::Activation(_) => Parts::new(rows, 1),
            Middle::Attention { length, .. } => Parts::new(rows, length),
        }
    }

    /// Buffers for the saved values of `rows` rows.
    fn saved(&self, rows: usize) -> SublayerSaved {
        let first = match self.middle {
            Middle::Activation(kind) if elementwise(kind).is_some_and(|f| !f.needs_input()) => 0,
            _ => rows * self.first.outputs(),
        };
        let stats = match self.middle {
            Middle::Activation(_) => 0,
            Middle::Attention {
                attention, length, ..
            } => attention.stats_len(rows / length, length),
        };
        SublayerSaved {
            norm: self.norm.saved(rows),
            beside_norm: Buffer::new(rows * self.norm.width()),
            first: Buffer::new(first),
            hidden: Buffer::new(rows * self.last.inputs),
            stats: Buffer::new(stats),
        }
    }

    /// Maps `x` to the sublayer's output, both `[rows, width]`.
    pub fn forward(&self, x: &[f32]) -> (Vec<f32>, SublayerSaved) {
        let rows = x.len() / self.norm.width();
        let parts = self.parts(rows);
        let mut saved = self.saved(rows);
        let mut out = take(x.len());
        let [mut inverse, mut mean] = saved.norm.cut(&parts);
        let mut beside_norm = parts.cut(&mut saved.beside_norm);
        let mut first = parts.cut(&mut saved.first);
        let mut hidden = parts.cut(&mut saved.hidden);
        let mut stats = parts.cut(&mut saved.stats);
        let mut outs = parts.cut(&mut out);
        let task = |rows| Task {
            x: parts.of(x, &rows),
            mask: self.mask.map(|mask| parts.of(mask, &rows)),
            norm: [inverse.next(), mean.next()],
            beside_norm: beside_norm.next(),
            first: first.next(),
            hidden: hidden.next(),
            stats: stats.next(),
            out: outs.next(),
        };
        self.first.view().prepared(|first| {
            self.last.view().prepared(|last| {
                parts.each(task, |task| self.forward_rows(task, first, last));
            });
        });
        (out, saved)
    }

    /// The forward pass of a task, with the weights of the two maps.
    fn forward_rows(&self, task: Task, first: Right, last: Right) {
        let [inverse, mean] = task.norm;
        let (input, sum) = match self.placement {
            Placement::Pre => {
                let statistics = [&mut *inverse, &mut *mean];
                self.norm.forward(task.x, task.beside_norm, statistics);
                (&*task.beside_norm, &mut *task.out)
            }
            Placement::Post => (task.x, &mut *task.beside_norm),
        };
        match self.middle {
            Middle::Activation(kind) => match elementwise(kind) {
                Some(f) => {
                    let epilogue = Epilogue {
                        activation: Some(f),
                        pre_activation: f.needs_input().then_some(task.first),
                        ..Epilogue::default()
                    };
                    self.first.forward(input, first, task.hidden, epilogue);
                }
                None => {
                    let epilogue = Epilogue::default();
                    self.first.forward(input, first, task.first, epilogue);
                    activation::swiglu(task.first, self.last.inputs, task.hidden);
                }
            },
            Middle::Attention {
                attention,
                length,
                gain,
            } => {
                let epilogue = Epilogue::default();
                self.first.forward(input, first, task.first, epilogue);
                attention.forward(length, task.first, gain, task.hidden, Some(task.stats));
            }
        }
        let epilogue = Epilogue {
            residual: task.mask.is_none().then_some(task.x),
            ..Epilogue::default()
        };
        self.last.forward(task.hidden, last, sum, epilogue);
        if let Some(mask) = task.mask {
            each(sum, &[task.x, mask], |o, [x, m]| x + o * m);
        }
        if self.placement == Placement::Post {
            let statistics = [inverse, mean];
            self.norm.forward(task.beside_norm, task.out, statistics);
        }
    }
}

/// The elementwise activation function; `None` for SwiGLU.
pub(super) fn elementwise(kind: Activation) -> Option<Elementwise> {
    match kind {
        Activation::Gelu => Some(Elementwise::Gelu),
        Activation::GeluErf => Some(Elementwise::GeluErf),
        Activation::Relu2 => Some(Elementwise::Relu2),
        Activation::Swiglu => None,
    }
}
