//! Elementwise gates and soft caps over slices.

use crate::activation::Activation;
use crate::math;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// The nonlinearity of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// `x sigmoid(x)`
    Silu,
    /// An elementwise [`Activation`].
    Of(Activation),
}

/// `x = activation(x) value`, or `activation(x)` without values.
///
/// # Panics
/// If the lengths differ.
pub fn gate(gate: Gate, x: &mut [f32], value: Option<&[f32]>) {
    if let Some(value) = value {
        assert_eq!(x.len(), value.len(), "gates and values");
    }
    share(x, |start, x| {
        let value = value.map(|v| &v[start..][..x.len()]);
        dispatch(Gated { gate, x, value });
    });
}

/// `x = cap tanh(x / cap)`, a soft cap: it keeps scores between `-cap` and
/// `cap`.
pub fn soft_cap(cap: f32, x: &mut [f32]) {
    share(x, |_, x| dispatch(Capped { cap, x }));
}

/// Calls `f` with parts of `x` and their offsets, on several threads.
fn share(x: &mut [f32], f: impl Fn(usize, &mut [f32]) + Send + Sync) {
    const PART: usize = 1 << 14;
    let len = x.len();
    let x = Shared::new(x);
    threads::each(len.div_ceil(PART), 16 * len, |task| {
        let start = task * PART;
        // SAFETY: parts are disjoint and inside the slice.
        f(start, unsafe { x.slice(start, PART.min(len - start)) });
    });
}

struct Gated<'a> {
    gate: Gate,
    x: &'a mut [f32],
    value: Option<&'a [f32]>,
}

impl Kernel for Gated<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for start in (0..self.x.len()).step_by(LANES) {
            let end = (start + LANES).min(self.x.len());
            let x = S::load_part(&self.x[start..end]);
            let y = match self.gate {
                Gate::Silu => S::mul(x, math::sigmoid::<S>(x)),
                Gate::Of(activation) => activation.apply::<S>(x),
            };
            let y = match self.value {
                Some(value) => S::mul(y, S::load_part(&value[start..end])),
                None => y,
            };
            S::store_part(y, &mut self.x[start..end]);
        }
    }
}

struct Capped<'a> {
    cap: f32,
    x: &'a mut [f32],
}

impl Kernel for Capped<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (cap, inverse) = (S::splat(self.cap), S::splat(1.0 / self.cap));
        for start in (0..self.x.len()).step_by(LANES) {
            let end = (start + LANES).min(self.x.len());
            let x = S::load_part(&self.x[start..end]);
            let y = S::mul(math::tanh::<S>(S::mul(x, inverse)), cap);
            S::store_part(y, &mut self.x[start..end]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Vec<f32> {
        (0..40_003).map(|i| (i % 601) as f32 / 40.0 - 7.5).collect()
    }

    #[test]
    fn gates_are_what_they_say() {
        let value: Vec<f32> = values().iter().map(|x| x * 0.5 + 1.0).collect();
        let mut x = values();
        gate(Gate::Silu, &mut x, Some(&value));
        for ((y, x), v) in x.iter().zip(values()).zip(&value) {
            let expected = f64::from(x) / (1.0 + f64::from(-x).exp()) * f64::from(*v);
            assert!((f64::from(*y) - expected).abs() < 1e-5, "{x}");
        }
        let mut x = values();
        gate(Gate::Of(Activation::Relu2), &mut x, None);
        assert!(
            x.iter()
                .zip(values())
                .all(|(y, x)| *y == x.max(0.0) * x.max(0.0))
        );
    }

    #[test]
    fn soft_caps_bound() {
        let mut x = values();
        soft_cap(3.0, &mut x);
        for (y, x) in x.iter().zip(values()) {
            let expected = 3.0 * (f64::from(x) / 3.0).tanh();
            assert!((f64::from(*y) - expected).abs() < 1e-6);
        }
    }
}
