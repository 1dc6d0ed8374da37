//! Ladders whose critical size is known, drawn in the ways in which real ones deviate from
//! a law: for the suite `examples/coverage.rs` and, in short, for the tests.

use brevity_stats::critical::{Estimator, Point, critical_sizes};
use brevity_stats::random::normal;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;

/// What noise is drawn, all as shares of the loss.
#[derive(Clone, Copy)]
pub struct Noise {
    /// Standard deviation of a size, common to its seeds.
    pub size: f64,
    /// Standard deviation between the seeds of a size.
    pub seed: f64,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Normal,
    /// Student's t with 3 degrees of freedom, of the same standard deviation.
    Heavy,
    /// One seed of one size is 5% worse.
    Outlier,
    /// From half to twice the standard deviation, the smallest to the largest.
    Growing,
}

/// What a scenario promises, and hence what is asked of the intervals.
#[derive(Clone, Copy, PartialEq)]
pub enum Class {
    /// The truth is among the laws offered, and nothing is amiss: no warning either.
    Clean,
    /// The truth is among the laws offered.
    Offered,
    /// It is not: the interval or the envelope holds it, or something is said.
    Misspecified,
    /// Too few sizes for any law.
    Few,
}

pub struct Scenario {
    pub name: String,
    pub class: Class,
    /// Bytes described.
    pub data: f64,
    /// Bits per byte of models as they should be.
    pub law: fn(f64) -> f64,
    /// What the measured models lose beyond that, as a factor; by size and place.
    pub flaw: fn(f64, usize, usize) -> f64,
    /// Model bytes.
    pub bytes: fn(f64) -> f64,
    /// Standard deviation of model bytes by size.
    pub bytes_sd: f64,
    /// Octaves from N* to the smallest and largest size.
    pub span: (f64, f64),
    pub sizes: usize,
    pub seeds: u64,
    pub noise: Noise,
    pub regime: &'static str,
}

/// Bytes described in the scenarios of this file.
const DATA: f64 = 1e6;

impl Scenario {
    /// Coded plus model bytes.
    fn total(&self, log_size: f64) -> f64 {
        self.data * (self.law)(log_size.exp()) / 8.0 + (self.bytes)(log_size.exp())
    }

    /// The smallest and the largest size whose description is at most 0.5% longer than the
    /// shortest.
    pub fn near(&self) -> [f64; 2] {
        let best = self.truth().ln();
        let limit = 1.005 * self.total(best);
        [-1.0, 1.0].map(|direction| {
            let (mut inside, mut outside) = (best, best + 5.0 * direction);
            for _ in 0..60 {
                let middle = 0.5 * (inside + outside);
                match self.total(middle) > limit {
                    true => outside = middle,
                    false => inside = middle,
                }
            }
            inside.exp()
        })
    }

    /// The size at which the description is shortest.
    pub fn truth(&self) -> f64 {
        let total = |x: f64| self.total(x);
        let (mut low, mut high) = (100f64.ln(), 1e8f64.ln());
        for _ in 0..200 {
            let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if total(a) < total(b) {
                high = b
            } else {
                low = a
            }
        }
        low.exp()
    }

    /// One ladder.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<Point> {
        let truth = self.truth();
        let mut points = Vec::new();
        let outlier = (
            rng.next_u32() as usize % self.sizes,
            rng.next_u64() % self.seeds,
        );
        let step = (self.span.1 - self.span.0) / (self.sizes - 1) as f64;
        let one = |rng: &mut ChaCha8Rng| match self.noise.kind {
            Kind::Heavy => {
                let chi: f64 = (0..3).map(|_| normal(rng).powi(2)).sum();
                normal(rng) / chi.sqrt()
            }
            _ => normal(rng),
        };
        for i in 0..self.sizes {
            let n = (truth * (self.span.0 + step * i as f64).exp2()).round();
            let growth = match self.noise.kind {
                Kind::Growing => (2.0 * i as f64 / (self.sizes - 1) as f64 - 1.0).exp2(),
                _ => 1.0,
            };
            let size = growth * self.noise.size * one(rng);
            let bytes = (self.bytes)(n) * (1.0 + self.bytes_sd * normal(rng));
            for seed in 0..self.seeds {
                let mut miss = size + growth * self.noise.seed * one(rng);
                if self.noise.kind == Kind::Outlier && (i, seed) == outlier {
                    miss += 0.05;
                }
                let bits = (self.law)(n) * (self.flaw)(n / truth, i, self.sizes) * (1.0 + miss);
                points.push(Point {
                    seed,
                    model_bytes: bytes,
                    regime: self.regime.into(),
                    ..Point::new(n, self.data, bits)
                });
            }
        }
        points
    }
}

/// What came of many ladders.
#[derive(Default)]
pub struct Outcome {
    pub covered: usize,
    pub enveloped: usize,
    /// Both ends of the true range within 0.5% are in its interval.
    pub near: usize,
    pub warned: usize,
    /// Truth outside of interval and envelope, and nothing said.
    pub false_confidence: usize,
    pub bias: f64,
    /// Octaves, by run.
    pub widths: Vec<f64>,
    pub envelopes: Vec<f64>,
    /// Warnings with how often each was given, numbers left out.
    pub warnings: Vec<(String, usize)>,
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Draws `runs` ladders and looks at what is said of each.
pub fn simulate(scenario: &Scenario, runs: usize, estimator: &Estimator) -> Outcome {
    let (truth, [smallest, largest]) = (scenario.truth(), scenario.near());
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let ladders: Vec<Vec<Point>> = (0..runs).map(|_| scenario.draw(&mut rng)).collect();
    let all = ladders
        .par_iter()
        .map(|points| critical_sizes(points, estimator));
    let mut out = Outcome::default();
    for found in all.collect::<Vec<_>>() {
        let Ok(found) = found else {
            out.warned += 1;
            continue;
        };
        let found = &found[0];
        let holds =
            |of: Option<[f64; 2]>| of.is_some_and(|[low, high]| low <= truth && truth <= high);
        let octaves = |of: Option<[f64; 2]>| of.map(|[low, high]| (high / low).log2());
        let (inside, within) = (holds(found.ci95), holds(found.envelope));
        out.covered += usize::from(inside);
        out.enveloped += usize::from(within);
        let near = found.near.first().and_then(|near| near.ci95);
        out.near += usize::from(near.is_some_and(|[l, h]| l <= smallest && largest <= h));
        out.warned += usize::from(!found.warnings.is_empty());
        out.false_confidence += usize::from(!inside && !within && found.warnings.is_empty());
        out.bias += (found.n_star / truth).log2() / runs as f64;
        out.widths.extend(octaves(found.ci95));
        out.envelopes.extend(octaves(found.envelope));
        for warning in &found.warnings {
            let text: String = warning.chars().filter(|c| !c.is_ascii_digit()).collect();
            match out.warnings.iter_mut().find(|(known, _)| *known == text) {
                Some((_, count)) => *count += 1,
                None => out.warnings.push((text, 1)),
            }
        }
    }
    out
}

pub fn plain(n: f64) -> f64 {
    1.35 + 36.5 * n.powf(-0.375)
}

/// The law fitted to English prose, in-sample and held-out (docs/results.md).
pub fn in_sample(n: f64) -> f64 {
    1.70 + 86.0 * n.powf(-0.51) - 0.84 * (n / DATA).powf(0.78)
}

pub fn held_out(n: f64) -> f64 {
    1.49 + 16.0 * n.powf(-0.28) + 1.25 * (n / DATA).powf(0.98)
}

/// A term of both kinds.
fn both(n: f64) -> f64 {
    1.2 + 30.0 * n.powf(-0.35) + 8.0 * DATA.powf(-0.25) + 0.8 * (n / DATA).powf(0.9)
}

/// Kaplan et al. 2020, arXiv 2001.08361, equation 1.5, scaled to bytes of prose.
fn kaplan(n: f64) -> f64 {
    2.0 * ((3e4 / n).powf(0.3 / 0.4) + 3e5 / DATA).powf(0.4)
}

/// An exponent that falls by 0.04 a decade.
fn drifting(n: f64) -> f64 {
    let alpha = 0.375 - 0.04 * (n / 2e4).log10();
    1.35 + 36.5 * 2e4f64.powf(-0.375) * (n / 2e4).powf(-alpha)
}

/// One that rises by as much.
fn rising(n: f64) -> f64 {
    let alpha = 0.375 + 0.04 * (n / 2e4).log10();
    1.35 + 36.5 * 2e4f64.powf(-0.375) * (n / 2e4).powf(-alpha)
}

pub fn two_bytes(n: f64) -> f64 {
    2.0 * n
}

pub fn stored(n: f64) -> f64 {
    1.4 * n.powf(0.93)
}

/// Ever fewer bytes a parameter, the larger the model.
fn bent(n: f64) -> f64 {
    let x = (n / 3e4).ln();
    0.65 * n * (-0.1 * x - 0.06 * x * x).exp()
}

pub const NONE: fn(f64, usize, usize) -> f64 = |_, _, _| 1.0;

pub fn all() -> Vec<Scenario> {
    use Class::{Clean, Few, Misspecified, Offered};
    let normal = |size: f64, seed: f64| Noise {
        size,
        seed,
        kind: Kind::Normal,
    };
    let of = |kind| Noise {
        size: 0.003,
        seed: 0.004,
        kind,
    };
    let base = || Scenario {
        name: String::new(),
        class: Clean,
        data: DATA,
        law: plain,
        flaw: NONE,
        bytes: two_bytes,
        bytes_sd: 0.0,
        span: (-2.75, 3.25),
        sizes: 7,
        seeds: 3,
        noise: normal(0.0, 0.002),
        regime: "in-sample",
    };
    let with = |name: &str, class, change: &dyn Fn(&mut Scenario)| {
        let mut scenario = Scenario {
            name: name.into(),
            class,
            ..base()
        };
        change(&mut scenario);
        scenario
    };
    let ladder = |s: &mut Scenario, sizes: usize, seeds: u64, noise: Noise| {
        (s.sizes, s.seeds, s.noise) = (sizes, seeds, noise);
        if sizes < 6 {
            s.span = (-1.9, 2.1);
        }
    };
    let mut all = vec![
        with("plain law, 7 x 3, seeds 0.2%", Clean, &|_| ()),
        with("plain law, 11 x 1, 1%", Clean, &|s| {
            ladder(s, 11, 1, normal(0.0, 0.01));
            s.span = (-4.75, 5.25);
        }),
        with("plain law, 6 x 1, 1%", Clean, &|s| {
            ladder(s, 6, 1, normal(0.0, 0.01))
        }),
        with("plain law, 5 x 3, 1%", Clean, &|s| {
            ladder(s, 5, 3, normal(0.0, 0.01))
        }),
        with("plain law, 5 x 1, 0.5%", Clean, &|s| {
            ladder(s, 5, 1, normal(0.0, 0.005))
        }),
        with("prose in-sample, 7 x 3, seeds 0.2%", Offered, &|s| {
            s.law = in_sample
        }),
        with("prose in-sample, 7 x 3, sizes 0.5%", Offered, &|s| {
            s.law = in_sample;
            s.noise = normal(0.005, 0.002);
        }),
        with("prose in-sample, 5 x 3, seeds 0.2%", Offered, &|s| {
            s.law = in_sample;
            ladder(s, 5, 3, normal(0.0, 0.002));
        }),
        with("prose held-out, 7 x 3, seeds 0.2%", Offered, &|s| {
            (s.law, s.regime) = (held_out, "held-out");
        }),
        with("prose held-out, 7 x 3, sizes 0.5%", Offered, &|s| {
            (s.law, s.regime, s.noise) = (held_out, "held-out", normal(0.005, 0.002));
        }),
        with("prose held-out, 5 x 3, seeds 0.2%", Offered, &|s| {
            (s.law, s.regime) = (held_out, "held-out");
            ladder(s, 5, 3, normal(0.0, 0.002));
        }),
        with("prose in-sample, 6 x 3, sizes 1%", Offered, &|s| {
            s.law = in_sample;
            ladder(s, 6, 3, normal(0.01, 0.002));
        }),
        with("prose held-out, 5 x 1, sizes 1%", Offered, &|s| {
            (s.law, s.regime) = (held_out, "held-out");
            ladder(s, 5, 1, normal(0.01, 0.002));
        }),
        with("both data terms, 7 x 3", Offered, &|s| {
            (s.law, s.regime) = (both, "held-out")
        }),
        with("under-trained by 1% an octave, 7 x 3", Misspecified, &|s| {
            s.flaw = |_, i, _| 1.0 + 0.01 * i as f64;
        }),
        with("under-trained by 2% an octave, 7 x 3", Misspecified, &|s| {
            s.flaw = |_, i, _| 1.0 + 0.02 * i as f64;
        }),
        with("under-trained by 4% an octave, 7 x 3", Misspecified, &|s| {
            s.flaw = |_, i, _| 1.0 + 0.04 * i as f64;
        }),
        with(
            "last model 1.5% worse than the one before",
            Misspecified,
            &|s| {
                s.flaw = |u, i, sizes| match i + 1 == sizes {
                    true => {
                        let n = u * 2.0e4;
                        1.015 * plain(n / 2.0) / plain(n)
                    }
                    false => 1.0,
                };
            },
        ),
        with("Kaplan's form, 7 x 3", Misspecified, &|s| s.law = kaplan),
        with("alpha falls by 0.04 a decade, 7 x 3", Misspecified, &|s| {
            s.law = drifting
        }),
        with("alpha rises by 0.04 a decade, 7 x 3", Misspecified, &|s| {
            s.law = rising
        }),
        with("one seed 5% worse, 7 x 3", Offered, &|s| {
            s.noise = of(Kind::Outlier)
        }),
        with("heavy tails, 7 x 3", Offered, &|s| {
            s.noise = of(Kind::Heavy)
        }),
        with("noise grows with size, 7 x 3", Offered, &|s| {
            s.noise = of(Kind::Growing)
        }),
        with("N* above the sizes, 6 x 3", Misspecified, &|s| {
            ladder(s, 6, 3, normal(0.003, 0.002));
            s.span = (-6.0, -1.0);
        }),
        with("N* below the sizes, 6 x 3", Misspecified, &|s| {
            ladder(s, 6, 3, normal(0.003, 0.002));
            s.span = (0.5, 5.5);
        }),
        with("stored, 3% scatter of bytes, 6 x 3", Offered, &|s| {
            s.bytes = stored;
            s.bytes_sd = 0.03;
            ladder(s, 6, 3, normal(0.002, 0.002));
        }),
        with("bent model bytes, 4 x 3", Few, &|s| {
            s.bytes = bent;
            ladder(s, 4, 3, normal(0.002, 0.002));
        }),
        with("bent model bytes, 7 x 3", Offered, &|s| {
            s.bytes = bent;
            s.noise = normal(0.002, 0.002);
        }),
    ];
    for (effect, class) in [(0.005, Clean), (0.01, Offered)] {
        for sizes in 3..=7 {
            for seeds in [1, 3, 5] {
                let name = format!("sizes {}%, seeds 0.2%, {sizes} x {seeds}", 100.0 * effect);
                let class = if sizes < 5 { Few } else { class };
                all.push(with(&name, class, &|s| {
                    ladder(s, sizes, seeds, normal(effect, 0.002));
                }));
            }
        }
    }
    all
}
