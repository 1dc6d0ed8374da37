//! Backward pass of the two sublayers of a block.

use super::super::Placement;
use super::super::buffers::{Buffer, give, take};
use super::affine::{LinearGrads, NormGrads, backward_input};
use super::each;
use super::parts::Parts;
use super::sublayer::{Middle, Sublayer, SublayerSaved, elementwise};
use brevity_kernels::gemm::{Epilogue, Right};
use brevity_kernels::{activation, attention, reduce};
use std::ops::Range;

/// Gradients of a sublayer.
#[derive(Debug)]
pub(in super::super) struct SublayerGrads {
    pub x: Vec<f32>,
    pub norm: NormGrads,
    pub first: LinearGrads,
    pub gain: Option<Vec<f32>>,
    pub last: LinearGrads,
}

/// The backward pass of a sublayer for some rows.
struct Task<'a> {
    rows: Range<usize>,
    /// The gradient of the output.
    dout: &'a [f32],
    /// The gradient of the output of the last map, if it is not `dout`.
    branch: &'a mut [f32],
    /// The gradient of the output of the first map.
    dfirst: &'a mut [f32],
    dx: &'a mut [f32],
    /// Gradients of the gains, one row per sequence.
    dgain: &'a mut [f32],
    /// Gradients of the norm, one row per part.
    dnorm: [&'a mut [f32]; 2],
}

impl Sublayer<'_> {
    /// All gradients from the gradient `dout` of the output.
    pub fn backward(&self, x: &[f32], saved: &SublayerSaved, dout: Vec<f32>) -> SublayerGrads {
        let rows = x.len() / self.norm.width();
        let parts = self.parts(rows);
        let gains = match self.middle {
            Middle::Attention { length, gain, .. } => gain.map(|g| (rows / length, g.len())),
            Middle::Activation(_) => None,
        };
        let apart = self.placement == Placement::Post || self.mask.is_some();
        let mut branch = Buffer::new(if apart { x.len() } else { 0 });
        let mut dfirst = Buffer::new(rows * self.first.outputs());
        let mut dgains = Buffer::new(gains.map_or(0, |(sequences, heads)| sequences * heads));
        let mut dnorm = self.norm.sums(&parts);
        let mut dx = take(x.len());

        let mut branches = parts.cut(&mut branch);
        let mut dfirsts = parts.cut(&mut dfirst);
        let mut gains_cut = parts.cut(&mut dgains);
        let [mut dweight, mut dbias] = dnorm.cut(&parts);
        let mut dxs = parts.cut(&mut dx);
        let task = |rows: Range<usize>| Task {
            dout: parts.of(&dout, &rows),
            branch: branches.next(),
            dfirst: dfirsts.next(),
            dgain: gains_cut.next(),
            dnorm: [dweight.next(), dbias.next()],
            dx: dxs.next(),
            rows,
        };
        self.first.view().t().prepared(|first| {
            self.last.view().t().prepared(|last| {
                let pass = Pass {
                    layer: self,
                    parts,
                    x,
                    saved,
                    first,
                    last,
                };
                parts.each(task, |task| pass.rows(task));
            });
        });

        let input = match self.placement {
            Placement::Pre => &saved.beside_norm,
            Placement::Post => x,
        };
        let at_last = if apart { &branch } else { &dout[..] };
        let (first, last) = rayon::join(
            || self.first.backward_weight(input, &dfirst),
            || self.last.backward_weight(&saved.hidden, at_last),
        );
        give(dout);
        SublayerGrads {
            x: dx,
            norm: dnorm.total(&self.norm),
            first,
            gain: gains.map(|(_, heads)| {
                let mut total = take(heads);
                reduce::add_parts(&dgains, &mut total, false);
                total
            }),
            last,
        }
    }
}

/// A backward pass without the gradients of weights.
struct Pass<'a> {
    layer: &'a Sublayer<'a>,
    parts: Parts,
    x: &'a [f32],
    saved: &'a SublayerSaved,
    /// The transposed weights of the first map.
    first: Right<'a>,
    /// The transposed weights of the last map.
    last: Right<'a>,
}

impl Pass<'_> {
    /// The backward pass of a task.
    fn rows(&self, task: Task) {
        let (layer, parts, rows) = (self.layer, &self.parts, &task.rows);
        let x = parts.of(self.x, rows);
        let norm = self.saved.norm.of(parts, rows);
        let part = parts.part_rows();
        let plain = Epilogue::default;
        match layer.placement {
            Placement::Pre => {
                let mut at_last = task.dout;
                if layer.mask.is_some() {
                    task.branch.copy_from_slice(task.dout);
                    self.masked(rows, task.branch);
                    at_last = task.branch;
                }
                self.middle(rows, at_last, task.dfirst, task.dgain);
                let mut dnormed = Buffer::new(x.len());
                backward_input(task.dfirst, self.first, &mut dnormed, false, plain());
                task.dx.copy_from_slice(task.dout);
                layer
                    .norm
                    .backward(x, norm, &dnormed, task.dx, true, part, task.dnorm);
            }
            Placement::Post => {
                let sum = parts.of(&self.saved.beside_norm, rows);
                let (dout, dsum) = (task.dout, task.branch);
                layer
                    .norm
                    .backward(sum, norm, dout, dsum, false, part, task.dnorm);
                task.dx.copy_from_slice(dsum);
                self.masked(rows, dsum);
                self.middle(rows, dsum, task.dfirst, task.dgain);
                backward_input(task.dfirst, self.first, task.dx, true, plain());
            }
        }
    }

    /// Multiplies a gradient by the mask, if there is one.
    fn masked(&self, rows: &Range<usize>, gradient: &mut [f32]) {
        if let Some(mask) = self.layer.mask {
            each(gradient, &[self.parts.of(mask, rows)], |d, [m]| d * m);
        }
    }

    /// From the gradient of the output of the last map to that of the output of
    /// the first.
    fn middle(&self, rows: &Range<usize>, dlast: &[f32], dfirst: &mut [f32], dgain: &mut [f32]) {
        let first = self.parts.of(&self.saved.first, rows);
        let hidden = self.parts.of(&self.saved.hidden, rows);
        let plain = Epilogue::default;
        match self.layer.middle {
            Middle::Activation(kind) => match elementwise(kind) {
                Some(f) => {
                    let kept = if f.needs_input() { first } else { hidden };
                    let epilogue = Epilogue {
                        derivative: Some((f, kept)),
                        ..plain()
                    };
                    backward_input(dlast, self.last, dfirst, false, epilogue);
                }
                None => {
                    let mut dhidden = Buffer::new(hidden.len());
                    backward_input(dlast, self.last, &mut dhidden, false, plain());
                    let width = self.layer.last.inputs;
                    activation::swiglu_backward(first, width, &dhidden, dfirst);
                }
            },
            Middle::Attention {
                attention,
                length,
                gain,
            } => {
                let mut dhidden = Buffer::new(hidden.len());
                backward_input(dlast, self.last, &mut dhidden, false, plain());
                let forward = attention::Saved {
                    qkv: first,
                    gain,
                    out: hidden,
                    stats: self.parts.of(&self.saved.stats, rows),
                };
                let dgain = gain.map(|_| dgain);
                attention.backward(length, forward, &dhidden, dfirst, dgain);
            }
        }
    }
}
