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
    /// Whether N* of the law chosen was outside before the interval was stretched to hold it,
    /// below its lower or above its upper end.
    pub(super) outside: [bool; 2],
}

/// Fewest sizes for an interval by a law.
pub(super) const SIZES: usize = 5;

/// To what the ends of an interval of `ln N*` are searched for.
const SEARCHED: f64 = 1e-3;

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
/// chosen, which the interval is stretched to hold.
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
    let reach = profile.reach(best, Family::Share);
    let least = best.likelihood - reach.drop;
    let range = profile.range();
    let mut found = profile.within(best, Family::Share, least);
    let bounded = [found[0] > range.0, found[1] < range.1];
    let at = n_star.ln();
    let outside = [at < found[0] - SEARCHED, at > found[1] + SEARCHED];
    found = [found[0].min(at), found[1].max(at)];
    let mut wide = found;
    for family in OTHERS {
        let other = profile.best(family);
        if other.likelihood >= least {
            let [low, high] = profile.within(other, family, least);
            wide = [wide[0].min(low), wide[1].max(high)];
        }
    }
    let of_cost = Errors::of_cost(ladder.data_bytes, cost, costs, law, n_star, estimator);
    let widened = |ends: [f64; 2]| {
        let centre = n_star.ln();
        let of_law = Errors {
            room: [centre - ends[0], ends[1] - centre],
            degrees: reach.degrees,
        };
        let [down, up] = of_law.and(of_cost);
        [(centre - down).exp(), (centre + up).exp()]
    };
    Some(Allowed {
        ci95: widened(found),
        envelope: widened(wide),
        bounded,
        outside,
    })
}

/// Resamples of model bytes.
const COSTS: usize = 400;

/// One source of error of `ln N*`.
#[derive(Clone, Copy)]
struct Errors {
    /// How far down and up a 95% interval reaches.
    room: [f64; 2],
    /// Degrees of freedom behind it.
    degrees: f64,
}

impl Errors {
    /// What is not known of model bytes.
    fn of_cost(
        data_bytes: f64,
        cost: &ModelCost,
        costs: &[(f64, f64)],
        law: &Law,
        n_star: f64,
        estimator: &Estimator,
    ) -> Self {
        let optima = bootstrap::costs(cost, costs, estimator, COSTS);
        let optima = optima.iter().map(|cost| cost.optimum(law, data_bytes).ln());
        let room = bootstrap::interval(optima.collect()).map_or([0.0; 2], |[low, high]| {
            [(n_star.ln() - low).max(0.0), (high - n_star.ln()).max(0.0)]
        });
        Self {
            room,
            degrees: costs.len().saturating_sub(cost.unknowns()).max(1) as f64,
        }
    }

    /// How far an interval with both errors reaches, which are independent: by the variance of
    /// their sum with the degrees of freedom of Welch and Satterthwaite. (The root of the squares
    /// of both rooms would count the small samples twice.)
    fn and(self, other: Self) -> [f64; 2] {
        let quantiles = [self, other].map(|of| student_quantile(0.05, of.degrees));
        [0, 1].map(|side| {
            let rooms = [self.room[side], other.room[side]];
            let [one, two] = [0, 1].map(|i| (rooms[i] / quantiles[i]).powi(2));
            if one == 0.0 || two == 0.0 {
                return rooms[0].max(rooms[1]);
            }
            let both = one + two;
            let degrees = both * both / (one * one / self.degrees + two * two / other.degrees);
            student_quantile(0.05, degrees) * both.sqrt()
        })
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
