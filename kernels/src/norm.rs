//! Layer norm and RMS norm of rows, forward and backward.
//!
//! Shapes: x, y and their gradients are [rows, width]; gain and bias are `[width]`,
//! mean and rstd (the reciprocal standard deviation) `[rows]`.
//! A sum over a row is eight chains of fused multiply-adds (value `j` goes to
//! chain `j mod 8`), added by a fixed tree. A sum over rows (the gradients of gain
//! and bias) is returned in parts, for [`crate::reduce::add_parts`].

use crate::reduce;
use crate::shape::rows_of;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// Values that a task takes.
const CHUNK: usize = 1 << 14;

/// RMS norm (Zhang & Sennrich 2019): `y = x r gain` with
/// `r = 1 / sqrt(mean(x^2) + eps)`. `rstd`, `[rows]`, is set to `r` for the backward
/// pass.
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn rms_norm(x: &[f32], gain: &[f32], eps: f32, y: &mut [f32], rstd: Option<&mut [f32]>) {
    forward::<true>(x, gain, &[], eps, y, None, rstd);
}

/// Layer norm (Ba et al. 2016): `y = (x - mean) r gain + bias` with
/// `r = 1 / sqrt(variance + eps)`. `saved` is set to the mean and `r`, `[rows]`
/// each, for the backward pass.
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn layer_norm(
    x: &[f32],
    gain: &[f32],
    bias: &[f32],
    eps: f32,
    y: &mut [f32],
    saved: Option<(&mut [f32], &mut [f32])>,
) {
    assert_eq!(gain.len(), bias.len(), "gain and bias have one length");
    let (mean, rstd) = saved.unzip();
    forward::<false>(x, gain, bias, eps, y, mean, rstd);
}

#[track_caller]
fn forward<const RMS: bool>(
    x: &[f32],
    gain: &[f32],
    bias: &[f32],
    eps: f32,
    y: &mut [f32],
    mean: Option<&mut [f32]>,
    rstd: Option<&mut [f32]>,
) {
    let width = gain.len();
    let rows = rows_of(x.len(), width);
    assert_eq!(y.len(), x.len(), "input and output have one length");
    for saved in [&mean, &rstd].into_iter().flatten() {
        assert_eq!(saved.len(), rows, "one saved value for each row");
    }
    let block = (CHUNK / width.max(1)).max(1);
    let y = Shared::new(y);
    let mean = mean.map(Shared::new);
    let rstd = rstd.map(Shared::new);
    threads::each(rows.div_ceil(block), x.len() * 4, |task| {
        let rows = task * block..rows.min((task + 1) * block);
        let values = rows.start * width..rows.end * width;
        // SAFETY: blocks of rows are disjoint and inside their slices.
        let (y, mean, rstd) = unsafe {
            (
                y.slice(values.start, values.len()),
                mean.map(|m| m.slice(rows.start, rows.len())),
                rstd.map(|m| m.slice(rows.start, rows.len())),
            )
        };
        dispatch(Forward::<RMS> {
            x: &x[values],
            gain,
            bias,
            eps,
            y,
            mean,
            rstd,
        });
    });
}

struct Forward<'a, const RMS: bool> {
    x: &'a [f32],
    gain: &'a [f32],
    bias: &'a [f32],
    eps: f32,
    y: &'a mut [f32],
    mean: Option<&'a mut [f32]>,
    rstd: Option<&'a mut [f32]>,
}

impl<const RMS: bool> Kernel for Forward<'_, RMS> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self) {
        let width = self.gain.len();
        let rows = self.x.chunks_exact(width.max(1));
        for (r, (x, y)) in rows.zip(self.y.chunks_exact_mut(width.max(1))).enumerate() {
            let mean = if RMS { 0.0 } else { mean_of::<S>(x) };
            let rstd = rstd_of::<S>(x, mean, self.eps);
            if let Some(saved) = &mut self.mean {
                saved[r] = mean;
            }
            if let Some(saved) = &mut self.rstd {
                saved[r] = rstd;
            }
            let (mean, rstd) = (S::splat(mean), S::splat(rstd));
            let mut j = 0;
            while j < width {
                let end = (j + LANES).min(width);
                let v = S::load_part(&x[j..end]);
                let gain = S::load_part(&self.gain[j..end]);
                let out = if RMS {
                    S::mul(S::mul(v, rstd), gain)
                } else {
                    let v = S::mul(S::sub(v, mean), rstd);
                    S::mul_add(v, gain, S::load_part(&self.bias[j..end]))
                };
                S::store_part(out, &mut y[j..end]);
                j = end;
            }
        }
    }
}

#[inline(always)]
fn mean_of<S: Simd>(x: &[f32]) -> f32 {
    let mut sum = S::splat(0.0);
    for v in x.chunks(LANES) {
        sum = S::add(sum, S::load_part(v));
    }
    reduce::lanes::<S>(sum) / x.len() as f32
}

/// `1 / sqrt(mean((x - mean)^2) + eps)`
#[inline(always)]
fn rstd_of<S: Simd>(x: &[f32], mean: f32, eps: f32) -> f32 {
    let m = S::splat(mean);
    let mut sum = S::splat(0.0);
    let whole = x.chunks_exact(LANES);
    let rest = whole.remainder();
    for v in whole {
        let v = S::sub(S::load(v), m);
        sum = S::mul_add(v, v, sum);
    }
    if !rest.is_empty() {
        // Lanes beyond the end hold the mean and contribute zero.
        let mut part = [mean; LANES];
        part[..rest.len()].copy_from_slice(rest);
        let v = S::sub(S::load(&part), m);
        sum = S::mul_add(v, v, sum);
    }
    1.0 / (reduce::lanes::<S>(sum) / x.len() as f32 + eps).sqrt()
}

/// The gradients of [`rms_norm`]. With `h = dy gain`:
/// `dx = r h - x r^3 mean(h x)`, added to `dx` if `accumulate`, else overwriting it;
/// `dgain`, `[parts, width]`, is the sum of `dy x r` over each `part` rows,
/// overwritten, for [`reduce::add_parts`].
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
#[expect(clippy::too_many_arguments, reason = "the formula has as many")]
pub fn rms_norm_backward(
    x: &[f32],
    gain: &[f32],
    rstd: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    accumulate: bool,
    part: usize,
    dgain: &mut [f32],
) {
    let saved = Saved {
        x,
        gain,
        mean: &[],
        rstd,
        dy,
    };
    backward::<true>(saved, dx, accumulate, part, dgain, &mut []);
}

/// The gradients of [`layer_norm`]. With `h = dy gain` and `n = (x - mean) r`:
/// `dx = r (h - mean(h) - n mean(h n))`, added to `dx` if `accumulate`, else
/// overwriting it; `dgain` and `dbias`, `[parts, width]`, are the sums of `dy n` and
/// `dy` over each `part` rows, overwritten, for [`reduce::add_parts`].
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
#[expect(clippy::too_many_arguments, reason = "the formula has as many")]
pub fn layer_norm_backward(
    x: &[f32],
    gain: &[f32],
    mean: &[f32],
    rstd: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    accumulate: bool,
    part: usize,
    dgain: &mut [f32],
    dbias: &mut [f32],
) {
    assert_eq!(mean.len(), rstd.len(), "mean and rstd have one length");
    assert_eq!(
        dbias.len(),
        dgain.len(),
        "the gradients of gain and bias have one length"
    );
    let saved = Saved {
        x,
        gain,
        mean,
        rstd,
        dy,
    };
    backward::<false>(saved, dx, accumulate, part, dgain, dbias);
}

#[derive(Clone, Copy)]
struct Saved<'a> {
    x: &'a [f32],
    gain: &'a [f32],
    mean: &'a [f32],
    rstd: &'a [f32],
    dy: &'a [f32],
}

#[track_caller]
fn backward<const RMS: bool>(
    saved: Saved,
    dx: &mut [f32],
    accumulate: bool,
    part: usize,
    dgain: &mut [f32],
    dbias: &mut [f32],
) {
    let width = saved.gain.len();
    let rows = rows_of(saved.x.len(), width);
    assert_eq!(
        saved.dy.len(),
        saved.x.len(),
        "input and output gradient have one length"
    );
    assert_eq!(
        dx.len(),
        saved.x.len(),
        "input and its gradient have one length"
    );
    assert_eq!(saved.rstd.len(), rows, "one saved value for each row");
    let parts = rows.div_ceil(part);
    assert_eq!(
        dgain.len(),
        parts * width,
        "one gradient of the gain for each part"
    );
    let (dx, dgain, dbias) = (Shared::new(dx), Shared::new(dgain), Shared::new(dbias));
    threads::each(parts, saved.x.len() * 4, |p| {
        let rows = p * part..rows.min((p + 1) * part);
        let values = rows.start * width..rows.end * width;
        // SAFETY: parts of the rows are disjoint and inside `dx`, and each has
        // gradients of its own.
        let (dx, dgain, dbias) = unsafe {
            (
                dx.slice(values.start, values.len()),
                dgain.slice(p * width, width),
                dbias.slice(p * width, if RMS { 0 } else { width }),
            )
        };
        dgain.fill(0.0);
        let dy = &saved.dy[values.clone()];
        dispatch(Backward::<RMS> {
            saved: Saved {
                x: &saved.x[values],
                mean: if RMS { &[] } else { &saved.mean[rows.clone()] },
                rstd: &saved.rstd[rows],
                dy,
                ..saved
            },
            dx,
            accumulate,
            dgain,
        });
        if !RMS {
            dbias.fill(0.0);
            reduce::add_parts(dy, dbias, true);
        }
    });
}

struct Backward<'a, const RMS: bool> {
    saved: Saved<'a>,
    dx: &'a mut [f32],
    accumulate: bool,
    dgain: &'a mut [f32],
}

impl<const RMS: bool> Kernel for Backward<'_, RMS> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Saved { gain, .. } = self.saved;
        let width = gain.len();
        let count = width as f32;
        let rows = self.saved.x.chunks_exact(width);
        let rows = rows.zip(self.saved.dy.chunks_exact(width));
        for (r, ((x, dy), dx)) in rows.zip(self.dx.chunks_exact_mut(width)).enumerate() {
            let rstd = self.saved.rstd[r];
            let mean = if RMS { 0.0 } else { self.saved.mean[r] };
            let (inv, mean) = (S::splat(rstd), S::splat(mean));
            let mut sum = S::splat(0.0);
            let mut dot = S::splat(0.0);
            let mut j = 0;
            while j < width {
                let end = (j + LANES).min(width);
                // Beyond the end `h` is zero, so these lanes contribute zero.
                let h = S::mul(S::load_part(&dy[j..end]), S::load_part(&gain[j..end]));
                let n = normal::<S, RMS>(&x[j..end], mean, inv);
                if !RMS {
                    sum = S::add(sum, h);
                }
                dot = S::mul_add(h, n, dot);
                j = end;
            }
            let shift = if RMS {
                S::splat(0.0)
            } else {
                S::splat(reduce::lanes::<S>(sum) / count)
            };
            let slope = S::splat(reduce::lanes::<S>(dot) / count);
            let mut j = 0;
            while j < width {
                let end = (j + LANES).min(width);
                let g = S::load_part(&dy[j..end]);
                let h = S::mul(g, S::load_part(&gain[j..end]));
                let n = normal::<S, RMS>(&x[j..end], mean, inv);
                let h = if RMS { h } else { S::sub(h, shift) };
                let d = S::mul(S::sub(h, S::mul(n, slope)), inv);
                let d = if self.accumulate {
                    S::add(S::load_part(&dx[j..end]), d)
                } else {
                    d
                };
                S::store_part(d, &mut dx[j..end]);
                let sum = S::mul_add(g, n, S::load_part(&self.dgain[j..end]));
                S::store_part(sum, &mut self.dgain[j..end]);
                j = end;
            }
        }
    }
}

/// `(x - mean) r`, or `x r` for RMS norm.
#[inline(always)]
fn normal<S: Simd, const RMS: bool>(x: &[f32], mean: S::F, rstd: S::F) -> S::F {
    let x = S::load_part(x);
    let x = if RMS { x } else { S::sub(x, mean) };
    S::mul(x, rstd)
}
