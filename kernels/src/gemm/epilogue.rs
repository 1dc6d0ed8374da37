//! What happens to a finished block of a product while it is in cache.

use super::view::ViewMut;
use crate::activation::Activation;
use crate::simd::{LANES, Simd};
use std::ops::Range;

/// Elementwise work on a product `P`, in this order; all of it optional:
///
/// 1. `P + bias`
/// 2. a copy of that to `keep`
/// 3. the activation
/// 4. times the derivative of an activation (the backward pass through it)
/// 5. plus `residual`
///
/// The slices other than `bias` are row-major and have the shape of the product.
#[derive(Debug, Default)]
pub struct Epilogue<'a> {
    /// Added to every row: one value a column.
    pub bias: Option<&'a [f32]>,
    /// Where the input of the activation is kept.
    pub keep: Option<&'a mut [f32]>,
    /// The nonlinearity.
    pub activation: Option<Activation>,
    /// A nonlinearity to differentiate, and what its forward pass saved: see
    /// [`Activation::needs_input`].
    pub derivative: Option<(Activation, &'a [f32])>,
    /// Added in the end.
    pub residual: Option<&'a [f32]>,
}

impl Epilogue<'_> {
    #[track_caller]
    pub(super) fn check(&self, c: &ViewMut) {
        let len = c.rows * c.cols;
        if let Some(bias) = self.bias {
            assert_eq!(bias.len(), c.cols, "one bias a column");
        }
        if let Some(keep) = &self.keep {
            assert_eq!(keep.len(), len, "`keep` has the shape of the product");
        }
        if let Some((_, saved)) = self.derivative {
            assert_eq!(saved.len(), len, "what was saved has the product's shape");
        }
        if let Some(residual) = self.residual {
            assert_eq!(residual.len(), len, "the residual has the product's shape");
        }
    }

    pub(super) fn plan(&mut self, cols: usize) -> Plan {
        Plan {
            cols,
            bias: self.bias.map(<[f32]>::as_ptr),
            keep: self.keep.as_mut().map(|k| k.as_mut_ptr()),
            activation: self.activation,
            derivative: self.derivative.map(|(f, saved)| (f, saved.as_ptr())),
            residual: self.residual.map(<[f32]>::as_ptr),
        }
    }
}

/// An [`Epilogue`] that tasks share: each touches its block only.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    cols: usize,
    bias: Option<*const f32>,
    keep: Option<*mut f32>,
    activation: Option<Activation>,
    derivative: Option<(Activation, *const f32)>,
    residual: Option<*const f32>,
}

// SAFETY: the pointers are read only, or written at places of one task.
unsafe impl Sync for Plan {}

impl Plan {
    /// Nothing to do, on a product of `cols` columns.
    pub(super) fn none(cols: usize) -> Plan {
        Epilogue::default().plan(cols)
    }

    /// Columns of the product.
    pub(super) fn cols(&self) -> usize {
        self.cols
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.bias.is_none()
            && self.keep.is_none()
            && self.activation.is_none()
            && self.derivative.is_none()
            && self.residual.is_none()
    }

    /// Asks for what [`Self::finish`] will read of a block, which comes from far
    /// away in pieces too short for the hardware to foresee.
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

    /// Finishes rows `rows`, columns `cols` of the product at `c`.
    ///
    /// # Safety
    /// The block lies inside the product and in what the plan was made of, and
    /// nobody else touches it meanwhile.
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
        // One tight loop a step: the area lies in the first-level cache.
        // SAFETY: promised by the caller.
        unsafe {
            if let Some(p) = self.bias {
                all.each::<S>(AddBias(p));
            }
            if let Some(p) = self.keep {
                all.each::<S>(Keep(p));
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
    /// Of the whole product.
    cols: usize,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Area {
    /// Applies `step` to the block.
    ///
    /// # Safety
    /// As for [`Plan::finish`].
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
    /// What becomes of the `lanes` values `x` at place `at` of the product, which
    /// is in column `j`.
    ///
    /// # Safety
    /// The places lie inside what the step refers to.
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

struct Keep(*mut f32);

impl Step for Keep {
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

/// The first `lanes` values at `p`, then zeros.
#[inline(always)]
unsafe fn load<S: Simd>(p: *const f32, lanes: usize) -> S::F {
    // SAFETY: the caller vouches for `lanes` readable values.
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
    // SAFETY: the caller vouches for `lanes` writable values.
    unsafe {
        if lanes == LANES {
            S::store_ptr(x, p);
        } else {
            p.copy_from_nonoverlapping(S::to_array(x).as_ptr(), lanes);
        }
    }
}
