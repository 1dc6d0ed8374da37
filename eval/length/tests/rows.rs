//! Rates against hand computation, and round trips of rows through files.

use brevity_length::{
    Axes, AxisValue, Check, Code, Convention, CurvePoint, Description, Detected, Evidence,
    Learning, MinK, Overlap, Provenance, Regime, Row, Score, Scored, State, TrainedOn, Training,
    parse,
};
use proptest::prelude::*;

fn scored(bytes: u64) -> Scored {
    Scored {
        bytes,
        hash: "ab".into(),
    }
}

/// 980 coded bytes of 2,000 under a model of 5,000 parameters, trained on 10,000 bytes;
/// stored in 3,000 bytes it codes them in 1,000, in 4 bits per parameter in 1,100.
fn two_part(regime: Regime) -> Description {
    let code = |convention, coded_bytes, model_bytes| Code {
        convention,
        coded_bytes,
        model_bytes,
    };
    Description::two_part(regime, scored(2_000), 7_840.0, 980, 5_000, 10_000)
        .with(code(Convention::stored(), 1_000, 3_000))
        .with(code(Convention::bits(4.0), 1_100, 2_500))
}

#[test]
fn every_regime_and_convention_against_numbers_worked_out_by_hand() {
    // Charging: for held-out bytes the model is shared by the 10,000 training bytes,
    // any others pay for all of it with their own 2,000.
    let by_hand = [
        // regime, charged to, fp16, stored, 4-bit
        (Regime::InSample, 2_000, 0.49 + 5.0, 0.5 + 1.5, 0.55 + 1.25),
        (Regime::HeldOut, 10_000, 0.49 + 1.0, 0.5 + 0.3, 0.55 + 0.25),
        (Regime::Shifted, 2_000, 0.49 + 5.0, 0.5 + 1.5, 0.55 + 1.25),
        (Regime::Overlap, 2_000, 0.49 + 5.0, 0.5 + 1.5, 0.55 + 1.25),
        (Regime::Unknown, 2_000, 0.49 + 5.0, 0.5 + 1.5, 0.55 + 1.25),
    ];
    for (regime, charged_to, fp16, stored, narrow) in by_hand {
        let found = two_part(regime);
        assert_eq!(found.charged_to(), charged_to, "{regime}");
        assert_eq!(found.raw_rate(), 0.49, "{regime}");
        assert_eq!(found.bits_per_byte(), 3.92);
        for (name, rate) in [("fp16", fp16), ("stored", stored), ("4-bit", narrow)] {
            let adjusted = found.adjusted_rate(name).unwrap();
            assert!(
                (adjusted - rate).abs() < 1e-12,
                "{regime} {name}: {adjusted}"
            );
            let total = found.charged_coded_bytes(name).unwrap()
                + found.code(name).unwrap().model_bytes as f64;
            assert!(
                (total / charged_to as f64 - rate).abs() < 1e-12,
                "{regime} {name}"
            );
        }
        assert_eq!(found.adjusted_rate("prequential"), None);
        assert_eq!(found.prequential_rate(), None);
    }
    let found = Description::prequential(scored(2_000), 8_000.0, 1_001, 99);
    assert_eq!(found.raw_rate(), 0.5005);
    assert_eq!(found.prequential_rate(), Some(0.55));
    assert_eq!(found.adjusted_rate("fp16"), None);
    assert_eq!(found.charged_to(), 2_000);
}

/// A leaked test is charged with the model. A reader that divided by the training bytes
/// made 407.05% of 49.00%.
#[test]
fn a_leaked_test_costs_what_it_costs() {
    let row = Row {
        parameters: 5_000,
        data: TrainedOn {
            source: "t".into(),
            bytes: 10_000,
            hash: "cd".into(),
        },
        score: Some(two_part(Regime::Overlap).into()),
        ..Row::default()
    };
    assert_eq!(row.charged_to(), 2_000);
    assert_eq!(row.coded("fp16"), Some(980.0));
    assert_eq!(row.adjusted("fp16"), Some(5.49));
    assert_eq!(row.scored_hash(), "ab");
}

fn convention() -> impl Strategy<Value = Convention> {
    prop_oneof![
        Just(Convention::stored()),
        (1u32..64).prop_map(|b| Convention::bits(f64::from(b) / 4.0)),
        "[a-zA-Z0-9_-]{1,40}".prop_map(|name| Convention::named(name).unwrap()),
    ]
}

fn description() -> impl Strategy<Value = Description> {
    let regime = prop::sample::select(&Regime::ALL[..]);
    let bytes = 1u64..1 << 40;
    let codes = prop::collection::vec((convention(), 0u64..1 << 40, 0u64..1 << 40), 0..4);
    let blocks = prop::collection::vec(0u64..1 << 30, 0..5);
    (
        regime,
        bytes,
        0.0..1e12,
        0u64..1 << 40,
        codes,
        blocks,
        any::<bool>(),
        1u64..1 << 40,
    )
        .prop_map(|(regime, bytes, bits, coded, codes, blocks, decoded, n)| {
            let mut found = match regime {
                Regime::Prequential => Description::prequential(scored(bytes), bits, coded, n),
                regime => Description::two_part(regime, scored(bytes), bits, coded, n, bytes + n),
            };
            for (convention, coded_bytes, model_bytes) in codes {
                found = found.with(Code {
                    convention,
                    coded_bytes,
                    model_bytes,
                });
            }
            let evidence = match decoded {
                true => Evidence::Decoded,
                false => Evidence::Estimate,
            };
            found.evidence(evidence).with_blocks(blocks)
        })
}

fn value() -> impl Strategy<Value = AxisValue> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(AxisValue::Bool),
        any::<i64>().prop_map(AxisValue::Integer),
        (-1e300..1e300f64).prop_map(|x| AxisValue::Float(x + 0.5)),
        any::<String>().prop_map(AxisValue::Text),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(AxisValue::List),
            axes_of(inner).prop_map(AxisValue::Table),
        ]
    })
}

fn axes_of(value: impl Strategy<Value = AxisValue>) -> impl Strategy<Value = Axes> {
    prop::collection::vec(("[a-z.]{1,12}", value), 0..4)
        .prop_map(|pairs| pairs.into_iter().collect())
}

fn score() -> impl Strategy<Value = Score> {
    let curve = prop::collection::vec((0u64..1 << 50, 0.0..1e15), 0..4).prop_map(|points| {
        let points = points.into_iter();
        points
            .map(|(bytes, bits)| CurvePoint { bytes, bits })
            .collect::<Vec<_>>()
    });
    (description(), curve, any::<bool>(), any::<bool>()).prop_map(
        |(description, curve, learning, detected)| Score {
            description,
            learning: learning.then(|| Learning {
                mode: "online".into(),
                final_bits: 1.5,
                regret_bits: -0.25,
                doublings: curve.clone(),
                curve,
            }),
            detected: detected.then(|| Detected {
                overlap: Overlap::whole(7),
                min_k: MinK {
                    percent: 20.0,
                    leaked: 1.0,
                    clean: 2.0,
                    auc: 0.75,
                },
            }),
        },
    )
}

fn row() -> impl Strategy<Value = Row> {
    let head = (
        prop::option::of("[0-9a-f]{12}"),
        0usize..1000,
        any::<String>(),
        axes_of(value()),
        prop::option::of(any::<u64>()),
        any::<u64>(),
        0.0..1e300,
    );
    let state = prop::sample::select(vec![
        State::Pending,
        State::Interrupted,
        State::Running,
        State::Done,
        State::Failed,
    ]);
    let tail = (
        state,
        prop::option::of(any::<String>()),
        prop::option::of(score()),
        any::<bool>(),
    );
    (head, tail).prop_map(|((id, index, name, axes, seed, parameters, flops), tail)| {
        let (state, error, score, more) = tail;
        Row {
            id,
            index,
            name,
            state,
            axes,
            seed,
            parameters,
            flops,
            error,
            score,
            data: TrainedOn {
                source: "a \"b\"\n".into(),
                bytes: 5,
                hash: "00".into(),
            },
            check: more.then(|| Check {
                of: "x".into(),
                key: "train.epochs".into(),
                from: 1.0,
                to: 2.5,
            }),
            estimated_seconds: more.then_some(0.1),
            estimated_memory: more.then_some(1 << 20),
            training: more.then(|| Training {
                steps: Some(3),
                loss: Some(1.25),
                ..Training::default()
            }),
            provenance: more.then(|| Provenance {
                version: "0.2.0".into(),
                git: Some("abc".into()),
                job: Some("17_3".into()),
                peak_memory: Some(1 << 20),
                ..Provenance::default()
            }),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_what_is_read(row in row()) {
        let text = serde_json::to_string(&row).unwrap();
        let back: Row = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&back, &row);
        prop_assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }

    #[test]
    fn scores_alone_come_back_too(score in score()) {
        let text = serde_json::to_string(&score).unwrap();
        prop_assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score);
    }
}

fn example() -> String {
    let row = Row {
        id: Some("0a".into()),
        parameters: 5_000,
        score: Some(two_part(Regime::InSample).into()),
        ..Row::default()
    };
    format!("[{}]", serde_json::to_string(&row).unwrap())
}

fn refusal(text: &str) -> String {
    parse(text, "results.json").unwrap_err().to_string()
}

#[test]
fn what_a_later_version_wrote_is_refused_in_a_sentence() {
    let text = example().replace("\"version\":2", "\"version\":7");
    let error = refusal(&text);
    assert!(
        error.contains("results.json, row 1: `version`: it is 7"),
        "{error}"
    );
    assert!(error.contains("up to version 2"), "{error}");
}

#[test]
fn unknown_missing_and_wrong_fields_are_named() {
    let text = example();
    for (from, to, says) in [
        ("\"seed\":", "\"sead\":", "`sead`: there is no such field"),
        ("\"data_bits\":7840.0,", "", "`data_bits`: it is missing"),
        ("\"fp16\":10000", "\"fp16\":\"x\"", "`model_bytes.fp16`"),
        (
            "\"raw_rate\":0.49",
            "\"raw_rate\":0.48",
            "`raw_rate`: it is 0.48, but the lengths",
        ),
        (
            "\"coded_bytes\":980",
            "\"coded_bytes\":981",
            "`coded_bytes`: it is 981",
        ),
        (
            "\"stored\":2.0",
            "\"stored\":1.9",
            "`adjusted_rate`: it is 1.9",
        ),
        (
            "\"verified\":false",
            "\"verified\":true",
            "`estimate`: it contradicts",
        ),
        (
            "\"coded\":{\"fp16\"",
            "\"coded\":{\"../fp16\"",
            "it is missing",
        ),
        ("\"state\":\"pending\"", "\"state\":\"gone\"", "`state`"),
    ] {
        assert!(text.contains(from), "{from} is not in {text}");
        let error = refusal(&text.replacen(from, to, 1));
        assert!(error.contains(says), "{error}\n{says}");
    }
    assert!(refusal("{\"rows\": []}").contains("holds no rows"));
    assert!(refusal("[1]").contains("holds no rows"));
}

const OLD: &str = r#"{"id": "ab", "axes": {"model.width": 16}, "parameters": 1000, "seed": 1,
    "data": {"source": "crates", "bytes": 10000, "hash": "00"}, "state": "done",
    "regime": "in-sample", "bits_per_byte": 4.0, "coded_bytes": 5000, "raw_rate": 0.5,
    "model_bytes": {"fp16": 2000, "stored": 600},
    "adjusted_rate": {"fp16": 0.7, "stored": 0.57}, "flops": 3, "seed_seen": 4}"#;

#[test]
fn rows_of_version_0_1_are_read_with_tolerance() {
    for text in [format!("[{OLD}]"), format!("{{\"results\": [{OLD}]}}")] {
        let row = &parse(&text, "f").unwrap()[0];
        let names = row.conventions();
        let names: Vec<&str> = names.iter().map(Convention::as_str).collect();
        assert_eq!(names, ["fp16", "stored"]);
        // Each convention has its own coded bytes.
        assert_eq!(row.coded("fp16"), Some(5000.0));
        assert_eq!(row.coded("stored"), Some(5100.0));
        assert_eq!(row.adjusted("stored"), Some(0.57));
    }
    let unfinished = r#"[{"id": "x", "parameters": 10, "state": "pending", "seed": null,
        "data": {"bytes": 5, "hash": null}}]"#;
    assert!(!parse(unfinished, "f").unwrap()[0].is_scored());
}

#[test]
fn old_rows_of_leaked_tests_and_of_held_out_bytes_have_their_own_divisors() {
    let of = |regime: &str, fp16: f64| {
        let scored = r#""scored": {"bytes": 2000, "hash": "11"}, "raw_rate""#;
        let text = OLD
            .replace("in-sample", regime)
            .replace("\"raw_rate\"", scored)
            .replace("\"raw_rate\": 0.5", "\"raw_rate\": 0.49")
            .replace("\"coded_bytes\": 5000", "\"coded_bytes\": 980")
            .replace(
                "\"fp16\": 0.7, \"stored\": 0.57",
                &format!("\"fp16\": {fp16}"),
            );
        parse(&format!("[{text}]"), "f").unwrap().remove(0)
    };
    let leaked = of("overlap", 1.49);
    assert_eq!(leaked.charged_to(), 2_000);
    assert_eq!(leaked.coded("fp16"), Some(980.0));
    assert_eq!(leaked.adjusted("fp16"), Some(1.49));
    let held_out = of("held-out", 0.69);
    assert_eq!(held_out.charged_to(), 10_000);
    assert_eq!(held_out.coded("fp16"), Some(4_900.0));
    assert!((held_out.adjusted("fp16").unwrap() - 0.69).abs() < 1e-12);
}

#[test]
fn an_old_prequential_code_sends_its_recipe_alone() {
    let text = OLD
        .replace("in-sample", "prequential")
        .replace(r#""fp16": 2000, "stored": 600"#, r#""prequential": 100"#)
        .replace(r#""fp16": 0.7, "stored": 0.57"#, r#""prequential": 0.51"#);
    let row = &parse(&format!("[{text}]"), "f").unwrap()[0];
    assert_eq!(row.conventions(), [Convention::prequential()]);
    assert_eq!(row.adjusted("fp16"), None);
    assert_eq!(row.adjusted("prequential"), Some(0.51));
}

#[test]
fn an_old_score_tells_what_it_was_charged_to() {
    let text = r#"{"regime": "held-out", "scored": {"bytes": 2000, "hash": "11"},
        "bits_per_byte": 3.92, "data_bits": 7840.0, "coded_bytes": 980,
        "stored_coded_bytes": 1000, "model_bytes": {"fp16": 10000, "stored": 3000},
        "raw_rate": 0.49, "adjusted_rate": {"fp16": 1.49, "stored": 0.8},
        "estimate": false, "verified": true, "block_bits": [4000, 3840]}"#;
    let score: Score = serde_json::from_str(text).unwrap();
    let expected = Description::two_part(
        Regime::HeldOut,
        Scored {
            bytes: 2_000,
            hash: "11".into(),
        },
        7_840.0,
        980,
        5_000,
        10_000,
    )
    .with(Code {
        convention: Convention::stored(),
        coded_bytes: 1_000,
        model_bytes: 3_000,
    })
    .evidence(Evidence::Decoded)
    .with_blocks(vec![4000, 3840]);
    assert_eq!(score.description, expected);
}

#[test]
fn the_same_settings_in_another_order_are_the_same() {
    let axes = [
        r#"{"model.taps": 0, "train.learning_rate": 0.01}"#,
        r#"{"train.learning_rate": 0.01, "model.taps": 0}"#,
    ];
    let rows = axes.map(|axes| OLD.replace(r#"{"model.width": 16}"#, axes));
    let rows = parse(&format!("[{}]", rows.join(",")), "f").unwrap();
    assert_eq!(rows[0].settings(), "taps 0, learning_rate 0.01");
    assert_eq!(rows[1].settings(), rows[0].settings());
}
