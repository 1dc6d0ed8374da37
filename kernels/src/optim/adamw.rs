//! The AdamW optimizer.

use super::CHUNK;
use crate::math::double;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// AdamW (Loshchilov & Hutter 2019): Adam with bias correction and decoupled weight
/// decay.
///
/// With `g = grad_scale grad` at step `t`, counted from 1:
/// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`,
/// `p = p (1 - rate decay) - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the first moment, the mean of the gradients: `b1`.
    pub beta1: f64,
    /// Decay of the second moment, the mean of their squares: `b2`.
    pub beta2: f64,
    /// Added to the root of the second moment: `eps`.
    pub epsilon: f64,
    /// Weight decay, multiplied by the learning rate.
    pub weight_decay: f64,
}

impl AdamW {
    /// Step `step`, counted from 1: updates `param` and the moments `m` and `v`, which
    /// are zero before the first step. All slices have one length.
    ///
    /// # Panics
    /// If the lengths differ or `step` is 0.
    #[track_caller]
    pub fn step(
        &self,
        step: u64,
        grad_scale: f32,
        grad: &[f32],
        param: &mut [f32],
        m: &mut [f32],
        v: &mut [f32],
    ) {
        assert!(step > 0, "steps count from 1");
        let len = param.len();
        assert!(
            [grad.len(), m.len(), v.len()] == [len; 3],
            "gradient, parameters and state have one length"
        );
        let factors = Factors {
            grad_scale,
            beta1: self.beta1 as f32,
            beta2: self.beta2 as f32,
            rest1: (1.0 - self.beta1) as f32,
            rest2: (1.0 - self.beta2) as f32,
            keep: (1.0 - self.learning_rate * self.weight_decay) as f32,
            rate: (self.learning_rate / (1.0 - double::powi(self.beta1, step))) as f32,
            root: (1.0 / (1.0 - double::powi(self.beta2, step))).sqrt() as f32,
            epsilon: self.epsilon as f32,
        };
        let (param, m, v) = (Shared::new(param), Shared::new(m), Shared::new(v));
        threads::each(len.div_ceil(CHUNK), 8 * len, |task| {
            let range = task * CHUNK..len.min((task + 1) * CHUNK);
            // SAFETY: chunks are disjoint and inside their slices.
            let [param, m, v] = [param, m, v].map(|x| unsafe { x.slice(range.start, range.len()) });
            dispatch(Step {
                factors,
                grad: &grad[range],
                param,
                m,
                v,
            });
        });
    }
}

#[derive(Clone, Copy)]
struct Factors {
    grad_scale: f32,
    beta1: f32,
    beta2: f32,
    rest1: f32,
    rest2: f32,
    keep: f32,
    rate: f32,
    root: f32,
    epsilon: f32,
}

struct Step<'a> {
    factors: Factors,
    grad: &'a [f32],
    param: &'a mut [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
}

impl Kernel for Step<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let f = self.factors;
        let state = self.m.chunks_mut(LANES).zip(self.v.chunks_mut(LANES));
        let values = self.param.chunks_mut(LANES).zip(self.grad.chunks(LANES));
        for ((param, grad), (m, v)) in values.zip(state) {
            let g = S::mul(S::load_part(grad), S::splat(f.grad_scale));
            let mean = S::mul(S::load_part(m), S::splat(f.beta1));
            let mean = S::mul_add(S::splat(f.rest1), g, mean);
            let square = S::mul(S::load_part(v), S::splat(f.beta2));
            let square = S::mul_add(S::mul(S::splat(f.rest2), g), g, square);
            S::store_part(mean, m);
            S::store_part(square, v);
            let root = S::mul_add(S::sqrt(square), S::splat(f.root), S::splat(f.epsilon));
            let change = S::div(S::mul(S::splat(f.rate), mean), root);
            let kept = S::mul(S::load_part(param), S::splat(f.keep));
            S::store_part(S::sub(kept, change), param);
        }
    }
}
