//! The RMSProp optimizer.

use super::CHUNK;
use crate::math::double;
use crate::reduce;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// RMSProp (Hinton 2012) with bias correction: Adam (Kingma & Ba 2015) without momentum,
/// and without the memory for it.
///
/// With the gradient `g` at step `t`, counted from 1:
/// `v = b2 v + (1 - b2) g^2`, `p = p - rate g / (sqrt(v / (1 - b2^t)) + eps)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the mean of the squared gradients: `b2`.
    pub beta2: f64,
    /// Added to the root of that mean: `eps`.
    pub epsilon: f64,
}

impl RmsProp {
    /// Step `step`, counted from 1: updates `param` and the mean square `v`, which is zero
    /// before the first step. All slices have one length.
    ///
    /// # Panics
    /// If the lengths differ or `step` is 0.
    #[track_caller]
    pub fn step(&self, step: u64, grad: &[f32], param: &mut [f32], v: &mut [f32]) {
        assert!(step > 0, "steps count from 1");
        let len = param.len();
        assert!(
            [grad.len(), v.len()] == [len; 2],
            "gradient, parameters and state have one length"
        );
        let factors = self.factors(step);
        let (param, v) = (Shared::new(param), Shared::new(v));
        threads::each(len.div_ceil(CHUNK), 6 * len, |task| {
            let range = task * CHUNK..len.min((task + 1) * CHUNK);
            // SAFETY: chunks are disjoint and inside their slices.
            let [param, v] = [param, v].map(|x| unsafe { x.slice(range.start, range.len()) });
            dispatch(Step {
                factors,
                grad: &grad[range],
                param,
                v,
            });
        });
    }

    /// Step `step`, counted from 1, of a row of an embedding: as [`step`](RmsProp::step),
    /// with one mean square for the whole row, that of its gradients' squares (row-wise, as
    /// in Naumov et al. 2019), and the change `rate / (sqrt(v / (1 - b2^t)) + eps)` times
    /// `g`. It runs on the calling thread.
    ///
    /// The squares are summed in eight chains of fused multiply-adds (value `j` goes to
    /// chain `j mod 8`), added by the tree of [`crate::reduce`].
    ///
    /// # Panics
    /// If the lengths differ or are no multiple of eight, or `step` is 0.
    #[track_caller]
    pub fn step_row(&self, step: u64, grad: &[f32], param: &mut [f32], v: &mut f32) {
        assert!(step > 0, "steps count from 1");
        let len = param.len();
        assert!(
            grad.len() == len && len.is_multiple_of(LANES),
            "gradient and parameters have one length, a multiple of {LANES}"
        );
        let factors = self.factors(step);
        dispatch(StepRow {
            factors,
            grad,
            param,
            v,
        });
    }

    fn factors(&self, step: u64) -> Factors {
        Factors {
            beta2: self.beta2 as f32,
            rest2: (1.0 - self.beta2) as f32,
            rate: self.learning_rate as f32,
            root: (1.0 / (1.0 - double::powi(self.beta2, step))).sqrt() as f32,
            epsilon: self.epsilon as f32,
        }
    }
}

#[derive(Clone, Copy)]
struct Factors {
    beta2: f32,
    rest2: f32,
    rate: f32,
    root: f32,
    epsilon: f32,
}

struct Step<'a> {
    factors: Factors,
    grad: &'a [f32],
    param: &'a mut [f32],
    v: &'a mut [f32],
}

impl Kernel for Step<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let f = self.factors;
        let values = self.param.chunks_mut(LANES).zip(self.grad.chunks(LANES));
        for ((param, grad), v) in values.zip(self.v.chunks_mut(LANES)) {
            let g = S::load_part(grad);
            let square = S::mul(S::load_part(v), S::splat(f.beta2));
            let square = S::mul_add(S::mul(S::splat(f.rest2), g), g, square);
            S::store_part(square, v);
            let root = S::mul_add(S::sqrt(square), S::splat(f.root), S::splat(f.epsilon));
            let change = S::div(S::mul(S::splat(f.rate), g), root);
            S::store_part(S::sub(S::load_part(param), change), param);
        }
    }
}

struct StepRow<'a> {
    factors: Factors,
    grad: &'a [f32],
    param: &'a mut [f32],
    v: &'a mut f32,
}

impl Kernel for StepRow<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let f = self.factors;
        let mut sum = S::splat(0.0);
        for grad in self.grad.chunks_exact(LANES) {
            let g = S::load(grad);
            sum = S::mul_add(g, g, sum);
        }
        let mean = reduce::lanes::<S>(sum) / self.grad.len() as f32;
        *self.v = f.beta2 * *self.v + f.rest2 * mean;
        let by = S::splat(-(f.rate / (self.v.sqrt() * f.root + f.epsilon)));
        let values = self.param.chunks_exact_mut(LANES);
        for (param, grad) in values.zip(self.grad.chunks_exact(LANES)) {
            S::store(S::mul_add(by, S::load(grad), S::load(param)), param);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_the_formula() {
        let rms = RmsProp {
            learning_rate: 0.01,
            beta2: 0.9,
            epsilon: 1e-4,
        };
        // Ragged, so that the last vector is a part.
        let len = 19;
        let (mut param, mut v) = (vec![0.5_f32; len], vec![0.0_f32; len]);
        let (mut p, mut q) = (vec![0.5_f64; len], vec![0.0_f64; len]);
        for step in 1..=5 {
            let grad: Vec<f32> = (0..len).map(|i| ((i + step) as f32).sin()).collect();
            rms.step(step as u64, &grad, &mut param, &mut v);
            for i in 0..len {
                let g = f64::from(grad[i]);
                q[i] = 0.9 * q[i] + 0.1 * g * g;
                let mean = q[i] / (1.0 - 0.9_f64.powi(step as i32));
                p[i] -= 0.01 * g / (mean.sqrt() + 1e-4);
                assert!((p[i] - f64::from(param[i])).abs() < 1e-6, "{step} {i}");
            }
        }
    }

    #[test]
    fn a_row_has_one_mean_square() {
        let rms = RmsProp {
            learning_rate: 0.01,
            beta2: 0.9,
            epsilon: 1e-4,
        };
        let len = 24;
        let (mut param, mut v) = (vec![0.5_f32; len], 0.0_f32);
        let (mut p, mut q) = (vec![0.5_f64; len], 0.0_f64);
        for step in 1..=5 {
            let grad: Vec<f32> = (0..len).map(|i| ((i + step) as f32).sin()).collect();
            rms.step_row(step as u64, &grad, &mut param, &mut v);
            let squares: f64 = grad.iter().map(|g| f64::from(*g).powi(2)).sum();
            q = 0.9 * q + 0.1 * squares / len as f64;
            let mean = q / (1.0 - 0.9_f64.powi(step as i32));
            for i in 0..len {
                p[i] -= 0.01 * f64::from(grad[i]) / (mean.sqrt() + 1e-4);
                assert!((p[i] - f64::from(param[i])).abs() < 1e-6, "{step} {i}");
            }
        }
    }
}
