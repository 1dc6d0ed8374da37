//! Intervals by profile likelihood: N* itself is a parameter of the law.
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
//! linear in E and b. The interval holds every N* for which the best such law misses the
//! size means by no more than Student's quantile allows (Bates and Watts 1988, ch. 6).

use super::{
    ModelCost,
    ladder::Ladder,
    law::{ALPHA_RANGE, BETAS, CAPACITY},
    solve::minimise_to,
};

/// Which laws an interval is taken over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Family {
    /// `E + A N^-alpha + B (N/D)^beta`, B of either sign or 0.
    Share,
    /// The plain law, of which larger models fall behind by this share of the loss an
    /// octave because they are trained too little; N* is that of the law.
    Behind(f64),
}

/// One ladder and what models cost.
pub(super) struct Profile<'a> {
    pub(super) ladder: &'a Ladder,
    pub(super) cost: &'a ModelCost,
}

/// The best law of a family and the sizes it allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Best {
    pub(super) log_n_star: f64,
    pub(super) squares: f64,
}

impl Profile<'_> {
    /// Logarithms of the sizes that are looked at.
    pub(super) fn range(&self) -> (f64, f64) {
        let sizes = &self.ladder.log_size;
        let room = 6.0 * std::f64::consts::LN_2;
        (sizes[0] - room, sizes[sizes.len() - 1] + room)
    }

    /// N* with the least sum of squares.
    pub(super) fn best(&self, family: Family) -> Best {
        let (low, high) = self.range();
        let log_n_star = minimise_to(|x| self.squares(x, family), low, high, 60, 1e-5);
        Best {
            log_n_star,
            squares: self.squares(log_n_star, family),
        }
    }

    /// All N* about that of `best` whose sum of squares stays within `limit`. Where none
    /// is found, the end of the range.
    pub(super) fn within(&self, best: Best, family: Family, limit: f64) -> [f64; 2] {
        let (low, high) = self.range();
        [low, high].map(|end| {
            let direction = (end - best.log_n_star).signum();
            let (mut inside, mut step) = (best.log_n_star, 0.02 * direction);
            loop {
                let next = inside + step;
                if (next - end) * direction >= 0.0 {
                    return end;
                }
                if self.squares(next, family) > limit {
                    break;
                }
                inside = next;
                step *= 1.5;
            }
            let mut outside = inside + step;
            for _ in 0..14 {
                let middle = 0.5 * (inside + outside);
                match self.squares(middle, family) > limit {
                    true => outside = middle,
                    false => inside = middle,
                }
            }
            0.5 * (inside + outside)
        })
    }

    /// The least sum of squared relative errors of a law with this N*.
    pub(super) fn squares(&self, log_n_star: f64, family: Family) -> f64 {
        let slope = self.slope(log_n_star);
        let (low, high) = (ALPHA_RANGE.0.ln(), ALPHA_RANGE.1.ln());
        let over_alpha = |beta: f64| {
            let at = |x: f64| self.misses(log_n_star, slope, x.exp(), beta, family);
            at(minimise_to(at, low, high, 20, 1e-4))
        };
        match family {
            Family::Share => BETAS
                .map(over_alpha)
                .into_iter()
                .fold(f64::INFINITY, f64::min),
            Family::Behind(_) => over_alpha(1.0),
        }
    }

    /// `8 (dM/d ln N) / D`, bits per byte.
    fn slope(&self, log_n_star: f64) -> f64 {
        let h = 1e-4;
        let bytes = |x: f64| self.cost.bytes(x.exp());
        let rise = (bytes(log_n_star + h) - bytes(log_n_star - h)) / (2.0 * h);
        8.0 * rise / self.ladder.data_bytes
    }

    /// Sum of squares at a fixed N*, alpha and beta: E, and b where the family has it.
    fn misses(&self, log_n_star: f64, slope: f64, alpha: f64, beta: f64, family: Family) -> f64 {
        let Ladder {
            log_size,
            loss,
            weight,
            ..
        } = self.ladder;
        let share = log_n_star.exp() / self.ladder.data_bytes;
        let row = |i: usize| {
            let x = log_size[i] - log_n_star;
            let power = (-alpha * x).exp() / alpha;
            let (column, behind) = match family {
                Family::Share => (share * (power + (beta * x).exp() / beta), 1.0),
                Family::Behind(rate) => {
                    let octaves = (log_size[i] - log_size[0]) / std::f64::consts::LN_2;
                    (0.0, 1.0 + rate * octaves)
                }
            };
            // Errors are relative to the loss measured.
            let scale = behind / loss[i];
            let target = 1.0 - slope * power * scale;
            (weight[i], scale, column * scale, target)
        };
        let (mut ee, mut eb, mut bb, mut et, mut bt, mut tt) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for i in 0..loss.len() {
            let (w, e, b, t) = row(i);
            ee += w * e * e;
            eb += w * e * b;
            bb += w * b * b;
            et += w * e * t;
            bt += w * b * t;
            tt += w * t * t;
        }
        let (mut e, mut b) = (et / ee, 0.0);
        if family == Family::Share {
            // A stays at 0 or above.
            let least = -CAPACITY.min(0.98 * slope / share);
            let determinant = ee * bb - eb * eb;
            b = match determinant > 1e-12 * ee * bb {
                true => ((ee * bt - eb * et) / determinant).clamp(least, CAPACITY),
                false => 0.0,
            };
            e = (et - eb * b) / ee;
            if e < 0.0 {
                b = (bt / bb).clamp(least, CAPACITY);
                e = ((et - eb * b) / ee).max(0.0);
            }
        }
        e = e.max(0.0);
        let squares = tt - 2.0 * e * et - 2.0 * b * bt + e * e * ee + 2.0 * e * b * eb + b * b * bb;
        squares.max(0.0)
    }
}
