//! A few rows of activations by one or two panels of weights, in registers.

use super::PANEL;
use super::dots::Dots;
use super::panels::Panels;
use super::rounded::{BLOCK, PART, Rounded};
use crate::simd::{Simd, Vector};
use crate::stored::Format;
use std::ops::Range;

/// All rows of activations by `P` panels.
pub(super) struct Tile<'a, const P: usize> {
    pub x: &'a Rounded,
    pub panels: &'a [Panels; P],
    /// Which values of a row the panels have. Chains start from zero at 0 and else
    /// from what is in `y`.
    pub steps: Range<usize>,
    /// The first output of the first row.
    pub y: *mut f32,
    /// Distance between rows of outputs.
    pub stride: usize,
    /// Outputs, at most those of the panels.
    pub cols: usize,
}

/// Sixteen `f32`.
type Wide<D> = <<D as Dots>::S as Simd>::W;

impl<const P: usize> Tile<'_, P> {
    /// Computes all rows.
    ///
    /// # Safety
    /// `y` has the outputs, and no other thread accesses them.
    #[inline(always)]
    pub unsafe fn rows<D: Dots>(&self, format: Format) {
        // SAFETY: promised by the caller.
        unsafe {
            match (format.has_minima(), format) {
                (true, _) => self.groups::<D, BLOCK, true, false>(),
                (false, Format::Q6K) => self.groups::<D, PART, false, false>(),
                (false, Format::Q8_0) => self.groups::<D, BLOCK, false, true>(),
                (false, _) => self.groups::<D, BLOCK, false, false>(),
            }
        }
    }

    /// # Safety
    /// As [`rows`](Self::rows).
    #[inline(always)]
    unsafe fn groups<D: Dots, const G: usize, const MINIMA: bool, const SIGNED: bool>(&self) {
        let mut row = 0;
        // SAFETY: promised by the caller.
        unsafe {
            while row < self.x.rows() {
                let rows = (self.x.rows() - row).min(D::ROWS);
                match rows {
                    1 => self.tile::<D, 1, G, MINIMA, SIGNED>(row),
                    2 => self.tile::<D, 2, G, MINIMA, SIGNED>(row),
                    3 => self.tile::<D, 3, G, MINIMA, SIGNED>(row),
                    4 => self.tile::<D, 4, G, MINIMA, SIGNED>(row),
                    5 => self.tile::<D, 5, G, MINIMA, SIGNED>(row),
                    _ => self.tile::<D, 6, G, MINIMA, SIGNED>(row),
                }
                row += rows;
            }
        }
    }

    /// `M` rows from `row` on, in groups of `G` values with one scale.
    ///
    /// # Safety
    /// As [`rows`](Self::rows).
    #[inline(always)]
    unsafe fn tile<
        D: Dots,
        const M: usize,
        const G: usize,
        const MINIMA: bool,
        const SIGNED: bool,
    >(
        &self,
        row: usize,
    ) {
        let zero = self.panels[0].zero;
        let steps = self.steps.clone();
        let parts = steps.start / PART..steps.end / PART;
        let x: [&[i8]; M] = std::array::from_fn(|r| &self.x.integers(row + r)[steps.clone()]);
        let x = x.map(|x| x.as_chunks::<4>().0);
        let sums: [&[i32]; M] = std::array::from_fn(|r| &self.x.sums(row + r)[parts.clone()]);
        let blocks = steps.start / BLOCK..steps.end / BLOCK;
        let scales: [&[f32]; M] = std::array::from_fn(|r| &self.x.scales(row + r)[blocks.clone()]);
        let scaled: [&[f32]; M] =
            std::array::from_fn(|r| &self.x.scaled_sums(row + r)[blocks.clone()]);
        // SAFETY: promised by the caller.
        let mut out: [[Wide<D>; P]; M] = unsafe { self.load::<D, M>(row) };
        for group in 0..steps.len() / G {
            let part = group * G / PART;
            let mut dots = [[D::start::<SIGNED>(0, 0); P]; M];
            for (r, dots) in dots.iter_mut().enumerate() {
                let sum = match G == PART {
                    true => sums[r][part],
                    false => sums[r][part] + sums[r][part + 1],
                };
                *dots = [D::start::<SIGNED>(zero, sum); P];
            }
            for quad in group * G / 4..(group + 1) * G / 4 {
                for (dots, x) in dots.iter_mut().zip(&x) {
                    for (dots, panel) in dots.iter_mut().zip(self.panels) {
                        *dots = D::add::<SIGNED>(*dots, &panel.quads[quad], x[quad]);
                    }
                }
            }
            for r in 0..M {
                let scale = Wide::<D>::splat(scales[r][part * PART / BLOCK]);
                let sum = Wide::<D>::splat(scaled[r][part * PART / BLOCK]);
                for (p, panel) in self.panels.iter().enumerate() {
                    let out = &mut out[r][p];
                    // SAFETY: both are sixteen values.
                    let (s, m) = unsafe {
                        let s = Wide::<D>::load_ptr(panel.scales[part].as_ptr());
                        (s, Wide::<D>::load_ptr(panel.minima[part].as_ptr()))
                    };
                    // A multiple of 2^-149, as all numbers are, times an integer.
                    *out = s.mul(scale).mul_add_coarse(D::floats(dots[r][p]), *out);
                    if MINIMA {
                        // A half, times an integer if groups have minima of their own: a
                        // multiple of 2^-24; and a multiple of a scale's last bit, which is
                        // at least 2^-130 (see `LEAST`).
                        *out = m.mul_add_coarse(sum, *out);
                    }
                }
            }
        }
        // SAFETY: promised by the caller.
        unsafe { self.store::<D, M>(row, out) };
    }

    /// What the chains start from.
    ///
    /// # Safety
    /// As [`rows`](Self::rows).
    #[inline(always)]
    unsafe fn load<D: Dots, const M: usize>(&self, row: usize) -> [[Wide<D>; P]; M] {
        let mut out = [[Wide::<D>::splat(0.0); P]; M];
        if self.steps.start == 0 {
            return out;
        }
        for (r, out) in out.iter_mut().enumerate() {
            for (p, out) in out.iter_mut().enumerate() {
                let len = self.cols.saturating_sub(p * PANEL).min(PANEL);
                let from = self.y.wrapping_add((row + r) * self.stride + p * PANEL);
                let mut part = [0.0; PANEL];
                // SAFETY: promised by the caller.
                unsafe {
                    *out = if len == PANEL {
                        Wide::<D>::load_ptr(from)
                    } else {
                        from.copy_to_nonoverlapping(part.as_mut_ptr(), len);
                        Wide::<D>::load_ptr(part.as_ptr())
                    };
                }
            }
        }
        out
    }

    /// # Safety
    /// As [`rows`](Self::rows).
    #[inline(always)]
    unsafe fn store<D: Dots, const M: usize>(&self, row: usize, out: [[Wide<D>; P]; M]) {
        for (r, out) in out.into_iter().enumerate() {
            for (p, out) in out.into_iter().enumerate() {
                let len = self.cols.saturating_sub(p * PANEL).min(PANEL);
                let to = self.y.wrapping_add((row + r) * self.stride + p * PANEL);
                let mut part = [0.0; PANEL];
                // SAFETY: promised by the caller.
                unsafe {
                    if len == PANEL {
                        out.store_ptr(to);
                    } else {
                        out.store_ptr(part.as_mut_ptr());
                        to.copy_from_nonoverlapping(part.as_ptr(), len);
                    }
                }
            }
        }
    }
}
