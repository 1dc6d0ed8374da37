//! Attention against its naive definition, bit for bit, and its gradients against
//! finite differences in `f64`.

use crate::attention_reference::{Case, gradients, random};
use crate::support::on_every_instruction_set;
use brevity_kernels::attention::{Attention, KvCache, NORM_EPS, Saved, naive};
use proptest::prelude::*;

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

fn shapes() -> impl Strategy<Value = (Attention, usize, usize, bool, u64)> {
    (
        1usize..4,
        prop_oneof![
            1usize..20,
            Just(24),
            Just(32),
            Just(33),
            Just(64),
            Just(128)
        ],
        any::<bool>(),
        prop_oneof![Just(None), (1usize..40).prop_map(Some)],
        1usize..4,
        1usize..70,
        any::<bool>(),
        any::<u64>(),
    )
        .prop_map(
            |(heads, head_dim, rope, window, batch, seq_len, norm, seed)| {
                let rope = rope && head_dim % 2 == 0;
                let attention = Attention {
                    heads,
                    head_dim,
                    rope,
                    window,
                };
                (attention, batch, seq_len, norm, seed)
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn passes_equal_their_definition((a, batch, seq_len, norm, seed) in shapes()) {
        let case = Case::new(a, batch, seq_len, norm, seed);
        let gain = case.gain.as_deref();
        let d = a.width();
        let mut expect = vec![0.0; batch * seq_len * d];
        let mut stats = vec![0.0; a.stats_len(batch, seq_len)];
        naive::forward(&a, 0, seq_len, &case.qkv, gain, &mut expect, Some(&mut stats));
        let saved = Saved { qkv: &case.qkv, gain, out: &expect, stats: &stats };
        let mut expect_dqkv = vec![0.0; case.qkv.len()];
        let mut expect_dgain = vec![0.0; batch * a.heads];
        naive::backward(&a, seq_len, saved, &case.dout, &mut expect_dqkv,
            norm.then_some(&mut expect_dgain[..]));

        on_every_instruction_set(|set| {
            let mut out = vec![f32::NAN; expect.len()];
            let mut own = vec![f32::NAN; stats.len()];
            a.forward(seq_len, &case.qkv, gain, &mut out, Some(&mut own));
            assert_eq!(bits(&out), bits(&expect), "{set} out");
            assert_eq!(bits(&own), bits(&stats), "{set} stats");
            let mut dqkv = vec![f32::NAN; case.qkv.len()];
            let mut dgain = vec![0.0; batch * a.heads];
            a.backward(seq_len, saved, &case.dout, &mut dqkv, norm.then_some(&mut dgain[..]));
            assert_eq!(bits(&dqkv), bits(&expect_dqkv), "{set} dqkv");
            assert_eq!(bits(&dgain), bits(&expect_dgain), "{set} dgain");
        });
    }

    #[test]
    fn blocks_and_steps_equal_the_whole(
        (a, lanes, seq_len, norm, seed) in shapes(),
        cuts in proptest::collection::vec(1usize..40, 1..6),
    ) {
        let case = Case::new(a, lanes, seq_len, norm, seed);
        let gain = case.gain.as_deref();
        let d = a.width();
        let mut expect = vec![0.0; lanes * seq_len * d];
        a.forward(seq_len, &case.qkv, gain, &mut expect, None);
        on_every_instruction_set(|set| {
            let reach = a.window.unwrap_or(seq_len);
            let mut cache = KvCache::new(a, lanes, reach);
            // Again after clearing, over the contents of the first round.
            for _ in 0..2 {
                let mut from = 0;
                let mut cuts = cuts.iter().cycle();
                while from < seq_len {
                    let n = (*cuts.next().unwrap()).min(seq_len - from);
                    let rows = |all: &[f32], width: usize| -> Vec<f32> {
                        (0..lanes)
                            .flat_map(|l| all[(l * seq_len + from) * width..][..n * width].to_vec())
                            .collect()
                    };
                    let mut out = vec![f32::NAN; lanes * n * d];
                    cache.attend(n, &rows(&case.qkv, 3 * d), gain, &mut out);
                    assert_eq!(bits(&out), bits(&rows(&expect, d)), "{set} {from}+{n}");
                    from += n;
                }
                cache.clear();
            }
        });
    }

    #[test]
    fn gradients_equal_finite_differences(
        heads in 1usize..3,
        head_dim in prop_oneof![Just(1usize), Just(2), Just(3), Just(8), Just(10), Just(16)],
        rope in any::<bool>(),
        window in prop_oneof![Just(None), (1usize..12).prop_map(Some)],
        batch in 1usize..3,
        seq_len in 1usize..20,
        norm in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let a = Attention { heads, head_dim, rope: rope && head_dim % 2 == 0, window };
        // A normalised head of one component is its sign, which has no gradient.
        let case = Case::new(a, batch, seq_len, norm && head_dim > 1, seed);
        let norm = case.gain.is_some();
        let gain = case.gain.as_deref();
        let mut out = vec![0.0; batch * seq_len * a.width()];
        let mut stats = vec![0.0; a.stats_len(batch, seq_len)];
        a.forward(seq_len, &case.qkv, gain, &mut out, Some(&mut stats));
        let saved = Saved { qkv: &case.qkv, gain, out: &out, stats: &stats };
        let mut dqkv = vec![0.0; case.qkv.len()];
        let mut dgain = vec![0.0; batch * heads];
        a.backward(seq_len, saved, &case.dout, &mut dqkv, norm.then_some(&mut dgain[..]));

        let exact = gradients(&case, f64::from(NORM_EPS));
        for (x, y) in out.iter().zip(&exact.out) {
            prop_assert!((f64::from(*x) - y).abs() < 1e-5, "out {x} {y}");
        }
        for (i, (x, y)) in dqkv.iter().zip(&exact.dqkv).enumerate() {
            prop_assert!((f64::from(*x) - y).abs() < 5e-5 * (1.0 + y.abs()), "dqkv {i}: {x} {y}");
        }
        for (h, y) in exact.dgain.iter().enumerate() {
            let x: f32 = dgain.chunks(heads).map(|sequence| sequence[h]).sum();
            prop_assert!((f64::from(x) - y).abs() < 1e-4 * (1.0 + y.abs()), "dgain {x} {y}");
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    // Large enough to be shared among threads.
    let (batch, seq_len) = (6, 80);
    let a = Attention {
        heads: 3,
        head_dim: 16,
        rope: true,
        window: Some(60),
    };
    let case = Case::new(a, batch, seq_len, true, 5);
    let gain = case.gain.as_deref();
    let d = a.width();
    let run = |threads: usize| {
        let compute = || {
            let mut out = vec![0.0; batch * seq_len * d];
            let mut stats = vec![0.0; a.stats_len(batch, seq_len)];
            a.forward(seq_len, &case.qkv, gain, &mut out, Some(&mut stats));
            let saved = Saved {
                qkv: &case.qkv,
                gain,
                out: &out,
                stats: &stats,
            };
            let mut dqkv = vec![0.0; case.qkv.len()];
            let mut dgain = vec![0.0; batch * a.heads];
            a.backward(seq_len, saved, &case.dout, &mut dqkv, Some(&mut dgain));
            let mut streamed = vec![0.0; out.len()];
            let mut cache = KvCache::new(a, batch, 60);
            cache.attend(seq_len, &case.qkv, gain, &mut streamed);
            [out, dqkv, dgain, streamed].map(|x| bits(&x))
        };
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(compute)
    };
    let one = run(1);
    assert_eq!(one[0], one[3], "whole and streamed");
    for threads in [2, 8] {
        assert_eq!(run(threads), one, "{threads} threads");
    }
}

#[test]
fn a_stream_may_be_unbounded() {
    // Long enough for the phases and every ring to wrap.
    let a = Attention {
        heads: 2,
        head_dim: 8,
        rope: true,
        window: Some(21),
    };
    let d = a.width();
    let x = random(3 * d * 300, 7);
    let run = |cuts: &[usize]| {
        let mut cache = KvCache::new(a, 1, 21);
        let mut out = vec![0.0; 300 * d];
        let mut from = 0;
        for &n in cuts.iter().cycle() {
            let n = n.min(300 - from);
            let rows = &x[from * 3 * d..][..n * 3 * d];
            cache.attend(n, rows, None, &mut out[from * d..][..n * d]);
            from += n;
            if from == 300 {
                return bits(&out);
            }
        }
        unreachable!()
    };
    let steps = run(&[1]);
    assert_eq!(run(&[300]), steps);
    assert_eq!(run(&[5, 17, 1, 40, 2]), steps);
    let mut whole = vec![0.0; 300 * d];
    a.forward(300, &x, None, &mut whole, None);
    assert_eq!(bits(&whole), steps);
}

#[test]
fn masked_keys_have_no_effect() {
    let a = Attention {
        heads: 1,
        head_dim: 8,
        rope: false,
        window: Some(9),
    };
    let (seq_len, d) = (40, a.width());
    let clean = random(3 * d * seq_len, 3);
    for bad in [f32::NAN, f32::INFINITY] {
        let mut dirty = clean.clone();
        // Key and value of position 20, which queries 20 to 28 see.
        dirty[20 * 3 * d + d..21 * 3 * d].fill(bad);
        let (mut x, mut y) = (vec![0.0; seq_len * d], vec![0.0; seq_len * d]);
        a.forward(seq_len, &clean, None, &mut x, None);
        a.forward(seq_len, &dirty, None, &mut y, None);
        for t in 0..seq_len {
            let row = t * d..(t + 1) * d;
            if (20..29).contains(&t) {
                assert!(y[row].iter().all(|v| v.is_nan()), "{t}");
            } else {
                assert_eq!(bits(&x[row.clone()]), bits(&y[row]), "{t}");
            }
        }
    }
}

#[test]
fn large_scores_stay_finite() {
    let a = Attention {
        heads: 1,
        head_dim: 8,
        rope: false,
        window: None,
    };
    let qkv: Vec<f32> = random(3 * 8 * 50, 1).iter().map(|x| x * 1e4).collect();
    let mut out = vec![0.0; 8 * 50];
    let mut stats = vec![0.0; a.stats_len(1, 50)];
    a.forward(50, &qkv, None, &mut out, Some(&mut stats));
    assert!(out.iter().all(|x| x.is_finite()));
    let saved = Saved {
        qkv: &qkv,
        gain: None,
        out: &out,
        stats: &stats,
    };
    let mut dqkv = vec![0.0; qkv.len()];
    a.backward(50, saved, &random(8 * 50, 2), &mut dqkv, None);
    assert!(dqkv.iter().all(|x| x.is_finite()));
}

#[test]
#[should_panic(expected = "beyond the reach")]
fn without_a_window_the_reach_is_the_end() {
    let a = Attention {
        heads: 1,
        head_dim: 2,
        rope: false,
        window: None,
    };
    let mut cache = KvCache::new(a, 1, 3);
    cache.attend(4, &[0.0; 24], None, &mut [0.0; 8]);
}
