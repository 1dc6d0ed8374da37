//! The output layer.

use super::super::buffers::{Buffer, take};
use super::affine::{LinearGrads, NormGrads, NormLayer, NormSaved, backward_input, bias_gradient};
use super::each;
use super::parts::Parts;
use brevity_kernels::gemm::{Epilogue, View};
use brevity_kernels::mixture::{BITS, Beside, GATES, mixture_in_place};
use brevity_kernels::{linear, loss, reduce};

/// The output layer: an optional norm, logits, mean cross entropy.
#[derive(Clone, Copy)]
pub(in super::super) struct HeadLayer<'a> {
    pub norm: Option<NormLayer<'a>>,
    pub weight: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub width: usize,
    pub tied: bool,
}

/// Values saved for the backward pass of the output layer, besides its input.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct HeadSaved {
    norm: NormSaved,
    normed: Buffer,
    dlogits: Buffer,
    /// For each row; empty without another model.
    dgates: Buffer,
}

/// Gradients of the output layer.
#[derive(Debug)]
pub(in super::super) struct HeadGrads {
    pub x: Vec<f32>,
    pub norm: Option<NormGrads>,
    pub head: LinearGrads,
    /// Of the gates, if there is another model.
    pub gates: Option<Vec<f32>>,
}

/// The bytes to predict, one per row.
#[derive(Clone, Copy)]
pub(in super::super) enum Targets<'a> {
    /// By the logits alone.
    Alone(&'a [u8]),
    /// By a mixture with another model, and for this share by the logits alone.
    Beside(Beside<'a>, f32),
}

impl<'a> Targets<'a> {
    fn rows(&self) -> usize {
        self.bytes().len()
    }

    fn bytes(&self) -> &'a [u8] {
        match self {
            Targets::Alone(bytes) => bytes,
            Targets::Beside(beside, _) => beside.targets,
        }
    }

    /// Gates of each row.
    fn gates(&self) -> usize {
        match self {
            Targets::Alone(_) => 0,
            Targets::Beside(..) => GATES,
        }
    }

    /// Replaces the logits of `rows` by their gradient.
    fn price(
        &self,
        rows: std::ops::Range<usize>,
        logits: &mut [f32],
        scale: f32,
        nats: &mut [f32],
        dgates: &mut [f32],
    ) {
        let targets = &self.bytes()[rows.clone()];
        match self {
            Targets::Alone(_) => loss::cross_entropy_in_place(logits, targets, scale, nats),
            Targets::Beside(all, alone) => {
                let beside = Beside {
                    targets,
                    logits: &all.logits[rows.start * BITS..rows.end * BITS],
                    gates: all.gates,
                };
                if *alone == 0.0 {
                    return mixture_in_place(logits, beside, scale, nats, dgates);
                }
                let mut own = Buffer::new(logits.len());
                let mut own_nats = Buffer::new(nats.len());
                let (share, rest) = (scale * alone, 1.0 - alone);
                loss::cross_entropy_with_gradient(logits, targets, share, &mut own_nats, &mut own);
                mixture_in_place(logits, beside, scale * rest, nats, dgates);
                each(logits, &[&own], |mixed, [own]| mixed + own);
                each(nats, &[&own_nats], |mixed, [own]| {
                    rest * mixed + alone * own
                });
            }
        }
    }
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

    /// The mean loss in nats of `targets`, one per row of `x`.
    pub fn forward(&self, x: &[f32], targets: Targets<'_>) -> (f32, HeadSaved) {
        let rows = targets.rows();
        let parts = Parts::new(rows, 1);
        let mut saved = HeadSaved {
            norm: self.norm.map_or_else(NormSaved::default, |n| n.saved(rows)),
            normed: Buffer::new(if self.norm.is_some() { x.len() } else { 0 }),
            dlogits: Buffer::new(rows * loss::CLASSES),
            dgates: Buffer::new(rows * targets.gates()),
        };
        let mut nats = Buffer::new(rows);
        let [mut inverse, mut mean] = saved.norm.cut(&parts);
        let mut normed = parts.cut(&mut saved.normed);
        let mut logits = parts.cut(&mut saved.dlogits);
        let mut costs = parts.cut(&mut nats);
        let mut dgates = parts.cut(&mut saved.dgates);
        let task = |rows| {
            let norm = [inverse.next(), mean.next()];
            let costs = (costs.next(), dgates.next());
            (rows, norm, normed.next(), logits.next(), costs)
        };
        let scale = 1.0 / rows as f32;
        self.view().prepared(|weights| {
            parts.each(task, |(rows, statistics, normed, logits, costs)| {
                let mut input = parts.of(x, &rows);
                if let Some(norm) = &self.norm {
                    norm.forward(input, normed, statistics);
                    input = normed;
                }
                let epilogue = Epilogue {
                    bias: self.bias,
                    ..Epilogue::default()
                };
                linear::forward(input, weights, logits, epilogue);
                let (nats, dgates) = costs;
                targets.price(rows, logits, scale, nats, dgates);
            });
        });
        let mean = reduce::sum(&nats) / rows as f64;
        (mean as f32, saved)
    }

    /// Gradients, times the gradient `dmean` of the mean loss.
    pub fn backward(&self, x: &[f32], mut saved: HeadSaved, dmean: f32) -> HeadGrads {
        let parts = Parts::new(x.len() / self.width, 1);
        let mut dx = take(x.len());
        let mut dnorm = self.norm.map(|norm| norm.sums(&parts));
        let [mut dweight, mut dbias] = match &mut dnorm {
            Some(sums) => sums.cut(&parts).map(Some),
            None => [None, None],
        };
        let mut dlogits = parts.cut(&mut saved.dlogits);
        let mut dxs = parts.cut(&mut dx);
        let task = |rows| {
            let sums = [&mut dweight, &mut dbias];
            let sums = sums.map(|cut| cut.as_mut().map(|c| c.next()).unwrap_or_default());
            (rows, sums, dlogits.next(), dxs.next())
        };
        self.view().t().prepared(|transposed| {
            parts.each(task, |(rows, sums, dlogits, dx)| {
                if dmean != 1.0 {
                    each(dlogits, &[], |d, []| d * dmean);
                }
                let Some(norm) = &self.norm else {
                    return backward_input(dlogits, transposed, dx, false, Epilogue::default());
                };
                let mut dnormed = Buffer::new(dx.len());
                let epilogue = Epilogue::default();
                backward_input(dlogits, transposed, &mut dnormed, false, epilogue);
                let statistics = saved.norm.of(&parts, &rows);
                let (x, part) = (parts.of(x, &rows), parts.part_rows());
                norm.backward(x, statistics, &dnormed, dx, false, part, sums);
            });
        });

        let dlogits = &saved.dlogits;
        let input = match self.norm {
            Some(_) => &saved.normed,
            None => x,
        };
        let mut weight = take(self.weight.len());
        let (width, symbols) = (self.width, loss::CLASSES);
        if self.tied {
            linear::backward_weight(dlogits, input, symbols, width, &mut weight, false);
        } else {
            linear::backward_weight(input, dlogits, width, symbols, &mut weight, false);
        }
        let gates = (!saved.dgates.is_empty()).then(|| {
            let mut gates = take(GATES);
            reduce::sum_rows(&saved.dgates, &mut gates, false);
            gates.iter_mut().for_each(|gate| *gate *= dmean);
            gates
        });
        HeadGrads {
            x: dx,
            gates,
            norm: self
                .norm
                .and_then(|norm| dnorm.map(|sums| sums.total(&norm))),
            head: LinearGrads {
                weight,
                bias: self.bias.map(|_| bias_gradient(dlogits, symbols)),
            },
        }
    }
}
