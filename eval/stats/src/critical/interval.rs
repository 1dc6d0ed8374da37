//! The interval of N* and the envelope over laws.

use super::{
    Estimator, ModelCost, bootstrap,
    ladder::Ladder,
    law::Law,
    profile::{Family, Profile},
};
use crate::distribution::{f_tail, student_quantile};

/// What the size means allow N* to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// 95% interval, whether or not there is a term in N/D.
    pub(super) ci95: [f64; 2],
    /// All laws that are not rejected.
    pub(super) envelope: [f64; 2],
    /// Whether the lower and the upper end of the interval were found.
    pub(super) bounded: [bool; 2],
}

/// Fewest sizes for an interval by a law.
pub(super) const SIZES: usize = 5;

/// Laws of the envelope beside those of the interval: larger models fall behind by so much of
/// the loss an octave, or alpha changes by so much a decade.
const OTHERS: [Family; 6] = [
    Family::Behind(0.01),
    Family::Behind(0.02),
    Family::Behind(0.03),
    Family::Behind(0.04),
    Family::Drift(-0.04),
    Family::Drift(0.04),
];

/// Interval and envelope; nothing with fewer than five sizes. `n_star` is that of the law
/// chosen, and is inside.
pub(super) fn allowed(
    ladder: &Ladder,
    cost: &ModelCost,
    costs: &[(f64, f64)],
    law: &Law,
    n_star: f64,
    estimator: &Estimator,
) -> Option<Allowed> {
    if ladder.sizes() < SIZES {
        return None;
    }
    let residual = (law.squares(&ladder.pairs()) / ladder.sizes() as f64).sqrt();
    let profile = Profile::new(ladder, cost, residual);
    let best = profile.best(Family::Share);
    let least = best.likelihood - profile.room(best, Family::Share);
    let range = profile.range();
    let mut found = profile.within(best, Family::Share, least);
    let bounded = [found[0] > range.0, found[1] < range.1];
    found = [found[0].min(n_star.ln()), found[1].max(n_star.ln())];
    let mut wide = found;
    for family in OTHERS {
        let other = profile.best(family);
        if other.likelihood >= least {
            let [low, high] = profile.within(other, family, least);
            wide = [wide[0].min(low), wide[1].max(high)];
        }
    }
    let room = cost_room(ladder.data_bytes, cost, costs, law, n_star, estimator);
    let widened = |[low, high]: [f64; 2]| {
        let centre = n_star.ln();
        let down = (centre - low).hypot(room[0]);
        let up = (high - centre).hypot(room[1]);
        [(centre - down).exp(), (centre + up).exp()]
    };
    Some(Allowed {
        ci95: widened(found),
        envelope: widened(wide),
        bounded,
    })
}

/// How far down and up, in logarithms, N* moves with what is not known of model bytes.
fn cost_room(
    data_bytes: f64,
    cost: &ModelCost,
    costs: &[(f64, f64)],
    law: &Law,
    n_star: f64,
    estimator: &Estimator,
) -> [f64; 2] {
    let count = estimator.resamples.min(400);
    let optima = bootstrap::costs(cost, costs, estimator, count);
    let optima = optima.iter().map(|cost| cost.optimum(law, data_bytes).ln());
    match bootstrap::interval(optima.collect()) {
        Some([low, high]) => [(n_star.ln() - low).max(0.0), (high - n_star.ln()).max(0.0)],
        None => [0.0; 2],
    }
}

/// The sum of squares up to which an N* is held by a 95% interval, where the best law with
/// a term in N/D has `squares`.
fn limit(ladder: &Ladder, squares: f64) -> f64 {
    let (variance, degrees) = ladder.variance(squares, 4);
    squares + variance * student_quantile(0.05, degrees).powi(2)
}

/// Whether the term in N/D is clearly there: the F test of one more unknown, at 5%. As
/// strict as the interval, so that N* of the law chosen lies in it.
pub(super) fn supported(ladder: &Ladder, plain: f64, share: f64) -> bool {
    ladder.sizes() >= SIZES && share > 0.0 && plain > limit(ladder, share)
}

/// The probability of so large a gain by the term in N/D where there is none.
pub(super) fn doubt(ladder: &Ladder, plain: f64, share: f64) -> f64 {
    let (variance, degrees) = ladder.variance(share, 4);
    f_tail((plain - share) / variance, 1.0, degrees)
}

/// Whether the largest model misses what the others predict, on the side of a longer
/// code, by more than chance makes it: the F test of the plain law with and without it.
pub(super) fn largest_fails(ladder: &Ladder) -> bool {
    let rest = ladder.without_largest();
    if rest.sizes() < SIZES {
        return false;
    }
    let fitted = |ladder: &Ladder| Law::fit(&ladder.pairs());
    let (Some(all), Some(without)) = (fitted(ladder), fitted(&rest)) else {
        return false;
    };
    let squares = without.squares(&rest.pairs());
    let free = (rest.sizes() - 3) as f64;
    let f = (all.squares(&ladder.pairs()) - squares) / (squares / free);
    let (n, loss) = ladder.pairs()[rest.sizes()];
    loss > without.bits_per_byte(n) && f_tail(f, 1.0, free) < 0.003
}
