//! The search for a joint law: Huber's loss, profiled over the exponents.
//!
//! The fit minimises the *summed* Huber loss of relative errors. For a given
//! (alpha, beta) the law is linear and solved by reweighted least squares; the
//! outer search runs Nelder and Mead's simplex from a grid of starts down to a
//! spread of 1e-10. (Averaging the loss instead of summing it lets an optimizer
//! stop early, which is how the published fits of such laws went wrong;
//! Besiroglu et al., arXiv 2404.10102.)

use super::{DataTerm, JointLaw};
use crate::critical::{
    Point,
    law::ALPHA_RANGE,
    solve::{nelder_mead, solve},
};

impl JointLaw {
    /// Fits points of one series by either form of the data's term alone and keeps the
    /// closer one; they have as many unknowns. Relative errors beyond `huber` count
    /// linearly ([`HUBER`](crate::critical::HUBER) is about the noise between seeds).
    /// Nothing when there are fewer than three model sizes.
    #[must_use]
    pub fn fit(points: &[Point], huber: f64) -> Option<Self> {
        let forms = [DataTerm::Bytes, DataTerm::ParametersPerByte];
        let found = forms
            .into_iter()
            .filter_map(|term| search(points, term, huber));
        let closest = found.min_by(|x, y| x.0.total_cmp(&y.0));
        closest.map(|(_, law)| law)
    }

    /// As [`fit`](Self::fit), by one form. Two data sizes cannot tell the forms apart:
    /// with them only `B D^-beta` is fitted, beta tied to alpha, and with one size B is 0.
    #[must_use]
    pub fn fit_as(points: &[Point], term: DataTerm, huber: f64) -> Option<Self> {
        search(points, term, huber).map(|(_, law)| law)
    }

    /// As [`fit`](Self::fit) by the same form, from one start: for resamples of fitted
    /// points.
    pub(super) fn refit(&self, points: &[Point], huber: f64) -> Option<Self> {
        let problem = Problem::new(points, self.term, huber)?;
        let (_, law) = problem.best_of(&[[self.alpha.ln(), self.beta.ln()]])?;
        Some(law)
    }
}

/// The closest law of one form from a grid of starts, after its loss.
fn search(points: &[Point], term: DataTerm, huber: f64) -> Option<(f64, JointLaw)> {
    let problem = Problem::new(points, term, huber)?;
    let few = problem.data_sizes < 3;
    if few && term != DataTerm::Bytes {
        return None;
    }
    let grid = [0.1, 0.2, 0.35, 0.6, 1.0];
    let mut starts = Vec::new();
    for alpha in grid {
        if few {
            starts.push([f64::ln(alpha), f64::ln(alpha)]);
        } else {
            starts.extend(grid.map(|beta| [f64::ln(alpha), f64::ln(beta)]));
        }
    }
    problem.best_of(&starts)
}

/// Points in the form the search wants them.
struct Problem {
    term: DataTerm,
    /// Logarithms of the two sizes about their means, and bits per byte.
    rows: Vec<[f64; 3]>,
    centre: [f64; 2],
    data_sizes: usize,
    huber: f64,
}

impl Problem {
    fn new(points: &[Point], term: DataTerm, huber: f64) -> Option<Self> {
        let distinct = |of: fn(&Point) -> f64| {
            let mut all: Vec<f64> = points.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all.dedup();
            all.len()
        };
        if distinct(|p| p.parameters) < 3 {
            return None;
        }
        let count = points.len() as f64;
        let mean = |of: fn(&Point) -> f64| points.iter().map(|p| of(p).ln()).sum::<f64>() / count;
        let centre = [mean(|p| p.parameters), mean(|p| p.data_bytes)];
        let rows = points
            .iter()
            .map(|p| {
                [
                    p.parameters.ln() - centre[0],
                    p.data_bytes.ln() - centre[1],
                    p.bits_per_byte,
                ]
            })
            .collect();
        Some(Self {
            term,
            rows,
            centre,
            data_sizes: distinct(|p| p.data_bytes),
            huber,
        })
    }

    fn exponents(&self, x: [f64; 2]) -> (f64, f64) {
        let bounded = |x: f64, most: f64| x.clamp(ALPHA_RANGE.0.ln(), most.ln()).exp();
        let alpha = bounded(x[0], ALPHA_RANGE.1);
        let beta = match self.term {
            DataTerm::Bytes if self.data_sizes < 3 => alpha,
            DataTerm::Bytes | DataTerm::Both => bounded(x[1], ALPHA_RANGE.1),
            DataTerm::ParametersPerByte => bounded(x[1], 1.0),
        };
        (alpha, beta)
    }

    /// The power of e that the data's term is, without B.
    fn data_power(&self, parameters: f64, data_bytes: f64, beta: f64) -> f64 {
        match self.term {
            DataTerm::Bytes | DataTerm::Both => -beta * data_bytes,
            DataTerm::ParametersPerByte => beta * (parameters - data_bytes),
        }
    }

    /// The best law that the search finds from any of the starts, which are
    /// logarithms of (alpha, beta), after its loss.
    fn best_of(&self, starts: &[[f64; 2]]) -> Option<(f64, JointLaw)> {
        let (loss, x) = starts
            .iter()
            .map(|&start| nelder_mead(|x| self.project(x).1, start, 0.2, 1e-10))
            .min_by(|p, q| p.0.total_cmp(&q.0))?;
        let ([e, a, b, c], _) = self.project(x);
        let (alpha, beta) = self.exponents(x);
        let law = JointLaw {
            e,
            a: a * (alpha * self.centre[0]).exp(),
            alpha,
            term: self.term,
            b: b * (-self.data_power(self.centre[0], self.centre[1], beta)).exp(),
            beta,
            c: c / (self.centre[0] - self.centre[1]).exp(),
        };
        Some((loss, law))
    }

    /// Best (E, A, B, C) at fixed exponents, in centred units, and the summed loss.
    fn project(&self, x: [f64; 2]) -> ([f64; 4], f64) {
        let (alpha, beta) = self.exponents(x);
        let terms: Vec<([f64; 4], f64)> = self
            .rows
            .iter()
            .map(|&[n, d, l]| {
                let data = if self.data_sizes < 2 {
                    0.0
                } else {
                    self.data_power(n, d, beta).exp()
                };
                let share = match self.term {
                    DataTerm::Both => (n - d).exp(),
                    _ => 0.0,
                };
                ([1.0, (-alpha * n).exp(), data, share], l)
            })
            .collect();
        let mut weights: Vec<f64> = terms.iter().map(|t| 1.0 / (t.1 * t.1)).collect();
        let mut best = ([0.0; 4], f64::INFINITY);
        for _ in 0..50 {
            let coefficients = constrained(&terms, &weights);
            let mut loss = 0.0;
            for ((x, l), w) in terms.iter().zip(&mut weights) {
                let fitted: f64 = x.iter().zip(coefficients).map(|(x, c)| x * c).sum();
                let r = (l - fitted).abs() / l;
                loss += if r <= self.huber {
                    r * r / 2.0
                } else {
                    self.huber * (r - self.huber / 2.0)
                };
                *w = (self.huber / r.max(self.huber)) / (l * l);
            }
            let settled = best.1 - loss <= 1e-12 * loss;
            if loss < best.1 {
                best = (coefficients, loss);
            }
            if settled {
                break;
            }
        }
        best
    }
}

/// Weighted least squares with the first two coefficients at 0 or above, by
/// trying each set of coefficients held at 0.
fn constrained(terms: &[([f64; 4], f64)], weights: &[f64]) -> [f64; 4] {
    let (mut gram, mut rhs) = ([[0.0; 4]; 4], [0.0; 4]);
    for ((x, l), w) in terms.iter().zip(weights) {
        for i in 0..4 {
            rhs[i] += w * x[i] * l;
            for j in 0..4 {
                gram[i][j] += w * x[i] * x[j];
            }
        }
    }
    let mut best = ([0.0; 4], f64::INFINITY);
    for held in [[false, false], [true, false], [false, true]] {
        let (mut g, mut r) = (gram, rhs);
        for i in 0..4 {
            // A column of zeros (a term that the form lacks) would be singular; so would a held one.
            if (i < 2 && held[i]) || g[i][i] == 0.0 {
                g[i] = [0.0; 4];
                for row in &mut g {
                    row[i] = 0.0;
                }
                g[i][i] = 1.0;
                r[i] = 0.0;
            }
        }
        let Some(c) = solve(g, r) else { continue };
        if c[0] < 0.0 || c[1] < 0.0 {
            continue;
        }
        // Loss less its constant: c'Gc - 2 c'r.
        let mut loss = 0.0;
        for i in 0..4 {
            loss -= 2.0 * c[i] * rhs[i];
            for j in 0..4 {
                loss += c[i] * gram[i][j] * c[j];
            }
        }
        if loss < best.1 {
            best = (c, loss);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::critical::HUBER;
    use crate::critical::joint::law::tests::{BY_HEART, TRUTH, sampled};

    #[test]
    fn recovers_a_law_without_noise_of_either_form_and_sign() {
        let either = |truth: JointLaw, b| [truth, JointLaw { b, ..truth }];
        for truth in either(TRUTH, -8.0).into_iter().chain(either(BY_HEART, 0.6)) {
            let fit = JointLaw::fit(&sampled(&truth, &[1e5, 1e6, 4e6, 1e7]), HUBER).unwrap();
            assert_eq!(fit.term, truth.term);
            assert!((fit.alpha - truth.alpha).abs() < 1e-3, "{fit:?}");
            assert!((fit.beta - truth.beta).abs() < 1e-2, "{fit:?}");
            assert!((fit.a / truth.a - 1.0).abs() < 1e-2, "{fit:?}");
        }
    }

    #[test]
    fn recovers_both_terms_together() {
        let truth = JointLaw {
            term: DataTerm::Both,
            c: 0.7,
            ..TRUTH
        };
        let points = sampled(&truth, &[1e5, 1e6, 4e6, 1e7]);
        let fit = JointLaw::fit_as(&points, DataTerm::Both, HUBER).unwrap();
        assert!((fit.alpha - truth.alpha).abs() < 1e-3, "{fit:?}");
        assert!((fit.c - truth.c).abs() < 1e-2, "{fit:?}");
    }

    #[test]
    fn one_wild_point_does_not_move_the_law() {
        let mut points = sampled(&TRUTH, &[1e5, 1e6, 1e7]);
        points[9].bits_per_byte *= 1.5;
        let fit = JointLaw::fit(&points, HUBER).unwrap();
        assert!((fit.alpha - TRUTH.alpha).abs() < 0.01, "{fit:?}");
    }
}
