//! Nonlinearities of the feed-forward block, forward and backward.
//!
//! The elementwise ones are usually fused into a matrix product, see
//! [`crate::gemm::Epilogue`]; the functions over slices here serve the other cases.

use crate::math;
use crate::shape::rows_of;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// An elementwise nonlinearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// GELU by its tanh approximation (Hendrycks & Gimpel 2016):
    /// `x sigmoid(2 u)`, `u = sqrt(2/pi) (x + 0.044715 x^3)`, which is
    /// `x (1 + tanh u) / 2`.
    Gelu,
    /// GELU by the error function: `x (1 + erf(x / sqrt 2)) / 2`.
    GeluErf,
    /// `max(x, 0)^2` (So et al. 2021).
    Relu2,
}

impl Activation {
    /// Whether the backward pass needs the input of the nonlinearity (the
    /// pre-activation). If not, it needs the output only.
    ///
    /// For `y = max(x, 0)^2` the derivative is `2 sqrt(y)`: the root of a
    /// rounded square is exact unless the square under- or overflows.
    pub fn needs_input(self) -> bool {
        self != Activation::Relu2
    }

    /// The value at `x`.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(self, x: S::F) -> S::F {
        match self {
            Activation::Gelu => gelu::<S>(x),
            Activation::GeluErf => gelu_erf::<S>(x),
            Activation::Relu2 => relu2::<S>(x),
        }
    }

    /// The derivative, given the input or the output (see [`Self::needs_input`]).
    #[inline(always)]
    pub(crate) fn derivative<S: Simd>(self, saved: S::F) -> S::F {
        match self {
            Activation::Gelu => gelu_derivative::<S>(saved),
            Activation::GeluErf => gelu_erf_derivative::<S>(saved),
            Activation::Relu2 => relu2_derivative::<S>(saved),
        }
    }
}

/// `2 sqrt(2 / pi)`
const GELU_A: f32 = 1.595_769;
/// `0.044715 * 2 sqrt(2 / pi)`
const GELU_B: f32 = 0.071_354_814;

#[inline(always)]
fn gelu<S: Simd>(x: S::F) -> S::F {
    let s = S::mul(x, x);
    let u = S::mul(x, S::mul_add(s, S::splat(GELU_B), S::splat(GELU_A)));
    S::mul(x, math::sigmoid::<S>(u))
}

#[inline(always)]
fn gelu_derivative<S: Simd>(x: S::F) -> S::F {
    // s + x s (1 - s) u', with s = sigmoid(u).
    let one = S::splat(1.0);
    let x2 = S::mul(x, x);
    let u = S::mul(x, S::mul_add(x2, S::splat(GELU_B), S::splat(GELU_A)));
    let du = S::mul_add(x2, S::splat(3.0 * GELU_B), S::splat(GELU_A));
    let s = math::sigmoid::<S>(u);
    let slope = S::mul(S::mul(x, du), S::sub(one, s));
    S::mul_add(s, slope, s)
}

#[inline(always)]
fn gelu_erf<S: Simd>(x: S::F) -> S::F {
    let e = math::erf::<S>(S::mul(x, S::splat(std::f32::consts::FRAC_1_SQRT_2)));
    let half = S::mul(x, S::splat(0.5));
    S::mul_add(half, e, half)
}

#[inline(always)]
fn gelu_erf_derivative<S: Simd>(x: S::F) -> S::F {
    // Phi(x) + x phi(x)
    let half = S::splat(0.5);
    let e = math::erf::<S>(S::mul(x, S::splat(std::f32::consts::FRAC_1_SQRT_2)));
    let density = math::exp::<S>(S::mul(S::mul(x, x), S::splat(-0.5)));
    // 1 / sqrt(2 pi)
    let density = S::mul(density, S::splat(0.398_942_3));
    S::mul_add(x, density, S::mul_add(half, e, half))
}

#[inline(always)]
fn relu2<S: Simd>(x: S::F) -> S::F {
    // This operand order keeps NaN.
    let r = S::max(S::splat(0.0), x);
    S::mul(r, r)
}

#[inline(always)]
fn relu2_derivative<S: Simd>(y: S::F) -> S::F {
    let r = S::sqrt(y);
    S::add(r, r)
}

/// Values of a task of an elementwise pass: 64 KiB.
const CHUNK: usize = 1 << 14;

/// `y = f(x)`; x and y have any shape.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn forward(f: Activation, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "input and output have one length");
    let out = Shared::new(y);
    threads::each(x.len().div_ceil(CHUNK), x.len() * COST, |task| {
        let x = &x[task * CHUNK..x.len().min((task + 1) * CHUNK)];
        // SAFETY: chunks are disjoint and inside `y`.
        let y = unsafe { out.slice(task * CHUNK, x.len()) };
        dispatch(Forward { f, x, y });
    });
}

/// Cost of an elementwise function, in moved values.
const COST: usize = 4;

struct Forward<'a> {
    f: Activation,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for (x, y) in self.x.chunks(LANES).zip(self.y.chunks_mut(LANES)) {
            S::store_part(self.f.apply::<S>(S::load_part(x)), y);
        }
    }
}

/// `dx = dy f'`, where `saved` is the input or the output of `f` (see
/// [`Activation::needs_input`]); all have one shape.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn backward(f: Activation, saved: &[f32], dy: &[f32], dx: &mut [f32]) {
    assert_eq!(
        saved.len(),
        dy.len(),
        "saved values and gradient have one length"
    );
    assert_eq!(dx.len(), dy.len(), "both gradients have one length");
    let out = Shared::new(dx);
    threads::each(dy.len().div_ceil(CHUNK), dy.len() * COST, |task| {
        let range = task * CHUNK..dy.len().min((task + 1) * CHUNK);
        // SAFETY: chunks are disjoint and inside `dx`.
        let dx = unsafe { out.slice(range.start, range.len()) };
        dispatch(Backward {
            f,
            saved: &saved[range.clone()],
            dy: &dy[range],
            dx,
        });
    });
}

struct Backward<'a> {
    f: Activation,
    saved: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let chunks = self.saved.chunks(LANES).zip(self.dy.chunks(LANES));
        for ((saved, dy), dx) in chunks.zip(self.dx.chunks_mut(LANES)) {
            let slope = self.f.derivative::<S>(S::load_part(saved));
            S::store_part(S::mul(S::load_part(dy), slope), dx);
        }
    }
}

/// SwiGLU (Shazeer 2020): `y = silu(gate) value`. `x` is [rows, 2 hidden], each row
/// the gate and then the value; `y` is [rows, hidden].
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn swiglu(x: &[f32], hidden: usize, y: &mut [f32]) {
    assert_eq!(x.len(), 2 * y.len(), "a row is gate and value");
    let rows = rows_of(y.len(), hidden);
    let block = (CHUNK / hidden.max(1)).max(1);
    let out = Shared::new(y);
    threads::each(rows.div_ceil(block), x.len() * COST, |task| {
        let rows = task * block..rows.min((task + 1) * block);
        // SAFETY: blocks of rows are disjoint and inside `y`.
        let y = unsafe { out.slice(rows.start * hidden, rows.len() * hidden) };
        let x = &x[rows.start * 2 * hidden..rows.end * 2 * hidden];
        dispatch(SwigluForward { x, hidden, y });
    });
}

struct SwigluForward<'a> {
    x: &'a [f32],
    hidden: usize,
    y: &'a mut [f32],
}

impl Kernel for SwigluForward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = self.x.chunks_exact(2 * self.hidden);
        for (x, y) in rows.zip(self.y.chunks_exact_mut(self.hidden)) {
            let (gate, value) = x.split_at(self.hidden);
            let inputs = gate.chunks(LANES).zip(value.chunks(LANES));
            for ((g, v), y) in inputs.zip(y.chunks_mut(LANES)) {
                let g = S::load_part(g);
                let silu = S::mul(g, math::sigmoid::<S>(g));
                S::store_part(S::mul(silu, S::load_part(v)), y);
            }
        }
    }
}

/// The gradient of [`swiglu`]: `dx`, [rows, 2 hidden], from its input `x`,
/// [rows, 2 hidden], and `dy`, [rows, hidden].
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn swiglu_backward(x: &[f32], hidden: usize, dy: &[f32], dx: &mut [f32]) {
    assert_eq!(x.len(), 2 * dy.len(), "a row is gate and value");
    assert_eq!(x.len(), dx.len(), "input and its gradient have one length");
    let rows = rows_of(dy.len(), hidden);
    let block = (CHUNK / hidden.max(1)).max(1);
    let out = Shared::new(dx);
    threads::each(rows.div_ceil(block), x.len() * COST, |task| {
        let rows = task * block..rows.min((task + 1) * block);
        let wide = rows.start * 2 * hidden..rows.end * 2 * hidden;
        // SAFETY: blocks of rows are disjoint and inside `dx`.
        let dx = unsafe { out.slice(wide.start, wide.len()) };
        dispatch(SwigluBackward {
            x: &x[wide],
            hidden,
            dy: &dy[rows.start * hidden..rows.end * hidden],
            dx,
        });
    });
}

struct SwigluBackward<'a> {
    x: &'a [f32],
    hidden: usize,
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for SwigluBackward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let one = S::splat(1.0);
        let rows = self.x.chunks_exact(2 * self.hidden);
        let rows = rows.zip(self.dy.chunks_exact(self.hidden));
        for ((x, dy), dx) in rows.zip(self.dx.chunks_exact_mut(2 * self.hidden)) {
            let (gate, value) = x.split_at(self.hidden);
            let (dgate, dvalue) = dx.split_at_mut(self.hidden);
            let inputs = gate.chunks(LANES).zip(value.chunks(LANES));
            let outputs = dgate.chunks_mut(LANES).zip(dvalue.chunks_mut(LANES));
            for (((g, v), dy), (dg, dv)) in inputs.zip(dy.chunks(LANES)).zip(outputs) {
                let (g, v, dy) = (S::load_part(g), S::load_part(v), S::load_part(dy));
                let s = math::sigmoid::<S>(g);
                let silu = S::mul(g, s);
                // silu' = s + g s (1 - s)
                let slope = S::mul_add(silu, S::sub(one, s), s);
                S::store_part(S::mul(dy, silu), dv);
                S::store_part(S::mul(S::mul(dy, v), slope), dg);
            }
        }
    }
}
