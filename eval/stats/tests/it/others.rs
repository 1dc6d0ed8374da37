//! Scenarios that no constant of the estimator was chosen with: other data sizes, N*,
//! curvatures, noise and designs than those of `scenarios`. They say whether the intervals hold
//! beyond the suite.

use crate::scenarios::{
    Class, Kind, NONE, Noise, Scenario, held_out, in_sample, plain, stored, two_bytes,
};

/// A header and half a byte a parameter.
fn with_header(n: f64) -> f64 {
    300.0 + 0.55 * n
}

pub fn others() -> Vec<Scenario> {
    use Class::{Misspecified, Offered};
    let normal = |size: f64, seed: f64| Noise {
        size,
        seed,
        kind: Kind::Normal,
    };
    let with = |name: &str, class, change: &dyn Fn(&mut Scenario)| {
        let mut scenario = Scenario {
            name: format!("other: {name}"),
            class,
            data: 1e6,
            law: plain,
            flaw: NONE,
            bytes: two_bytes,
            bytes_sd: 0.0,
            span: (-2.5, 2.5),
            sizes: 6,
            seeds: 3,
            noise: normal(0.005, 0.003),
            regime: "in-sample",
        };
        change(&mut scenario);
        scenario
    };
    vec![
        with("10^8 bytes, alpha 0.25, 6 x 2, sizes 0.7%", Offered, &|s| {
            (s.data, s.seeds, s.noise) = (1e8, 2, normal(0.007, 0.003));
            s.law = |n| 1.1 + 30.0 * n.powf(-0.25);
            s.span = (-3.0, 4.0);
        }),
        with("alpha 0.8, 7 x 2, sizes 0.3%", Offered, &|s| {
            (s.data, s.sizes, s.seeds, s.noise) = (3e5, 7, 2, normal(0.003, 0.003));
            s.law = |n| 2.0 + 900.0 * n.powf(-0.8);
        }),
        with("E = 0, 7 x 2, sizes 0.5%", Offered, &|s| {
            (s.sizes, s.seeds) = (7, 2);
            s.law = |n| 22.0 * n.powf(-0.22);
        }),
        with("half a nat learned, 5 x 3, seeds 0.3%", Offered, &|s| {
            (s.sizes, s.noise) = (5, normal(0.0, 0.003));
            s.law = |n| plain(n) - 0.72 * n / 1e6;
        }),
        with(
            "half a nat lost held-out, 5 x 3, seeds 0.3%",
            Offered,
            &|s| {
                (s.sizes, s.noise, s.regime) = (5, normal(0.0, 0.003), "held-out");
                s.law = |n| plain(n) + 0.72 * n / 1e6;
            },
        ),
        with("2 (N/D)^0.9 learned, 6 x 3, sizes 0.5%", Offered, &|s| {
            s.law = |n| plain(n) - 2.0 * (n / 1e6).powf(0.9);
        }),
        with("three octaves, 5 x 2, sizes 0.5%", Offered, &|s| {
            (s.sizes, s.seeds, s.span) = (5, 2, (-1.4, 1.6));
        }),
        with("eight octaves, 9 x 1, 0.4%", Offered, &|s| {
            (s.sizes, s.seeds, s.noise) = (9, 1, normal(0.0, 0.004));
            s.span = (-3.6, 4.4);
        }),
        with("N* near the largest, 7 x 3, sizes 0.3%", Offered, &|s| {
            (s.sizes, s.span, s.noise) = (7, (-4.0, 0.8), normal(0.003, 0.002));
        }),
        with("stored with a header, 2% scatter, 7 x 3", Offered, &|s| {
            (s.sizes, s.bytes, s.bytes_sd) = (7, with_header, 0.02);
            (s.law, s.regime, s.noise) = (held_out, "held-out", normal(0.002, 0.002));
        }),
        with("stored prose, 3% scatter, 6 x 3", Offered, &|s| {
            (s.law, s.bytes, s.bytes_sd) = (in_sample, stored, 0.03);
            s.noise = normal(0.002, 0.002);
        }),
        with("alpha falls by 0.02 a decade, 6 x 3", Misspecified, &|s| {
            s.law = |n| {
                let alpha = 0.375 - 0.02 * (n / 2e4).log10();
                1.35 + 36.5 * 2e4f64.powf(-0.375) * (n / 2e4).powf(-alpha)
            };
        }),
        with("3% an octave behind beyond N*, 7 x 3", Misspecified, &|s| {
            (s.sizes, s.noise) = (7, normal(0.0, 0.002));
            s.flaw = |u, _, _| 1.0 + 0.03 * u.log2().max(0.0);
        }),
        with("a middle model 2% worse, 7 x 3", Misspecified, &|s| {
            (s.sizes, s.noise) = (7, normal(0.0, 0.002));
            s.flaw = |_, i, _| if i == 3 { 1.02 } else { 1.0 };
        }),
    ]
}
