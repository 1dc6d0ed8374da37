//! The NorMuon optimizer.

use super::muon::Muon;
use crate::scratch;
use crate::simd::{Kernel, LANES, Simd, dispatch};

/// Added to the root of a second moment.
const EPSILON: f32 = 1e-10;

/// NorMuon (Li et al. 2025, "NorMuon: Making Muon more efficient and scalable"): Muon
/// whose orthogonalised update is divided, output by output, by the root of its second
/// moment, so that all outputs learn equally fast.
///
/// With `o` the orthogonalised update of [`Muon`], [rows, cols], and `v` the second
/// moments, `[cols]`: `v = b v + (1 - b) mean over rows of o^2`;
/// `o' = o / (sqrt(v) + 1e-10)`; the update is `o'` times the factor that gives it the
/// Frobenius norm of `o`. A factor that all of `v` have in common does not matter, so
/// there is no correction for the first steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NorMuon {
    /// Everything but the division.
    pub muon: Muon,
    /// Decay of the second moments, `b`.
    pub second_decay: f64,
}

impl NorMuon {
    /// As [`Muon::step`], with the second moments of the outputs, `[cols]`, which are zero
    /// before the first step.
    ///
    /// # Panics
    /// As [`Muon::step`], or if there is not one second moment for each output.
    #[track_caller]
    #[expect(clippy::too_many_arguments, reason = "the formula has as many")]
    pub fn step(
        &self,
        grad_scale: f32,
        grad: &[f32],
        param: &mut [f32],
        momentum: &mut [f32],
        second: &mut [f32],
        rows: usize,
        split: usize,
    ) {
        assert_eq!(
            second.len() * rows,
            param.len(),
            "one second moment for each output"
        );
        let cols = second.len() / split.max(1);
        let decay = self.second_decay as f32;
        self.muon
            .step_with(grad_scale, grad, param, momentum, rows, split, |s, o| {
                let second = &mut second[s * cols..(s + 1) * cols];
                scratch::with(cols, |factors| {
                    dispatch(Normalise {
                        decay,
                        rest: (1.0 - self.second_decay) as f32 / rows as f32,
                        second,
                        factors,
                        o,
                    });
                });
            });
    }
}

struct Normalise<'a> {
    decay: f32,
    /// The weight of a sum of squares in the second moment.
    rest: f32,
    second: &'a mut [f32],
    /// Room for the factors of the outputs, `[cols]`.
    factors: &'a mut [f32],
    o: &'a mut [f32],
}

impl Kernel for Normalise<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let cols = self.second.len();
        let (decay, rest) = (S::splat(self.decay), S::splat(self.rest));
        // Sums of squares, of what there is and of what there would be.
        let (mut before, mut after) = (0.0_f64, 0.0_f64);
        for start in (0..cols).step_by(LANES) {
            let columns = start..(start + LANES).min(cols);
            let mut sum = S::splat(0.0);
            for row in self.o.chunks_exact(cols) {
                let o = S::load_part(&row[columns.clone()]);
                sum = S::mul_add(o, o, sum);
            }
            let second = &mut self.second[columns.clone()];
            let v = S::mul_add(S::load_part(second), decay, S::mul(sum, rest));
            S::store_part(v, second);
            let root = S::add(S::sqrt(v), S::splat(EPSILON));
            let factor = S::div(S::splat(1.0), root);
            S::store_part(factor, &mut self.factors[columns.clone()]);
            // Beyond the end the sums are zero.
            for (sum, factor) in S::to_array(sum).into_iter().zip(S::to_array(factor)) {
                let (sum, factor) = (f64::from(sum), f64::from(factor));
                before += sum;
                after += sum * factor * factor;
            }
        }
        let common = match after > 0.0 {
            true => (before / after).sqrt() as f32,
            false => 0.0,
        };
        for row in self.o.chunks_exact_mut(cols) {
            let factors = self.factors.chunks(LANES);
            for (o, factor) in row.chunks_mut(LANES).zip(factors) {
                let factor = S::mul(S::load_part(factor), S::splat(common));
                S::store_part(S::mul(S::load_part(o), factor), o);
            }
        }
    }
}
