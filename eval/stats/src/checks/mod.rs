//! Whether a ladder of models supports what is concluded from it.
//!
//! A critical size compares models of different sizes, each at its best. If longer training
//! would still shorten descriptions, the rate is an upper bound. The small models are then
//! further trained than the large ones, so N* is too low, in-sample a lower
//! bound. N* is meaningless when the learning rate suits one end of the ladder only.
//! [`Checks::of`] looks for the evidence among the rows of a sweep: runs that differ only in
//! the length of training, in the learning rate or in the seed, because the sweep varies
//! them or because `sweep.checks` asked for them.

mod longer;
mod pairs;
mod rates;

use serde::{Deserialize, Serialize};

use self::pairs::{Series, alike};
use crate::critical::CriticalSize;
use brevity_length::format::{count, percent};
use brevity_length::{Regime, Row};

pub use longer::Doubled;
pub use rates::BestRate;

/// What the checks come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing speaks against the numbers.
    Sound,
    /// Better training would give shorter descriptions, or nobody has looked: the rate is an
    /// upper bound, and in-sample N* a lower one.
    UpperBound,
    /// The numbers should not be used.
    Unsound,
}

/// The evidence, and the verdict with its reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checks {
    /// The worst that the reasons allow.
    pub verdict: Verdict,
    /// One sentence for each thing that was looked at.
    pub reasons: Vec<String>,
    /// Largest relative standard deviation of the raw rate over seeds at one
    /// size; nothing with one seed.
    pub seed_spread: Option<f64>,
    /// Longer training, for every size that has it, smallest first.
    pub doubled: Vec<Doubled>,
    /// Best learning rates, for every size with three or more, smallest first.
    pub best_rates: Vec<BestRate>,
}

/// Share of an adjusted rate that training must gain to matter.
const MATTERS: f64 = 0.02;

impl Checks {
    /// Looks through the scored rows of a sweep and the critical sizes found.
    #[must_use]
    pub fn of(rows: &[Row], critical: &[CriticalSize]) -> Self {
        let rows: Vec<&Row> = rows.iter().filter(|r| r.is_scored()).collect();
        let mut checks = Self {
            verdict: Verdict::Sound,
            reasons: Vec::new(),
            seed_spread: seed_spread(&rows),
            doubled: longer::doubled(&rows),
            best_rates: rates::best_rates(&rows),
        };
        checks.judge_regimes(&rows);
        let all = candidate_series(&rows);
        checks.judge_training(&all);
        checks.judge_rates(&all);
        checks.judge_seeds();
        checks.judge_grid(critical);
        checks
    }

    fn find(&mut self, verdict: Verdict, reason: String) {
        self.verdict = self.verdict.max(verdict);
        self.reasons.push(reason);
    }

    fn judge_regimes(&mut self, rows: &[&Row]) {
        if rows.iter().any(|r| r.regime() == Some(Regime::Overlap)) {
            let reason = "some scores are on data that overlap the training data";
            self.find(Verdict::Unsound, reason.into());
        }
    }

    fn judge_training(&mut self, all: &[String]) {
        let most = |of: &[&Doubled]| of.iter().map(|d| d.gain).fold(f64::NEG_INFINITY, f64::max);
        let doubled = self.doubled.clone();
        let (series, without) = at_two_sizes(all, &doubled, |d| (&d.series, d.parameters));
        if let Some(without) = without {
            let reason = format!(
                "models of two sizes were not trained longer to see how much that would gain{without}: \
                 until then the rate is an upper bound, and N* in-sample a lower one"
            );
            self.find(Verdict::UpperBound, reason);
        }
        let worst = series
            .iter()
            .max_by(|x, y| most(&x.1).total_cmp(&most(&y.1)));
        let Some((name, of)) = worst else {
            return;
        };
        let (small, large) = (of[0], of[of.len() - 1]);
        let reason = format!(
            "{:.1} times the training takes {}% off the adjusted rate at {} parameters and {}% at {}{}",
            small.factor,
            percent(small.gain),
            count(small.parameters as f64),
            percent(large.gain),
            count(large.parameters as f64),
            of_series(name, all.len()),
        );
        match series.iter().any(|(_, of)| most(of) > MATTERS) {
            true => {
                let bounds = ", so the rate is an upper bound and N* in-sample a lower one";
                self.find(Verdict::UpperBound, reason + bounds);
            }
            false => self.find(Verdict::Sound, reason),
        }
    }

    fn judge_rates(&mut self, all: &[String]) {
        let best_rates = self.best_rates.clone();
        let (series, without) = at_two_sizes(all, &best_rates, |b| (&b.series, b.parameters));
        if let Some(without) = without {
            let reason = format!(
                "the learning rate was not swept at two sizes{without}, so another may do better"
            );
            self.find(Verdict::UpperBound, reason);
        }
        let octaves = |of: &[&BestRate]| {
            let rates = || of.iter().map(|b| b.learning_rate);
            (rates().fold(0.0, f64::max) / rates().fold(f64::INFINITY, f64::min)).log2()
        };
        let judged = |(name, of): &(String, Vec<&BestRate>)| {
            let worth = of.iter().map(|b| b.gain).fold(0.0, f64::max);
            let octaves = octaves(of);
            let verdict = match worth > MATTERS {
                false => Verdict::Sound,
                true if octaves > 1.01 => Verdict::Unsound,
                true => Verdict::UpperBound,
            };
            (verdict, worth, octaves, name.clone())
        };
        let worst = series
            .iter()
            .map(judged)
            .max_by(|x, y| x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)));
        let Some((verdict, worth, octaves, name)) = worst else {
            return;
        };
        let reason = format!(
            "the best learning rate moves by {octaves:.1} octaves over the sizes; another \
             takes at most {}% off an adjusted rate{}",
            percent(worth),
            of_series(&name, all.len())
        );
        self.find(verdict, reason);
    }

    fn judge_seeds(&mut self) {
        self.reasons.push(match self.seed_spread {
            Some(spread) => format!(
                "seeds differ by up to {}% (standard deviation)",
                percent(spread)
            ),
            None => "one seed only: the spread between runs is not measured".into(),
        });
    }

    fn judge_grid(&mut self, critical: &[CriticalSize]) {
        for c in critical {
            if c.n_star <= c.grid[0] || c.n_star >= c.grid[1] {
                let reason = format!("{}: N* lies outside of the sizes measured", c.name());
                self.find(Verdict::Unsound, reason);
            }
        }
    }
}

impl Verdict {
    /// `sound`, `upper bound` or `unsound`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::UpperBound => "upper bound",
            Self::Unsound => "unsound",
        }
    }
}

/// The series in which something is to be judged, in order of appearance.
fn candidate_series(rows: &[&Row]) -> Vec<String> {
    let series = Series::new(rows);
    let mut all = Vec::new();
    for row in rows.iter().filter(|row| row.is_candidate()) {
        let name = series.of(row);
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// A series and what was found in it.
type Found<'a, T> = (String, Vec<&'a T>);

/// What was found in each series that has it at two sizes or more, and the names of the
/// others, in words, if there are any. `of` tells series and parameters.
fn at_two_sizes<'a, T>(
    all: &[String],
    found: &'a [T],
    of: impl Fn(&T) -> (&str, u64),
) -> (Vec<Found<'a, T>>, Option<String>) {
    let in_series = |name: &String| -> Found<'a, T> {
        let here = found.iter().filter(|one| of(one).0 == name);
        (name.clone(), here.collect())
    };
    let (with, without): (Vec<_>, Vec<_>) = all.iter().map(in_series).partition(|(_, here)| {
        let first = here.first().map(|one| of(one).1);
        here.iter().any(|one| Some(of(one).1) != first)
    });
    let missing = match (&without[..], with.is_empty()) {
        ([], _) => None,
        // Of all of them, there is no need to say which.
        (_, true) => Some(String::new()),
        ([(name, _)], _) => Some(format!(" ({name})")),
        ([(name, _), more @ ..], _) => Some(format!(" ({name}, and {} more)", more.len())),
    };
    (with, missing)
}

/// Which series, where there are several.
fn of_series(name: &str, count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        _ => format!(" ({name})"),
    }
}

fn is_seed(key: &str) -> bool {
    key == "seed" || key.ends_with(".seed")
}

fn seed_spread(rows: &[&Row]) -> Option<f64> {
    let spread = |first: &Row| {
        let rates: Vec<f64> = rows
            .iter()
            .filter(|r| alike(r, first, is_seed))
            .filter_map(|r| r.raw())
            .collect();
        let n = rates.len() as f64;
        let mean = rates.iter().sum::<f64>() / n;
        let squares: f64 = rates.iter().map(|r| (r / mean - 1.0).powi(2)).sum();
        (rates.len() > 1).then(|| (squares / (n - 1.0)).sqrt())
    };
    rows.iter().filter_map(|row| spread(row)).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::rates::RATE;
    use super::*;
    use brevity_length::{Check, Description, Score, Scored, TrainedOn};
    use serde_json::{Value, json};

    const BYTES: u64 = 1_000_000;

    fn row(n: u64, seed: u64, axes: Value, raw: f64) -> Row {
        Row {
            id: Some("x".into()),
            axes: serde_json::from_value(axes).unwrap(),
            seed: Some(seed),
            parameters: n,
            data: TrainedOn {
                source: "t".into(),
                bytes: BYTES,
                hash: "h".into(),
            },
            score: score(n, Regime::InSample, raw),
            ..Row::default()
        }
    }

    fn score(n: u64, regime: Regime, raw: f64) -> Option<Score> {
        let scored = Scored {
            bytes: BYTES,
            hash: "h".into(),
        };
        let coded = (raw * BYTES as f64).round() as u64;
        Some(Description::two_part(regime, scored, 8.0 * coded as f64, coded, n, BYTES).into())
    }

    #[test]
    fn without_evidence_it_is_an_upper_bound() {
        let checks = Checks::of(&[row(1000, 0, json!({}), 0.5)], &[]);
        assert_eq!(checks.verdict, Verdict::UpperBound);
        assert!(checks.reasons[0].contains("trained longer"));
    }

    #[test]
    fn longer_training_and_other_rates_that_gain_little_are_sound() {
        let ladder = |gain: f64, rates: &[f64]| -> Vec<Row> {
            let mut rows = Vec::new();
            for n in [1000, 8000] {
                let mut push = |epochs: f64, rate: f64, raw: f64| {
                    rows.push(row(n, 0, json!({"train.epochs": epochs, RATE: rate}), raw));
                };
                push(8.0, 0.02, 0.5 * (1.0 - gain));
                for &rate in rates {
                    push(4.0, rate, 0.5 + (rate - 0.02).abs());
                }
            }
            rows
        };
        let rates = [0.01, 0.02, 0.04];
        let checks = Checks::of(&ladder(0.005, &rates), &[]);
        assert_eq!(checks.verdict, Verdict::Sound, "{:?}", checks.reasons);
        assert_eq!((checks.doubled.len(), checks.best_rates.len()), (2, 2));
        let verdict = |rows: &[Row]| Checks::of(rows, &[]).verdict;
        assert_eq!(verdict(&ladder(0.05, &rates)), Verdict::UpperBound);
        let unswept = ladder(0.005, &[0.02]);
        assert_eq!(verdict(&unswept), Verdict::UpperBound);
    }

    #[test]
    fn a_moving_learning_rate_is_unsound() {
        let mut rows = Vec::new();
        for (n, best) in [(1000, 0.01_f64), (8000, 0.001)] {
            for rate in [0.001, 0.003, 0.01] {
                let raw = 0.4 + 0.01 * (rate / best).ln().abs();
                rows.push(row(n, 0, json!({"train.learning_rate": rate}), raw));
            }
        }
        let checks = Checks::of(&rows, &[]);
        assert_eq!(checks.verdict, Verdict::Unsound);
        assert_eq!(checks.best_rates.len(), 2);
    }

    #[test]
    fn the_checks_of_a_sweep_are_evidence() {
        let check = |n: u64, key: &str, to: f64, raw: f64| {
            let mut row = row(n, 0, json!({ key: to }), raw);
            row.id = Some(format!("{key} {to}"));
            row.check = Some(Check {
                of: n.to_string(),
                key: key.into(),
                from: if key == RATE { 0.02 } else { 8.0 },
                to,
            });
            row
        };
        let mut rows = Vec::new();
        for n in [1000, 4000, 8000] {
            let mut base = row(n, 0, json!({}), 0.5);
            base.id = Some(n.to_string());
            rows.push(base);
            rows.push(check(n, RATE, 0.01, 0.51));
            rows.push(check(n, RATE, 0.04, 0.52));
        }
        rows.push(check(1000, "train.epochs", 16.0, 0.499));
        rows.push(check(8000, "train.epochs", 16.0, 0.495));
        let checks = Checks::of(&rows, &[]);
        assert_eq!(checks.verdict, Verdict::Sound, "{:?}", checks.reasons);
        let best: Vec<f64> = checks.best_rates.iter().map(|b| b.learning_rate).collect();
        assert_eq!(best, [0.02; 3]);
        assert_eq!(checks.doubled.len(), 2);
        assert_eq!(crate::critical::points::from_rows(&rows).len(), 3);

        // In another series the best rate may be another one.
        let mut held_out = rows.clone();
        for row in &mut held_out {
            let up = row.check.as_ref().is_some_and(|c| c.to == 0.04);
            let raw = row.raw().unwrap() - if up { 0.025 } else { 0.0 };
            row.score = score(row.parameters, Regime::HeldOut, raw);
        }
        let both = Checks::of(&[&rows[..], &held_out].concat(), &[]);
        assert_eq!(both.verdict, Verdict::Sound, "{:?}", both.reasons);
        assert!(both.reasons[0].contains("(t, 1 MB, "), "{:?}", both.reasons);

        // Best at half of the rate for the smallest, at its double for the largest.
        for at in [1, 8] {
            rows[at].score = score(rows[at].parameters, Regime::InSample, 0.4);
        }
        assert_eq!(Checks::of(&rows, &[]).verdict, Verdict::Unsound);
    }

    #[test]
    fn other_parts_of_a_source_and_other_held_out_bytes_are_other_series() {
        let mut rows = Vec::new();
        for (offset, set) in [(0, "a"), (0, "b"), (100, "a"), (100, "b")] {
            for n in [1000, 8000] {
                for epochs in [4.0, 8.0] {
                    let axes = json!({
                        "train.epochs": epochs, "data.offset": offset, "data.holdout.source": set,
                    });
                    let mut row = row(n, 0, axes, 0.5);
                    row.data.hash = format!("h{offset}");
                    row.score = score(n, Regime::HeldOut, 0.5);
                    rows.push(row);
                }
            }
        }
        let found = Checks::of(&rows, &[]).doubled;
        let mut series: Vec<&str> = found.iter().map(|one| one.series.as_str()).collect();
        series.dedup();
        assert_eq!(series.len(), 8, "{series:?}");
        assert_eq!(
            series[1],
            "t, 1 MB, held-out, data.offset=0, data.holdout.source=b"
        );
    }

    /// The sweep's checks of one series say nothing of another.
    #[test]
    fn a_series_that_nobody_checked_is_an_upper_bound() {
        let mut rows = Vec::new();
        for n in [1000, 8000] {
            for (epochs, rate) in [(4.0, 0.01), (4.0, 0.02), (4.0, 0.04), (8.0, 0.02)] {
                let axes = json!({"train.epochs": epochs, RATE: rate});
                rows.push(row(n, 0, axes, 0.5));
            }
        }
        assert_eq!(Checks::of(&rows, &[]).verdict, Verdict::Sound);
        for n in [1000, 8000] {
            let mut row = row(n, 0, json!({"train.epochs": 4.0, RATE: 0.02}), 0.5);
            row.data.source = "u".into();
            row.data.hash = "other".into();
            rows.push(row);
        }
        let checks = Checks::of(&rows, &[]);
        assert_eq!(checks.verdict, Verdict::UpperBound, "{:?}", checks.reasons);
        let of_u = |reason: &&String| reason.contains("(u, 1 MB, in-sample)");
        assert_eq!(
            checks.reasons.iter().filter(of_u).count(),
            2,
            "{:?}",
            checks.reasons
        );
        // Nor does one size say anything of others.
        let one_size = &rows[..4];
        let checks = Checks::of(one_size, &[]);
        assert_eq!(checks.verdict, Verdict::UpperBound);
        assert!(
            checks.reasons[0].contains("models of two sizes"),
            "{:?}",
            checks.reasons
        );
    }

    #[test]
    fn seeds_are_compared_at_each_size() {
        let rows = [
            row(1000, 0, json!({"seed": 0}), 0.50),
            row(1000, 1, json!({"seed": 1}), 0.51),
            row(8000, 0, json!({"seed": 0}), 0.40),
        ];
        let spread = Checks::of(&rows, &[]).seed_spread.unwrap();
        assert!((spread - 0.014).abs() < 0.001, "{spread}");
    }
}
