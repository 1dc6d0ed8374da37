//! The Muon optimizer.

use crate::gemm::{Epilogue, View, ViewMut, gemm};
use crate::scratch;
use crate::simd::{Kernel, LANES, Simd, dispatch};

/// Muon (Jordan et al. 2024): momentum whose update is orthogonalised by five
/// Newton-Schulz steps and scaled so that its spectral norm does not depend on the
/// width (Bernstein 2025, "Deriving Muon"), with decoupled weight decay.
///
/// With `g = grad_scale grad`: `m = b m + (1 - b) g`; `u = b m + (1 - b) g` if
/// `nesterov`, else `m`;
/// `p = p (1 - rate decay) - rate norm sqrt(long / short) orthogonalize(u)`, where
/// `long` and `short` are the longer and the shorter side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Muon {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Spectral norm of the update of a square matrix, relative to the learning rate.
    pub norm: f64,
    /// Decay of the momentum, `b`.
    pub momentum: f64,
    /// Nesterov momentum.
    pub nesterov: bool,
    /// Weight decay, multiplied by the learning rate.
    pub weight_decay: f64,
}

impl Muon {
    /// Updates `param`, [rows, cols], and its `momentum`, which is zero before the
    /// first step. The columns are `split` matrices side by side, each orthogonalised
    /// separately: 3 for queries, keys and values in one tensor.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of `rows`, or if `split` does not
    /// divide the number of columns.
    #[track_caller]
    pub fn step(
        &self,
        grad_scale: f32,
        grad: &[f32],
        param: &mut [f32],
        momentum: &mut [f32],
        rows: usize,
        split: usize,
    ) {
        self.step_with(grad_scale, grad, param, momentum, rows, split, |_, _| ());
    }

    /// As [`Muon::step`], where `then(s, update)` changes the orthogonalised update of
    /// matrix `s`, [rows, cols / split], before it is applied.
    #[track_caller]
    #[expect(
        clippy::too_many_arguments,
        reason = "those of a step, and what comes after"
    )]
    pub(super) fn step_with(
        &self,
        grad_scale: f32,
        grad: &[f32],
        param: &mut [f32],
        momentum: &mut [f32],
        rows: usize,
        split: usize,
        mut then: impl FnMut(usize, &mut [f32]),
    ) {
        let len = param.len();
        assert!(
            [grad.len(), momentum.len()] == [len; 2],
            "gradient, parameters and momentum have one length"
        );
        if len == 0 {
            return;
        }
        assert_eq!(len % rows, 0, "{len} values are not {rows} equal rows");
        let width = len / rows;
        assert!(
            split > 0 && width.is_multiple_of(split),
            "{width} columns are not {split} equal matrices"
        );
        let cols = width / split;
        let (short, long) = (rows.min(cols), rows.max(cols));
        let scale = self.norm * (long as f64 / short as f64).sqrt();
        let (decay, rest) = (self.momentum as f32, (1.0 - self.momentum) as f32);
        scratch::with(2 * len, |buffer| {
            let (update, part) = buffer.split_at_mut(len);
            dispatch(Momentum {
                grad_scale,
                decay,
                rest,
                nesterov: self.nesterov,
                grad,
                momentum,
                update,
            });
            let part = &mut part[..rows * cols];
            for s in 0..split {
                let columns = s * cols..(s + 1) * cols;
                for (to, from) in part.chunks_exact_mut(cols).zip(update.chunks(width)) {
                    to.copy_from_slice(&from[columns.clone()]);
                }
                orthogonalize(part, rows);
                then(s, part);
                for (from, to) in part.chunks_exact(cols).zip(update.chunks_mut(width)) {
                    to[columns.clone()].copy_from_slice(from);
                }
            }
            dispatch(Apply {
                keep: (1.0 - self.learning_rate * self.weight_decay) as f32,
                rate: (-self.learning_rate * scale) as f32,
                update,
                param,
            });
        });
    }
}

struct Momentum<'a> {
    grad_scale: f32,
    decay: f32,
    rest: f32,
    nesterov: bool,
    grad: &'a [f32],
    momentum: &'a mut [f32],
    update: &'a mut [f32],
}

impl Kernel for Momentum<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (decay, rest) = (S::splat(self.decay), S::splat(self.rest));
        let out = self
            .momentum
            .chunks_mut(LANES)
            .zip(self.update.chunks_mut(LANES));
        for (grad, (momentum, update)) in self.grad.chunks(LANES).zip(out) {
            let g = S::mul(S::load_part(grad), S::splat(self.grad_scale));
            let g = S::mul(g, rest);
            let m = S::mul_add(S::load_part(momentum), decay, g);
            S::store_part(m, momentum);
            let u = if self.nesterov {
                S::mul_add(m, decay, g)
            } else {
                m
            };
            S::store_part(u, update);
        }
    }
}

struct Apply<'a> {
    keep: f32,
    rate: f32,
    update: &'a [f32],
    param: &'a mut [f32],
}

impl Kernel for Apply<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (keep, rate) = (S::splat(self.keep), S::splat(self.rate));
        for (update, param) in self.update.chunks(LANES).zip(self.param.chunks_mut(LANES)) {
            let kept = S::mul(S::load_part(param), keep);
            S::store_part(S::mul_add(rate, S::load_part(update), kept), param);
        }
    }
}

/// Newton-Schulz steps.
const STEPS: usize = 5;

/// Coefficients of the quintic `a x + b x^3 + c x^5`, which maps every singular value
/// in (0, 1] to about 1 (0.7 to 1.2) in five iterations (Jordan et al. 2024).
const A: f32 = 3.4445;
const B: f32 = -4.775;
const C: f32 = 2.0315;

/// Replaces `x`, [rows, cols], by an approximation of the nearest semi-orthogonal
/// matrix: `U V^T` where `x = U S V^T`, with singular values between 0.7 and 1.2. A
/// zero matrix stays zero.
///
/// # Panics
/// If the length of `x` is not a multiple of `rows`.
#[track_caller]
pub fn orthogonalize(x: &mut [f32], rows: usize) {
    let len = x.len();
    if len == 0 {
        return;
    }
    assert_eq!(len % rows, 0, "{len} values are not {rows} equal rows");
    let cols = len / rows;
    let norm = super::sum_squares(x).sqrt();
    let scale = (1.0 / (norm + 1e-30)) as f32;
    let scale = if norm > 0.0 { scale } else { 0.0 };
    // The Gram matrix of the short side.
    let (short, long) = (rows.min(cols), rows.max(cols));
    scratch::with(2 * len + 3 * short * short, |buffer| {
        let (mut now, rest) = buffer.split_at_mut(len);
        let (mut next, rest) = rest.split_at_mut(len);
        let (gram, rest) = rest.split_at_mut(short * short);
        let (scaled, poly) = rest.split_at_mut(short * short);
        if rows <= cols {
            dispatch(Scale {
                factor: scale,
                x,
                y: now,
            });
        } else {
            transpose(x, rows, cols, now);
            next.copy_from_slice(now);
            dispatch(Scale {
                factor: scale,
                x: next,
                y: now,
            });
        }
        for _ in 0..STEPS {
            let x = View::new(now, short, long);
            let plain = Epilogue::default;
            gemm(x, x.t(), ViewMut::new(gram, short, short), false, plain());
            // poly = B G + C G G
            dispatch(Scale {
                factor: B,
                x: gram,
                y: poly,
            });
            dispatch(Scale {
                factor: C,
                x: gram,
                y: scaled,
            });
            gemm(
                View::new(scaled, short, short),
                View::new(gram, short, short),
                ViewMut::new(poly, short, short),
                true,
                plain(),
            );
            // next = A X + poly X
            dispatch(Scale {
                factor: A,
                x: now,
                y: next,
            });
            let poly = View::new(poly, short, short);
            gemm(poly, x, ViewMut::new(next, short, long), true, plain());
            std::mem::swap(&mut now, &mut next);
        }
        if rows <= cols {
            x.copy_from_slice(now);
        } else {
            transpose(now, cols, rows, x);
        }
    });
}

/// `y`, [cols, rows], becomes the transpose of `x`, [rows, cols].
fn transpose(x: &[f32], rows: usize, cols: usize, y: &mut [f32]) {
    for i in 0..rows {
        for j in 0..cols {
            y[j * rows + i] = x[i * cols + j];
        }
    }
}

struct Scale<'a> {
    factor: f32,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Scale<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for (x, y) in self.x.chunks(LANES).zip(self.y.chunks_mut(LANES)) {
            S::store_part(S::mul(S::load_part(x), S::splat(self.factor)), y);
        }
    }
}
