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
        // SAFETY: promised by the caller.
        unsafe {
            for i in rows {
                let mut j = cols.start;
                while j < cols.end {
                    let lanes = (cols.end - j).min(LANES);
                    let at = i * self.cols + j;
                    let mut x = load::<S>(c.add(i * c_stride + j), lanes);
                    if let Some(p) = self.bias {
                        x = S::add(x, load::<S>(p.add(j), lanes));
                    }
                    if let Some(p) = self.keep {
                        store::<S>(x, p.add(at), lanes);
                    }
                    if let Some(f) = self.activation {
                        x = f.apply::<S>(x);
                    }
                    if let Some((f, p)) = self.derivative {
                        x = S::mul(x, f.derivative::<S>(load::<S>(p.add(at), lanes)));
                    }
                    if let Some(p) = self.residual {
                        x = S::add(x, load::<S>(p.add(at), lanes));
                    }
                    store::<S>(x, c.add(i * c_stride + j), lanes);
                    j += lanes;
                }
            }
        }
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
