//! Epilogue: elementwise work on a finished block of a product while it is in cache.

use super::view::ViewMut;
use crate::activation::Activation;
use crate::simd::{LANES, Simd};
use std::ops::Range;

/// Elementwise work on a product, [m, n], in this order. Every step is optional:
///
/// 1. add `bias`, `[n]`;
/// 2. copy the result to `pre_activation`, [m, n];
/// 3. apply `activation`;
/// 4. multiply by the derivative of an activation (its backward pass), given its
///    saved values, [m, n];
/// 5. add `residual`, [m, n].
#[derive(Debug, Default)]
pub struct Epilogue<'a> {
    /// Added to every row, `[n]`.
    pub bias: Option<&'a [f32]>,
    /// Receives the input of the activation, for the backward pass.
    pub pre_activation: Option<&'a mut [f32]>,
    /// The nonlinearity to apply.
    pub activation: Option<Activation>,
    /// A nonlinearity whose derivative is multiplied in, and its saved input or output
    /// (see [`Activation::needs_input`]).
    pub derivative: Option<(Activation, &'a [f32])>,
    /// Added at the end: the residual connection.
    pub residual: Option<&'a [f32]>,
}

impl Epilogue<'_> {
    #[track_caller]
    pub(super) fn check(&self, c: &ViewMut) {
        let len = c.rows * c.cols;
        if let Some(bias) = self.bias {
            assert_eq!(bias.len(), c.cols, "one bias for each column");
        }
        if let Some(pre_activation) = &self.pre_activation {
            assert_eq!(
                pre_activation.len(),
                len,
                "`pre_activation` has the shape of the product"
            );
        }
        if let Some((_, saved)) = self.derivative {
            assert_eq!(
                saved.len(),
                len,
                "the saved values have the product's shape"
            );
        }
        if let Some(residual) = self.residual {
            assert_eq!(residual.len(), len, "the residual has the product's shape");
        }
    }

    pub(super) fn plan(&mut self, cols: usize) -> Plan {
        Plan {
            cols,
            bias: self.bias.map(<[f32]>::as_ptr),
            pre_activation: self.pre_activation.as_mut().map(|k| k.as_mut_ptr()),
            activation: self.activation,
            derivative: self.derivative.map(|(f, saved)| (f, saved.as_ptr())),
            residual: self.residual.map(<[f32]>::as_ptr),
        }
    }
}

/// An [`Epilogue`] that tasks share; each task touches only its block.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    cols: usize,
    bias: Option<*const f32>,
    pre_activation: Option<*mut f32>,
    activation: Option<Activation>,
    derivative: Option<(Activation, *const f32)>,
    residual: Option<*const f32>,
}

// SAFETY: the pointers are read-only, or each place is written by one task.
unsafe impl Sync for Plan {}

impl Plan {
    /// No steps, on a product of `cols` columns.
    pub(super) fn none(cols: usize) -> Plan {
        Epilogue::default().plan(cols)
    }

    /// Number of columns of the product.
    pub(super) fn cols(&self) -> usize {
        self.cols
    }

    /// Whether there are no steps.
    pub(super) fn is_empty(&self) -> bool {
        self.bias.is_none()
            && self.pre_activation.is_none()
            && self.activation.is_none()
            && self.derivative.is_none()
            && self.residual.is_none()
    }

    /// Prefetches the values that [`Self::finish`] will read for a block, whose rows are
    /// too short for the hardware prefetcher.
    #[inline(always)]
    pub(super) fn prefetch<S: Simd>(&self, rows: Range<usize>, cols: Range<usize>) {
        for p in [self.derivative.map(|(_, p)| p), self.residual]
            .into_iter()
            .flatten()
        {
            for i in rows.clone() {
                for j in cols.clone().step_by(16) {
                    S::prefetch(p.wrapping_add(i * self.cols + j));
                }
            }
        }
    }

    /// Applies the steps to rows `rows`, columns `cols` of the product at `c`.
    ///
    /// # Safety
    /// The block lies inside the product and inside the slices of the epilogue, and
    /// no other task touches it.
    #[inline(always)]
    pub(super) unsafe fn finish<S: Simd>(
        &self,
        c: *mut f32,
        c_stride: usize,
        rows: Range<usize>,
        cols: Range<usize>,
    ) {
        let all = Area {
            c,
            c_stride,
            cols: self.cols,
            rows,
            columns: cols,
        };
        // One loop for each step: the block is in the first-level cache.
        // SAFETY: promised by the caller.
        unsafe {
            if let Some(p) = self.bias {
                all.each::<S>(AddBias(p));
            }
            if let Some(p) = self.pre_activation {
                all.each::<S>(StorePreActivation(p));
            }
            match self.activation {
                None => {}
                Some(Activation::Gelu) => all.each::<S>(Apply::<GELU>),
                Some(Activation::GeluErf) => all.each::<S>(Apply::<GELU_ERF>),
                Some(Activation::Relu2) => all.each::<S>(Apply::<RELU2>),
            }
            match self.derivative {
                None => {}
                Some((Activation::Gelu, p)) => all.each::<S>(Derive::<GELU>(p)),
                Some((Activation::GeluErf, p)) => all.each::<S>(Derive::<GELU_ERF>(p)),
                Some((Activation::Relu2, p)) => all.each::<S>(Derive::<RELU2>(p)),
            }
            if let Some(p) = self.residual {
                all.each::<S>(AddResidual(p));
            }
        }
    }
}

/// A block of the product.
struct Area {
    c: *mut f32,
    c_stride: usize,
    /// Columns of the whole product.
    cols: usize,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Area {
    /// Applies `step` to the block.
    ///
    /// # Safety
    /// The conditions of [`Plan::finish`].
    #[inline(always)]
    unsafe fn each<S: Simd>(&self, step: impl Step) {
        // SAFETY: promised by the caller.
        unsafe {
            let whole = self.columns.len() - self.columns.len() % LANES;
            for i in self.rows.clone() {
                let row = self.c.add(i * self.c_stride);
                let mut j = self.columns.start;
                while j < self.columns.start + whole {
                    let x = S::load_ptr(row.add(j));
                    let y = step.apply::<S>(x, i * self.cols + j, j, LANES);
                    S::store_ptr(y, row.add(j));
                    j += LANES;
                }
                if j < self.columns.end {
                    let lanes = self.columns.end - j;
                    let x = load::<S>(row.add(j), lanes);
                    let y = step.apply::<S>(x, i * self.cols + j, j, lanes);
                    store::<S>(y, row.add(j), lanes);
                }
            }
        }
    }
}

/// One elementwise step.
trait Step {
    /// The new values of the `lanes` values `x` at offset `at` of the product, in
    /// columns from `j` on.
    ///
    /// # Safety
    /// The offsets lie inside the slices that the step refers to.
    unsafe fn apply<S: Simd>(&self, x: S::F, at: usize, j: usize, lanes: usize) -> S::F;
}

struct AddBias(*const f32);

impl Step for AddBias {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, x: S::F, _: usize, j: usize, lanes: usize) -> S::F {
        // SAFETY: promised by the caller.
        S::add(x, unsafe { load::<S>(self.0.add(j), lanes) })
    }
}

struct StorePreActivation(*mut f32);

impl Step for StorePreActivation {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, x: S::F, at: usize, _: usize, lanes: usize) -> S::F {
        // SAFETY: promised by the caller.
        unsafe { store::<S>(x, self.0.add(at), lanes) };
        x
    }
}

const GELU: u8 = 0;
const GELU_ERF: u8 = 1;
const RELU2: u8 = 2;

const fn activation(code: u8) -> Activation {
    match code {
        GELU => Activation::Gelu,
        GELU_ERF => Activation::GeluErf,
        _ => Activation::Relu2,
    }
}

struct Apply<const CODE: u8>;

impl<const CODE: u8> Step for Apply<CODE> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, x: S::F, _: usize, _: usize, _: usize) -> S::F {
        const { activation(CODE) }.apply::<S>(x)
    }
}

struct Derive<const CODE: u8>(*const f32);

impl<const CODE: u8> Step for Derive<CODE> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, x: S::F, at: usize, _: usize, lanes: usize) -> S::F {
        // SAFETY: promised by the caller.
        let saved = unsafe { load::<S>(self.0.add(at), lanes) };
        S::mul(x, const { activation(CODE) }.derivative::<S>(saved))
    }
}

struct AddResidual(*const f32);

impl Step for AddResidual {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, x: S::F, at: usize, _: usize, lanes: usize) -> S::F {
        // SAFETY: promised by the caller.
        S::add(x, unsafe { load::<S>(self.0.add(at), lanes) })
    }
}

/// The first `lanes` values at `p`, padded with zeros.
#[inline(always)]
unsafe fn load<S: Simd>(p: *const f32, lanes: usize) -> S::F {
    // SAFETY: the caller promises `lanes` readable values.
    unsafe {
        if lanes == LANES {
            S::load_ptr(p)
        } else {
            let mut part = [0.0; LANES];
            p.copy_to_nonoverlapping(part.as_mut_ptr(), lanes);
            S::load(&part)
        }
    }
}

/// Writes the first `lanes` values of `x` to `p`.
#[inline(always)]
unsafe fn store<S: Simd>(x: S::F, p: *mut f32, lanes: usize) {
    // SAFETY: the caller promises `lanes` writable values.
    unsafe {
        if lanes == LANES {
            S::store_ptr(x, p);
        } else {
            p.copy_from_nonoverlapping(S::to_array(x).as_ptr(), lanes);
        }
    }
}
