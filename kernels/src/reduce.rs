//! Sums in a fixed order.

use crate::scratch;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// The sum of eight lanes: `((0+4)+(2+6)) + ((1+5)+(3+7))`.
#[inline(always)]
pub(crate) fn lanes<S: Simd>(v: S::F) -> f32 {
    let a = S::to_array(v);
    ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]))
}

/// The sum in index order, in `f64`: precise enough for a mean over a batch.
pub fn sum(values: &[f32]) -> f64 {
    values.iter().fold(0.0, |sum, &x| sum + x as f64)
}

/// The fewest rows in a part of a sum.
const PART_ROWS: usize = 256;
/// The most parts.
const PARTS: usize = 16;

/// Rows in each part of a sum over `rows` rows: a multiple of `unit` that depends on
/// the shape alone. There are at most 16 parts; the last may be shorter.
pub fn part_rows(rows: usize, unit: usize) -> usize {
    let parts = rows.div_ceil(PART_ROWS).clamp(1, PARTS);
    rows.div_ceil(parts).next_multiple_of(unit).max(1)
}

/// Sums the rows of `x`, [rows, cols], into `out`, `[cols]`; adds them to `out` if
/// `accumulate`, else overwrites it. The rows are split into at most 16 equal parts
/// ([`part_rows`]); each part is summed in order, and the parts are added in order.
///
/// # Panics
/// If `x` does not consist of whole rows of `out.len()` values.
#[track_caller]
pub fn sum_rows(x: &[f32], out: &mut [f32], accumulate: bool) {
    let cols = out.len();
    if cols == 0 {
        return;
    }
    assert_eq!(x.len() % cols, 0, "whole rows of {cols}");
    let rows = x.len() / cols;
    let part = part_rows(rows, 1);
    let parts = rows.div_ceil(part).max(1);
    scratch::with(parts * cols, |partial| {
        let shared = Shared::new(partial);
        threads::each(parts, x.len(), |p| {
            // SAFETY: parts are disjoint and inside `partial`.
            let sum = unsafe { shared.slice(p * cols, cols) };
            sum.fill(0.0);
            let rows = p * part..rows.min((p + 1) * part);
            dispatch(AddRows {
                x: &x[rows.start * cols..rows.end * cols],
                out: sum,
            });
        });
        add_parts(partial, out, accumulate);
    });
}

/// Sums the parts in `partial`, [parts, len], in order into `out`, `[len]`; adds them
/// to `out` if `accumulate`, else overwrites it.
///
/// # Panics
/// If `partial` is shorter than `out` and `accumulate` is false.
pub fn add_parts(partial: &[f32], out: &mut [f32], accumulate: bool) {
    let len = out.len();
    let rest = if accumulate {
        partial
    } else {
        out.copy_from_slice(&partial[..len]);
        &partial[len..]
    };
    dispatch(AddRows { x: rest, out });
}

/// Adds the rows of `x` to `out`, in order.
struct AddRows<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for AddRows<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self) {
        let cols = self.out.len();
        let mut j = 0;
        // The sums of some columns stay in registers over all rows.
        while j + 4 * LANES <= cols {
            self.columns::<S, 4>(j);
            j += 4 * LANES;
        }
        while j + LANES <= cols {
            self.columns::<S, 1>(j);
            j += LANES;
        }
        for j in j..cols {
            for row in self.x.chunks_exact(cols) {
                self.out[j] += row[j];
            }
        }
    }
}

impl AddRows<'_> {
    #[inline(always)]
    fn columns<S: Simd, const N: usize>(&mut self, j: usize) {
        let mut sums = [S::splat(0.0); N];
        for (v, sum) in sums.iter_mut().enumerate() {
            *sum = S::load(&self.out[j + v * LANES..]);
        }
        for row in self.x.chunks_exact(self.out.len()) {
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = S::add(*sum, S::load(&row[j + v * LANES..]));
            }
        }
        for (v, sum) in sums.iter().enumerate() {
            S::store(*sum, &mut self.out[j + v * LANES..]);
        }
    }
}
