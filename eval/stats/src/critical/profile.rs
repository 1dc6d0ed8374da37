//! The likelihood of N*: it is a parameter of the law itself.
//!
//! Where coded plus model bytes are least, the loss falls as fast as model bytes grow:
//! `-dL/d ln N = m`, with `m = 8 (dM/d ln N) / D` bits per byte. For a law
//! `E + A N^-alpha + B (N/D)^beta` that ties A to N*, and with `u = N/N*` and `b` the
//! bits that one more parameter learns (negative) or costs (positive) there,
//!
//! ```text
//! L(N) = E + (m/alpha) u^-alpha + b (N*/D) (u^-alpha/alpha + u^beta/beta)
//! ```
//!
//! linear in E and b. The likelihood of an N* is that of the best such law (a profile over
//! E, alpha and beta; Bates and Watts 1988, ch. 6), with a normal prior of b about 0,
//! averaged over the standard deviations that sizes may have ([`spread`]).

use super::{
    ModelCost,
    ladder::Ladder,
    law::{ALPHA_RANGE, BETAS, CAPACITY, Law},
    solve::{minimise_to, solve},
    spread,
};
use crate::distribution::{normal_tail, student_degrees};

/// Which laws an interval is taken over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Family {
    /// `E + A N^-alpha + B (N/D)^beta`, B of either sign or 0.
    Share,
    /// The plain law, of which larger models fall behind by this share of the loss an
    /// octave because they are trained too little; N* is that of the law.
    Behind(f64),
    /// The plain law, whose alpha changes by so much for each decade of N.
    Drift(f64),
}

/// Standard deviation of `b` beforehand, bits a parameter: theory has 0.7 of either sign,
/// prose -1.6 in-sample and 1.3 held-out.
const EXPECTED: f64 = 2.0;

/// One ladder and what models cost.
pub(super) struct Profile<'a> {
    ladder: &'a Ladder,
    cost: &'a ModelCost,
    /// Standard deviations of the size means, with the logarithm of the weight of each.
    deviations: Vec<(f64, f64)>,
    /// Mean of the logarithms of the sizes.
    middle: f64,
    /// `alpha` with `N^-alpha / alpha` of each size in units of the mean one.
    powers: Vec<(f64, Vec<f64>)>,
}

/// The likeliest law of a family and the sizes it allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Best {
    pub(super) log_n_star: f64,
    /// Logarithm of the likelihood.
    pub(super) likelihood: f64,
}

/// How far a 95% interval reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// By how much the logarithm of the likelihood may fall below its greatest value.
    pub(super) drop: f64,
    /// Degrees of freedom of the Student's t that reaches as far.
    pub(super) degrees: f64,
}

/// Sums of products over the sizes: of the columns of E and b, and of what is left of the
/// loss by A.
#[derive(Clone, Copy, Default)]
struct Sums {
    ee: f64,
    eb: f64,
    bb: f64,
    et: f64,
    bt: f64,
    tt: f64,
    /// The least b.
    least: f64,
}

/// What the columns of a law at one N* and beta have in common for all alpha.
struct Columns {
    log_n_star: f64,
    /// `m`.
    slope: f64,
    /// `N*/D`, or 0 where the family has no b.
    share: f64,
    /// Of each size: the column of E.
    e: Vec<f64>,
    /// What bends the power law.
    bend: Vec<f64>,
    /// `u^beta / beta`.
    grown: Vec<f64>,
}

impl<'a> Profile<'a> {
    /// `residual` is the root mean square of the misses of a fitted law.
    pub(super) fn new(ladder: &'a Ladder, cost: &'a ModelCost, residual: f64) -> Self {
        let deviations = spread::deviations(residual);
        let sizes = &ladder.log_size;
        let middle = sizes.iter().sum::<f64>() / sizes.len() as f64;
        let (low, high) = (ALPHA_RANGE.0.ln(), ALPHA_RANGE.1.ln());
        let powers = (0..=CELLS).map(|i| {
            let alpha = (low + (high - low) * i as f64 / CELLS as f64).exp();
            let of = |x: &f64| (-alpha * (x - middle)).exp() / alpha;
            (alpha, sizes.iter().map(of).collect())
        });
        let mut profile = Self {
            ladder,
            cost,
            deviations: deviations.iter().map(|&sd| (sd, 0.0)).collect(),
            middle,
            powers: powers.collect(),
        };
        // The density of the residuals, after E, alpha and N*; and what the prior of b
        // leaves of its likelihood.
        let free = ladder.sizes() as f64 - 2.0;
        let known = profile.information();
        for (sd, weight) in &mut profile.deviations {
            let share = known * (EXPECTED / *sd).powi(2);
            *weight = -free * sd.ln() - 0.5 * share.ln_1p();
        }
        profile
    }

    /// Logarithms of the sizes that are looked at.
    pub(super) fn range(&self) -> (f64, f64) {
        let sizes = &self.ladder.log_size;
        let room = 6.0 * std::f64::consts::LN_2;
        (sizes[0] - room, sizes[sizes.len() - 1] + room)
    }

    /// The likeliest N*.
    pub(super) fn best(&self, family: Family) -> Best {
        let (low, high) = self.range();
        let log_n_star = minimise_to(|x| -self.likelihood(x, family), low, high, 60, 1e-4);
        Best {
            log_n_star,
            likelihood: self.likelihood(log_n_star, family),
        }
    }

    /// How far the likelihood of a 95% interval may fall: as far as at the 95% point of the
    /// mixture of normal distributions that the standard deviations make.
    pub(super) fn reach(&self, best: Best, family: Family) -> Reach {
        let squares = self.squares(best.log_n_star, family);
        let logs: Vec<f64> = self
            .deviations
            .iter()
            .zip(&squares)
            .map(|(&(sd, weight), s)| weight - s / (2.0 * sd * sd))
            .collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Densities at the centre, and the probabilities of each standard deviation.
        let density: Vec<(f64, f64)> = self
            .deviations
            .iter()
            .zip(&logs)
            .map(|(&(sd, _), log)| (sd, (log - most).exp()))
            .collect();
        let all: f64 = density.iter().map(|(sd, d)| sd * d).sum();
        let tail = |x: f64| -> f64 {
            let of = density.iter().map(|(sd, d)| sd * d * normal_tail(x / sd));
            of.sum::<f64>() / all
        };
        let (mut low, mut high) = (0.0, 10.0 * density[density.len() - 1].0);
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            match tail(middle) > 0.05 {
                true => low = middle,
                false => high = middle,
            }
        }
        let at = |x: f64| -> f64 {
            let of = density
                .iter()
                .map(|(sd, d)| d * (-0.5 * (x / sd).powi(2)).exp());
            of.sum()
        };
        // Student's t is a mixture whose mean precision is that of the variance estimated.
        let precision = density.iter().map(|(sd, d)| d / sd).sum::<f64>() / all;
        Reach {
            drop: (at(0.0) / at(high)).ln(),
            degrees: student_degrees(0.05, high * precision.sqrt()),
        }
    }

    /// All N* about that of `best` whose likelihood is at least `least`. Where an end is not
    /// found, that of the range.
    pub(super) fn within(&self, best: Best, family: Family, least: f64) -> [f64; 2] {
        let (low, high) = self.range();
        [low, high].map(|end| {
            let direction = (end - best.log_n_star).signum();
            let (mut inside, mut step) = (best.log_n_star, 0.02 * direction);
            loop {
                let next = inside + step;
                if (next - end) * direction >= 0.0 {
                    return end;
                }
                if self.likelihood(next, family) < least {
                    break;
                }
                inside = next;
                step *= 1.5;
            }
            let mut outside = inside + step;
            for _ in 0..12 {
                let middle = 0.5 * (inside + outside);
                match self.likelihood(middle, family) < least {
                    true => outside = middle,
                    false => inside = middle,
                }
            }
            0.5 * (inside + outside)
        })
    }

    /// Logarithm of the likelihood of an N*, up to a constant of the ladder.
    pub(super) fn likelihood(&self, log_n_star: f64, family: Family) -> f64 {
        let squares = self.squares(log_n_star, family);
        let logs = || {
            let of = self.deviations.iter().zip(&squares);
            of.map(|(&(sd, weight), s)| weight - s / (2.0 * sd * sd))
        };
        let most = logs().fold(f64::NEG_INFINITY, f64::max);
        most + logs().map(|log| (log - most).exp()).sum::<f64>().ln()
    }

    /// For each standard deviation, the least sum of squared relative errors of a law with
    /// this N*, with what a b away from 0 costs.
    fn squares(&self, log_n_star: f64, family: Family) -> Vec<f64> {
        let betas: &[f64] = match family {
            Family::Share => &BETAS,
            _ => &BETAS[..1],
        };
        let mut least = vec![f64::INFINITY; self.deviations.len()];
        for &beta in betas {
            let columns = self.columns(log_n_star, beta, family);
            for (least, squares) in least.iter_mut().zip(self.over_alpha(&columns)) {
                *least = least.min(squares);
            }
        }
        least
    }

    /// The same at a fixed beta: down the grid of alpha in ever shorter steps, then a parabola
    /// through the best of it and its neighbours.
    fn over_alpha(&self, columns: &Columns) -> Vec<f64> {
        let mut known: Vec<(usize, Sums)> = Vec::with_capacity(64);
        let of = self.deviations.iter().map(|&(sd, _)| {
            let price = (sd / EXPECTED).powi(2);
            let mut at = |i: usize| {
                let sums = match known.iter().find(|(j, _)| *j == i) {
                    Some((_, sums)) => *sums,
                    None => {
                        let sums = self.sums(columns, i);
                        known.push((i, sums));
                        sums
                    }
                };
                sums.least(price)
            };
            let coarse = (0..=CELLS).step_by(COARSE).map(|i| (at(i), i));
            let first = coarse.min_by(|x, y| x.0.total_cmp(&y.0));
            let (mut least, mut best) = first.unwrap_or((f64::INFINITY, 0));
            let mut step = COARSE / 2;
            while step > 0 {
                for next in [best.saturating_sub(step), (best + step).min(CELLS)] {
                    let squares = at(next);
                    if squares < least {
                        (least, best) = (squares, next);
                    }
                }
                step /= 2;
            }
            if (1..CELLS).contains(&best) {
                let (left, right) = (at(best - 1), at(best + 1));
                let bend = left - 2.0 * least + right;
                if bend > 0.0 {
                    least -= (left - right).powi(2) / (8.0 * bend);
                }
            }
            least.max(0.0)
        });
        of.collect()
    }

    /// `8 (dM/d ln N) / D`, bits per byte.
    fn slope(&self, log_n_star: f64) -> f64 {
        let h = 1e-4;
        let bytes = |x: f64| self.cost.bytes(x.exp());
        let rise = (bytes(log_n_star + h) - bytes(log_n_star - h)) / (2.0 * h);
        8.0 * rise / self.ladder.data_bytes
    }

    fn columns(&self, log_n_star: f64, beta: f64, family: Family) -> Columns {
        let Ladder { log_size, loss, .. } = self.ladder;
        let behind = |x: f64| match family {
            Family::Behind(rate) => 1.0 + rate * (x - log_size[0]) / std::f64::consts::LN_2,
            _ => 1.0,
        };
        let bend = |x: f64| match family {
            Family::Drift(rate) => {
                (-rate * (x - log_n_star).powi(2) / std::f64::consts::LN_10).exp()
            }
            _ => 1.0,
        };
        let (share, grown) = match family {
            Family::Share => {
                let of = |x: &f64| (beta * (x - log_n_star)).exp() / beta;
                let share = log_n_star.exp() / self.ladder.data_bytes;
                (share, log_size.iter().map(of).collect())
            }
            _ => (0.0, vec![0.0; loss.len()]),
        };
        // Errors are relative to the loss measured.
        let of_e = log_size.iter().zip(loss).map(|(&x, loss)| behind(x) / loss);
        Columns {
            log_n_star,
            slope: self.slope(log_n_star),
            share,
            e: of_e.collect(),
            bend: log_size.iter().map(|&x| bend(x)).collect(),
            grown,
        }
    }

    /// Sums at one alpha of the grid.
    fn sums(&self, columns: &Columns, alpha: usize) -> Sums {
        let (alpha, powers) = &self.powers[alpha];
        let unit = (alpha * (columns.log_n_star - self.middle)).exp();
        let mut sums = Sums::default();
        if columns.share > 0.0 {
            sums.least = -CAPACITY.min(HELD * columns.slope / columns.share);
        }
        for (i, &w) in self.ladder.weight.iter().enumerate() {
            let power = unit * powers[i] * columns.bend[i];
            let e = columns.e[i];
            let b = e * columns.share * (power + columns.grown[i]);
            let t = 1.0 - columns.slope * power * e;
            sums.ee += w * e * e;
            sums.eb += w * e * b;
            sums.bb += w * b * b;
            sums.et += w * e * t;
            sums.bt += w * b * t;
            sums.tt += w * t * t;
        }
        sums
    }

    /// What the ladder knows of b: the squares of its column that no change of E, alpha and N*
    /// makes up for, at the likeliest plain law.
    fn information(&self) -> f64 {
        let Some(law) = Law::fit(&self.ladder.pairs()) else {
            return 0.0;
        };
        let (mut gram, mut right, mut all) = ([[0.0; 3]; 3], [0.0; 3], 0.0);
        for (i, loss) in self.ladder.loss.iter().enumerate() {
            let x = self.ladder.log_size[i] - self.middle;
            let power = (-law.alpha * x).exp();
            let columns = [1.0, power, x * power].map(|column| column / loss);
            let b = self.ladder.log_size[i].exp() / self.ladder.data_bytes / loss;
            let weight = self.ladder.weight[i];
            all += weight * b * b;
            for (j, column) in columns.iter().enumerate() {
                right[j] += weight * column * b;
                for (sum, other) in gram[j].iter_mut().zip(columns) {
                    *sum += weight * column * other;
                }
            }
        }
        let explained = solve(gram, right).map_or(all, |found| {
            found.iter().zip(right).map(|(x, r)| x * r).sum()
        });
        (all - explained).max(0.0)
    }
}

/// Of the bits that one more parameter is stored in, no more than this share are saved of
/// these very bytes: by counting they cannot save more than they are, and rounded weights hold
/// less than they could.
const HELD: f64 = 0.5;

/// Cells of the grid over the logarithm of alpha, which N* and the loss together determine to
/// a fraction of a percent.
const CELLS: usize = 1024;

/// Cells of the first step down that grid.
const COARSE: usize = 64;

impl Sums {
    /// The least sum of squares over E and b; `price` is what a squared bit of b adds.
    fn least(&self, price: f64) -> f64 {
        let &Self {
            ee,
            eb,
            bb,
            et,
            bt,
            tt,
            least,
        } = self;
        let stiff = bb + price;
        let mut b = ((ee * bt - eb * et) / (ee * stiff - eb * eb)).clamp(least, CAPACITY);
        let mut e = (et - eb * b) / ee;
        if e < 0.0 {
            b = (bt / stiff).clamp(least, CAPACITY);
            e = ((et - eb * b) / ee).max(0.0);
        }
        let squares =
            tt - 2.0 * e * et - 2.0 * b * bt + e * e * ee + 2.0 * e * b * eb + b * b * stiff;
        squares.max(0.0)
    }
}
