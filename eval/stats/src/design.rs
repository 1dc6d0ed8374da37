//! Which model to train next, so that the critical size is known soonest.
//!
//! A sequential c-optimal design (Chernoff 1953; Chaloner and Verdinelli 1995 for the
//! form with a prior). The law `L(N) = E + A N^-alpha` is linearised in `E`, `ln A` and
//! `alpha` at the best guess so far. The size means of `ln L` then carry the information
//!
//! ```text
//! M = P + sum over sizes of  g g' / (size^2 + seed^2 / seeds),   g = d ln L / d (E, ln A, alpha)
//! ```
//!
//! where `P` is the prior's, and the variance of `ln N*` under a convention is
//! `h' M^-1 h` with `h = d ln N* / d (E, ln A, alpha)`. [`Design::next`] takes the trial
//! that lowers the sum of these variances most for each operation of its training.

use crate::critical::{
    CriticalSize, Estimator, Law, ModelCost, Point, critical_sizes, falling_part,
    points::{collect, mean_by_size},
    prior::PROSE,
};

/// Scatter of the losses about the law between sizes, and between seeds: relative
/// standard deviations, as in this project's ladders (docs/results.md).
const SIZE_SD: f64 = 0.005;
const SEED_SD: f64 = 0.002;

/// Standard deviations of `E` (bits per byte), `ln A` and `alpha` before anything is
/// measured, about the law of prose.
const PRIOR_SD: [f64; 3] = [0.5, 1.0, 0.1];

/// Bytes a parameter of the conventions that are looked at before anything is
/// measured: two, and what trained weights take when they are stored.
const ASSUMED_BYTES: [f64; 2] = [2.0, 0.5];

/// Fewer sizes than these have no interval by a law.
pub const LEAST_SIZES: usize = 5;

/// A trial that could be trained, or was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Parameters of its model.
    pub parameters: f64,
    /// What its training takes, in any unit, such as floating-point operations.
    pub cost: f64,
    /// Whether it is done.
    pub done: bool,
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Width of every 95% interval of N* that is narrow enough, in octaves.
    pub precision: f64,
    /// Share of the cost of all candidates that may be spent, at most 1.
    pub budget: f64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Train this candidate.
    Train(usize),
    /// Every interval is narrow enough, and the sizes that are done enclose every N*.
    Enough,
    /// The budget allows no further candidate.
    Spent,
    /// All candidates are done.
    Exhausted,
}

/// Decides what to do next for one ladder, of which `points` are measured.
#[must_use]
pub fn decide(
    data_bytes: f64,
    points: &[Point],
    candidates: &[Candidate],
    goal: Goal,
    estimator: &Estimator,
) -> Decision {
    if candidates.iter().all(|c| c.done) {
        return Decision::Exhausted;
    }
    let design = Design::new(data_bytes, points);
    if design.encloses(candidates) && narrow(points, goal.precision, estimator) {
        return Decision::Enough;
    }
    let total: f64 = candidates.iter().map(|c| c.cost).sum();
    let spent: f64 = candidates.iter().filter(|c| c.done).map(|c| c.cost).sum();
    let affordable = |c: &Candidate| spent + c.cost <= goal.budget * total;
    match design.next(candidates, affordable) {
        Some(next) => Decision::Train(next),
        None => Decision::Spent,
    }
}

/// Whether every interval of N* is by a law, and at most so many octaves wide. Of series in
/// which larger models are no better, no model tells N*: they are passed over if there are
/// others.
fn narrow(points: &[Point], precision: f64, estimator: &Estimator) -> bool {
    let narrow = |found: &CriticalSize| {
        let by_law = found.envelope.is_some();
        by_law
            && found
                .ci95
                .is_some_and(|[low, high]| (high / low).log2() <= precision)
    };
    let mut all = collect(points, Point::same_series);
    all.retain(|series| target(series).is_some());
    let sizes = |series: &Vec<Point>| critical_sizes(series, estimator);
    !all.is_empty()
        && all
            .iter()
            .all(|series| sizes(series).is_ok_and(|found| found.iter().all(narrow)))
}

/// What is asked for in a series: nothing where the falling part of its losses has too few
/// sizes for a law, or larger models are no better.
fn target(series: &[Point]) -> Option<Target> {
    let falling = falling_part(&mean_by_size(series));
    let usable = |p: &&Point| p.parameters <= falling;
    let falling: Vec<Point> = series.iter().filter(usable).cloned().collect();
    let law = Law::fit(&pairs(&falling, |p| p.bits_per_byte))?;
    let cost = ModelCost::fit_straight(&pairs(series, |p| p.model_bytes))?;
    (law.a > 0.0).then_some(Target { law, cost })
}

/// One ladder: models of many sizes on the same bytes.
#[derive(Clone, Debug)]
pub struct Design {
    data_bytes: f64,
    targets: Vec<Target>,
}

/// A critical size that is asked for: the law of a regime, the cost of a convention.
#[derive(Clone, Copy, Debug)]
struct Target {
    law: Law,
    cost: ModelCost,
}

impl Design {
    /// A design for a ladder of `data_bytes` bytes, of which `points` are measured, in
    /// all regimes and conventions that are asked for. Where fewer than three sizes are
    /// measured, or larger models are no better in any of them, the law of prose is assumed.
    #[must_use]
    pub fn new(data_bytes: f64, points: &[Point]) -> Self {
        let mut targets: Vec<Target> = collect(points, Point::same_series)
            .iter()
            .filter_map(|series| target(series))
            .collect();
        if targets.is_empty() {
            let assumed = |bytes| Target {
                law: PROSE,
                cost: ModelCost::per_parameter(bytes),
            };
            targets.extend(ASSUMED_BYTES.map(assumed));
        }
        Self {
            data_bytes,
            targets,
        }
    }

    /// The index of the candidate to train next, among those that are not done and that
    /// `affordable` holds for; `None` if there are none.
    ///
    /// As long as fewer than [`LEAST_SIZES`] sizes are done, it is one of a new size.
    ///
    /// ```
    /// use brevity_stats::design::{Candidate, Design};
    ///
    /// let mut trials: Vec<Candidate> = (0..8)
    ///     .map(|i| 4e3 * f64::from(1 << i))
    ///     .map(|n| Candidate { parameters: n, cost: n, done: false })
    ///     .collect();
    /// // For a megabyte, N* is some 25K to 100K: the largest models are not worth it.
    /// for _ in 0..5 {
    ///     let next = Design::new(1e6, &[]).next(&trials, |_| true).unwrap();
    ///     trials[next].done = true;
    /// }
    /// assert!(!trials[7].done);
    /// ```
    #[must_use]
    pub fn next(
        &self,
        candidates: &[Candidate],
        affordable: impl Fn(&Candidate) -> bool,
    ) -> Option<usize> {
        let sizes = sizes(candidates);
        let before = self.variance(&sizes);
        let gain = |candidate: &Candidate| {
            let mut after = sizes.clone();
            match after.iter_mut().find(|s| s.0 == candidate.parameters) {
                Some((_, seeds)) => *seeds += 1,
                None => after.push((candidate.parameters, 1)),
            }
            (before - self.variance(&after)) / candidate.cost
        };
        let open: Vec<usize> = (0..candidates.len())
            .filter(|&i| !candidates[i].done && affordable(&candidates[i]))
            .collect();
        let new: Vec<usize> = open
            .iter()
            .copied()
            .filter(|&i| sizes.iter().all(|s| s.0 != candidates[i].parameters))
            .collect();
        let few = sizes.len() < LEAST_SIZES && !new.is_empty();
        let among = if few { new } else { open };
        among
            .into_iter()
            .map(|i| (i, gain(&candidates[i])))
            .max_by(|(_, x), (_, y)| x.total_cmp(y))
            .map(|(i, _)| i)
    }

    /// Whether the sizes that are done enclose every critical size, as far as the
    /// candidates allow.
    #[must_use]
    pub fn encloses(&self, candidates: &[Candidate]) -> bool {
        let largest = |all: bool| {
            let sizes = candidates.iter().filter(|c| all || c.done);
            sizes.map(|c| c.parameters).fold(0.0, f64::max)
        };
        let (done, all) = (largest(false), largest(true));
        self.targets
            .iter()
            .all(|t| done >= all.min(t.cost.optimum(&t.law, self.data_bytes)))
    }

    /// The sum over targets of the variance of `ln N*`, from sizes and their seeds.
    fn variance(&self, sizes: &[(f64, usize)]) -> f64 {
        let of = |target: &Target| {
            let mut information = [[0.0; 3]; 3];
            for (i, sd) in PRIOR_SD.iter().enumerate() {
                information[i][i] = 1.0 / (sd * sd);
            }
            for &(parameters, seeds) in sizes {
                let gradient = gradient(&target.law, |law| law.bits_per_byte(parameters).ln());
                let variance = SIZE_SD * SIZE_SD + SEED_SD * SEED_SD / seeds as f64;
                for i in 0..3 {
                    for j in 0..3 {
                        information[i][j] += gradient[i] * gradient[j] / variance;
                    }
                }
            }
            let optimum = |law: &Law| target.cost.optimum(law, self.data_bytes).ln();
            let h = gradient(&target.law, optimum);
            quadratic_of_inverse(&information, &h)
        };
        self.targets.iter().map(of).sum()
    }
}

/// Derivatives of a function of the law by `E`, `ln A` and `alpha`.
fn gradient(law: &Law, f: impl Fn(&Law) -> f64) -> [f64; 3] {
    const STEP: f64 = 1e-4;
    let moved = |i: usize, by: f64| {
        let mut law = Law {
            share: None,
            ..*law
        };
        match i {
            0 => law.e += by,
            1 => law.a *= by.exp(),
            _ => law.alpha += by,
        }
        f(&law)
    };
    std::array::from_fn(|i| (moved(i, STEP) - moved(i, -STEP)) / (2.0 * STEP))
}

/// `h' M^-1 h` for a positive definite M, by its Cholesky factor.
fn quadratic_of_inverse(m: &[[f64; 3]; 3], h: &[f64; 3]) -> f64 {
    let mut factor = [[0.0f64; 3]; 3];
    let mut sum = 0.0;
    let mut solved = [0.0; 3];
    for i in 0..3 {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            factor[i][j] = match i == j {
                true => (m[i][i] - dot).sqrt(),
                false => (m[i][j] - dot) / factor[j][j],
            };
        }
        let dot: f64 = (0..i).map(|k| factor[i][k] * solved[k]).sum();
        solved[i] = (h[i] - dot) / factor[i][i];
        sum += solved[i] * solved[i];
    }
    sum
}

/// The sizes that are done, with the number of their seeds.
fn sizes(candidates: &[Candidate]) -> Vec<(f64, usize)> {
    let mut sizes: Vec<(f64, usize)> = Vec::new();
    for candidate in candidates.iter().filter(|c| c.done) {
        match sizes.iter_mut().find(|s| s.0 == candidate.parameters) {
            Some((_, seeds)) => *seeds += 1,
            None => sizes.push((candidate.parameters, 1)),
        }
    }
    sizes
}

fn pairs(points: &[Point], of: impl Fn(&Point) -> f64) -> Vec<(f64, f64)> {
    points.iter().map(|p| (p.parameters, of(p))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quadratic_form_is_that_of_the_inverse() {
        let m = [[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]];
        let h = [1.0, -2.0, 0.5];
        // M x = h by hand: x = M^-1 h, h' x.
        let x = [0.427_900, -0.824_331, 0.225_458];
        let check: Vec<f64> = (0..3)
            .map(|i| (0..3).map(|j| m[i][j] * x[j]).sum())
            .collect();
        for (found, asked) in check.iter().zip(h) {
            assert!((found - asked).abs() < 2e-3, "{check:?}");
        }
        let form: f64 = h.iter().zip(x).map(|(h, x)| h * x).sum();
        assert!((quadratic_of_inverse(&m, &h) - form).abs() < 5e-3);
    }

    const GOAL: Goal = Goal {
        precision: 0.2,
        budget: 1.0,
    };

    fn ladder() -> Vec<Candidate> {
        let sizes = [4e3, 7e3, 1e4, 2e4, 37e3, 68e3, 115e3];
        let candidate = |parameters| Candidate {
            parameters,
            cost: parameters,
            done: false,
        };
        sizes.map(candidate).into()
    }

    /// The points of the trials that are done, without noise.
    fn measured(trials: &[Candidate]) -> Vec<Point> {
        let law = |n: f64| 1.2 + 40.0 * n.powf(-0.4);
        let done = trials.iter().filter(|c| c.done);
        done.map(|c| Point::new(c.parameters, 5e5, law(c.parameters)))
            .collect()
    }

    #[test]
    fn it_begins_with_five_sizes_and_goes_on_to_the_end() {
        let mut trials = ladder();
        for round in 0..trials.len() {
            let design = Design::new(5e5, &measured(&trials));
            let next = design.next(&trials, |_| true).unwrap();
            assert!(!trials[next].done, "round {round}");
            trials[next].done = true;
        }
        assert_eq!(
            decide(
                5e5,
                &measured(&trials),
                &trials,
                GOAL,
                &Estimator::default()
            ),
            Decision::Exhausted
        );
    }

    /// A ladder that rises with size (over-fitted models on held-out bytes) has no N*, and must
    /// not blind the plan to the others.
    #[test]
    fn ladders_without_a_critical_size_are_passed_over() {
        let mut trials = ladder();
        for trial in &mut trials[..5] {
            trial.done = true;
        }
        let alone = measured(&trials);
        let rising = |mean: fn(f64) -> f64| -> Vec<Point> {
            let held_out = alone.iter().map(|p| Point {
                regime: "held-out".into(),
                bits_per_byte: mean(p.parameters),
                ..p.clone()
            });
            alone.iter().cloned().chain(held_out).collect()
        };
        let expected = Design::new(5e5, &alone).next(&trials, |_| true);
        for mean in [
            |n: f64| 2.7 + 1e-5 * n,
            |n: f64| 2.7 + 1e-9 * n,
            |_: f64| 2.7,
        ] {
            let both = rising(mean);
            let design = Design::new(5e5, &both);
            assert_eq!(design.next(&trials, |_| true), expected);
            let decide = |points| decide(5e5, points, &trials, GOAL, &Estimator::default());
            assert_eq!(decide(&both), decide(&alone));
        }
    }

    #[test]
    fn an_equal_trial_at_a_lower_cost_comes_first() {
        let mut trials = ladder();
        trials.push(Candidate {
            cost: 1.0,
            ..trials[3]
        });
        assert_eq!(Design::new(5e5, &[]).next(&trials, |_| true), Some(7));
    }

    #[test]
    fn sizes_that_end_below_the_critical_one_do_not_enclose_it() {
        let mut trials = ladder();
        for trial in &mut trials[..3] {
            trial.done = true;
        }
        let design = Design::new(5e5, &measured(&trials));
        assert!(!design.encloses(&trials));
        trials[5].done = true;
        assert!(Design::new(5e5, &measured(&trials)).encloses(&trials));
    }
}
