//! Parameter counts, tensor names, limits and the compact encoding of specs.

use crate::support::any_spec;
use brevity_model::{Activation, DecodeError, MAX_ENCODED_SPEC, Role, Spec};
use proptest::prelude::*;

#[test]
fn lmic_has_the_parameter_counts_of_the_paper() {
    let sizes = [
        (231_936, 64, 4),
        (331_392, 64, 6),
        (430_848, 64, 8),
        (856_832, 128, 4),
        (1_252_352, 128, 6),
        (1_647_872, 128, 8),
        (3_286_272, 256, 4),
        (4_863_744, 256, 6),
        (6_441_216, 256, 8),
        (9_596_160, 256, 12),
        (25_465_088, 512, 8),
        (38_066_432, 512, 12),
    ];
    for (parameters, width, layers) in sizes {
        let spec = Spec::lmic(width, layers, 8, 2048);
        assert_eq!(spec.parameters(), parameters, "d={width}, L={layers}");
    }
}

#[test]
fn a_tied_model_counts_its_embedding_once() {
    let spec = Spec::brevity(64, 4, 2, 256);
    // Embedding, taps, blocks of 12 d^2 with two norms and two gains, final
    // norm, bias.
    let expected = 256 * 64 + 3 * 64 + 4 * (12 * 64 * 64 + 2 * 64 + 2) + 64 + 256;
    assert_eq!(spec.parameters(), expected);
    assert_eq!(spec.matrix_parameters(), 4 * 12 * 64 * 64 + 64 * 256);
    // 6 M + 12 L d K with K = (256 + 1) / 2 keys on average.
    let flops = 6.0 * 212_992.0 + 12.0 * 4.0 * 64.0 * 128.5;
    assert_eq!(spec.flops_per_byte(), flops);
}

#[test]
fn the_kv_cache_holds_keys_and_values_of_the_window() {
    let mut spec = Spec::brevity(64, 4, 2, 512);
    spec.window = Some(256);
    assert_eq!(spec.kv_cache_bytes(), 2 * 4 * 4 * 64 * 256);
}

#[test]
fn mean_keys_counts_what_each_query_sees() {
    for (context, window) in [(7, None), (7, Some(3)), (7, Some(7)), (1, Some(1))] {
        let mut spec = Spec::aspect(16, context);
        spec.window = window;
        let seen: usize = (1..=context).map(|t| t.min(spec.reach())).sum();
        assert!((spec.mean_keys() - seen as f64 / context as f64).abs() < 1e-12);
    }
}

#[test]
fn the_aspect_rule_gives_valid_specs_at_even_widths() {
    for width in (2..=512).step_by(2) {
        Spec::aspect(width, 256).validate().unwrap();
    }
    let spec = Spec::aspect(96, 256);
    assert_eq!((spec.layers, spec.heads), (3, 3));
    let spec = Spec::aspect(16, 256);
    assert_eq!((spec.layers, spec.heads), (2, 1));
}

#[test]
fn tensors_come_in_the_canonical_order() {
    let mut spec = Spec::brevity(8, 1, 2, 16);
    spec.activation = Activation::Swiglu;
    let names: Vec<_> = spec
        .tensors()
        .into_iter()
        .map(|t| (t.name, t.shape, t.role))
        .collect();
    let expected = [
        ("embedding.weight", vec![256, 8], Role::Embedding),
        ("embedding.taps", vec![3, 8], Role::Taps),
        ("blocks.0.attention_norm.weight", vec![8], Role::Scale),
        ("blocks.0.attention.qkv.weight", vec![8, 24], Role::Hidden),
        ("blocks.0.attention.gain", vec![2], Role::Gain),
        (
            "blocks.0.attention.output.weight",
            vec![8, 8],
            Role::Residual,
        ),
        ("blocks.0.mlp_norm.weight", vec![8], Role::Scale),
        ("blocks.0.mlp.up.weight", vec![8, 64], Role::Hidden),
        ("blocks.0.mlp.down.weight", vec![32, 8], Role::Residual),
        ("final_norm.weight", vec![8], Role::Scale),
        ("output.bias", vec![256], Role::Bias),
    ];
    let expected = expected.map(|(name, shape, role)| (name.to_string(), shape, role));
    assert_eq!(names, expected);
}

#[test]
fn invalid_specs_name_the_field() {
    let base = Spec::lmic(64, 4, 4, 256);
    let wrong = [
        (
            "width",
            Spec {
                width: 0,
                ..base.clone()
            },
        ),
        (
            "layers",
            Spec {
                layers: 1 << 20,
                ..base.clone()
            },
        ),
        (
            "heads",
            Spec {
                heads: 5,
                ..base.clone()
            },
        ),
        (
            "heads",
            Spec {
                width: 512,
                heads: 1,
                ..base.clone()
            },
        ),
        (
            "hidden",
            Spec {
                hidden: 0,
                ..base.clone()
            },
        ),
        (
            "context",
            Spec {
                context: 0,
                ..base.clone()
            },
        ),
        (
            "window",
            Spec {
                window: Some(16),
                ..base.clone()
            },
        ),
        (
            "heads",
            Spec {
                heads: 24,
                ..Spec::brevity(72, 1, 1, 8)
            },
        ),
        (
            "window",
            Spec {
                window: Some(9),
                ..Spec::brevity(72, 1, 1, 8)
            },
        ),
        ("width", Spec::lmic(1 << 14, 1 << 10, 64, 1)),
    ];
    for (field, spec) in wrong {
        assert_eq!(spec.validate().unwrap_err().field, field);
    }
}

#[test]
fn the_encoding_is_frozen() {
    let spec = Spec::lmic(64, 4, 8, 2048);
    assert_eq!(
        spec.to_bytes(),
        [1, 0x42, 0x05, 64, 4, 8, 0x80, 2, 0x80, 16]
    );
    let mut spec = Spec::brevity(96, 3, 3, 1024);
    spec.window = Some(256);
    assert_eq!(
        spec.to_bytes(),
        [1, 0x29, 0x3b, 96, 3, 3, 0x80, 3, 0x80, 8, 0x80, 2, 3]
    );
}

#[test]
fn damaged_encodings_say_where() {
    let good = Spec::lmic(64, 4, 8, 2048).to_bytes();
    for end in 0..good.len() {
        let error = Spec::from_bytes(&good[..end]).unwrap_err();
        assert_eq!(error, DecodeError::Truncated { offset: end });
    }
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Spec::from_bytes(&bytes).unwrap_err()
    };
    assert_eq!(with(0, 2), DecodeError::Version(2));
    assert_eq!(with(2, 0x85), DecodeError::Switches(0x8542));
    // Without taps there is neither a switch nor a number.
    let zero = [&good[..2], &[good[2] | 0x20], &good[3..], &[0]].concat();
    let error = Spec::from_bytes(&zero).unwrap_err();
    let offset = good.len();
    assert_eq!(error, DecodeError::Number { offset });
    assert_eq!(with(1, 0x4e), DecodeError::Switches(0x054e));
    assert!(matches!(with(3, 0), DecodeError::Spec(e) if e.field == "width"));
    // 0x80 0x00 would be a second encoding of zero.
    assert_eq!(with(7, 0), DecodeError::Number { offset: 6 });
    let endless = [&good[..3], &[0xff; 40]].concat();
    let error = Spec::from_bytes(&endless).unwrap_err();
    assert_eq!(error, DecodeError::Number { offset: 3 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_agree_with_the_tensors(spec in any_spec()) {
        spec.validate().unwrap();
        let tensors = spec.tensors();
        let sum: usize = tensors.iter().map(|t| t.len()).sum();
        prop_assert_eq!(sum as u64, spec.parameters());
        let mut names: Vec<_> = tensors.iter().map(|t| &t.name).collect();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), tensors.len());
    }

    #[test]
    fn specs_survive_toml_and_bytes(spec in any_spec(), tail in any::<[u8; 3]>()) {
        let text = toml::to_string(&spec).unwrap();
        prop_assert_eq!(&toml::from_str::<Spec>(&text).unwrap(), &spec);
        let mut bytes = spec.to_bytes();
        let length = bytes.len();
        prop_assert!(length <= MAX_ENCODED_SPEC);
        bytes.extend(tail);
        prop_assert_eq!(Spec::from_bytes(&bytes).unwrap(), (spec, length));
    }

    #[test]
    fn any_bytes_are_refused_or_canonical(mut bytes in prop::collection::vec(any::<u8>(), 0..32)) {
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        if let Ok((spec, length)) = Spec::from_bytes(&bytes) {
            prop_assert_eq!(spec.to_bytes(), &bytes[..length]);
        }
    }
}
