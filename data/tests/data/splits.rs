//! The `[data]` table: prefixes, held-out bytes, and refusals.

use std::fs;

use brevity_data::{DataConfig, DataError, Split, Store, regime};
use brevity_length::Regime;
use proptest::prelude::*;

use crate::chain;

/// Loads a config whose source `FILE` is a file of `len` distinct-ish bytes.
fn load(len: usize, config: &str) -> brevity_data::Result<Split> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, content(len)).unwrap();
    let config = config.replace("FILE", path.to_str().unwrap());
    let config: DataConfig = toml::from_str(&config).unwrap();
    config.load_from(&Store::at("/nonexistent"))
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

#[test]
fn all_there_is_by_default() {
    let split = load(1000, "source = 'FILE'").unwrap();
    assert_eq!(split.train.bytes, content(1000));
    assert_eq!(split.holdout, None);
}

#[test]
fn held_out_bytes_are_the_last_and_do_not_depend_on_the_prefix() {
    let all = load(1000, "source = 'FILE'\nholdout = { bytes = 100 }").unwrap();
    assert_eq!(all.train.provenance.range(), 0..900);
    let holdout = all.holdout.unwrap();
    assert_eq!(holdout.provenance.range(), 900..1000);
    assert_eq!(holdout.bytes, content(1000)[900..]);
    let small = load(
        1000,
        "source = 'FILE'\nbytes = 10\nholdout = { bytes = 100 }",
    )
    .unwrap();
    assert_eq!(small.holdout.unwrap().provenance.range(), 900..1000);
    assert_eq!(small.train.bytes, content(10));
}

#[test]
fn a_test_that_leaks_is_taken_off_the_held_out_bytes() {
    let config = |leak: &str| {
        let text = format!("source = 'FILE'\nholdout = {{ bytes = 100 }}\nleak = {leak}");
        load(1000, &text)
    };
    let split = config("{ bytes = 40, copies = 2 }").unwrap();
    let (leak, clean) = (split.leak.clone().unwrap(), split.holdout.clone().unwrap());
    assert_eq!(leak.provenance.range(), 900..940);
    assert_eq!(clean.provenance.range(), 940..1000);
    assert_eq!(split.described(), &leak);
    assert_eq!(split.train.len(), 900 + 80);
    assert_eq!(leak.bytes, split.train.bytes[300..340]);
    assert_eq!(leak.bytes, split.train.bytes[640..680]);
    // Without copies it is the control: the training bytes are unchanged.
    let control = config("{ bytes = 40 }").unwrap();
    assert_eq!(control.train.provenance.range(), 0..900);
    assert_eq!(regime(&control.train, &leak), Regime::HeldOut);
    for (leak, field) in [
        ("{ bytes = 100 }", "data.leak.bytes"),
        ("{ bytes = 0 }", "data.leak.bytes"),
        (
            "{ bytes = 10, copies = 9_000_000_000_000_000_000 }",
            "data.leak.copies",
        ),
    ] {
        let error = config(leak).unwrap_err();
        assert!(error.to_string().starts_with(field), "{error}");
    }
}

#[test]
fn generated_sources_hold_out_bytes_beyond_any_prefix() {
    let at = |bytes: u64| {
        let text =
            format!("source = 'random'\nseed = 3\nbytes = {bytes}\nholdout = {{ bytes = 50 }}");
        load(1, &text).unwrap()
    };
    let (small, large) = (at(100), at(200_000));
    assert_eq!(small.train.bytes, large.train.bytes[..100]);
    assert_eq!(small.holdout, large.holdout);
    let holdout = large.holdout.unwrap();
    assert_eq!(regime(&large.train, &holdout), Regime::HeldOut);
    let other = load(1, "source = 'random'\nseed = 4\nbytes = 100").unwrap();
    assert_eq!(regime(&other.train, &small.train), Regime::Shifted);
}

#[test]
fn another_source_can_be_held_out() {
    let split = load(
        100,
        "source = 'FILE'\nholdout = { source = 'synthetic-audio', bytes = 5000, offset = 7 }",
    )
    .unwrap();
    assert_eq!(split.train.len(), 100);
    let holdout = split.holdout.unwrap();
    assert_eq!(
        (holdout.name(), holdout.provenance.range()),
        ("synthetic-audio", 7..5007)
    );
}

#[test]
fn what_makes_no_sense_names_its_field() {
    for (config, wanted) in [
        ("source = 'FILE'\nbytes = 0", "data.bytes"),
        ("source = 'FILE'\nbytes = 1001", "data.bytes"),
        (
            "source = 'FILE'\nbytes = 9223372036854775807\noffset = 2",
            "data.bytes",
        ),
        ("source = 'FILE'\noffset = 1000", "data.offset"),
        (
            "source = 'FILE'\nholdout = { bytes = 0 }",
            "data.holdout.bytes",
        ),
        (
            "source = 'FILE'\nholdout = { bytes = 1001 }",
            "data.holdout.bytes",
        ),
        ("source = 'FILE'\nholdout = { bytes = 1000 }", "data.offset"),
        (
            "source = 'FILE'\nbytes = 901\nholdout = { bytes = 100 }",
            "data.holdout",
        ),
        (
            "source = 'FILE'\nholdout = { bytes = 10, offset = 995 }",
            "data.holdout.bytes",
        ),
        ("source = 'random'", "data.bytes"),
        ("source = 'random'\nholdout = { bytes = 5 }", "data.bytes"),
        (
            "source = 'random'\nbytes = 4611686018427387904",
            "data.bytes",
        ),
    ] {
        let error = load(1000, config).unwrap_err();
        assert!(chain(&error).starts_with(wanted), "{config}: {error}");
        assert!(error.is_usage());
    }
    let error = load(1000, "source = 'FILE'\nbytes = 1001").unwrap_err();
    assert!(matches!(
        error,
        DataError::TooShort {
            need: 1001,
            have: 1000,
            ..
        }
    ));
}

#[test]
fn unknown_keys_and_wrong_types_are_refused() {
    for config in [
        "source = 'x'\nbyte = 1",
        "source = 3",
        "bytes = 3",
        "source = 'x'\nbytes = -1",
        "source = 'x'\nbytes = 1.5",
        "source = 'x'\nholdout = { byte = 3 }",
    ] {
        assert!(toml::from_str::<DataConfig>(config).is_err(), "{config}");
    }
}

#[test]
fn a_config_writes_itself() {
    let text =
        "source = \"crates\"\nbytes = 500000\noffset = 0\nseed = 0\n\n[holdout]\nbytes = 9\n";
    let config: DataConfig = toml::from_str(text).unwrap();
    assert_eq!(toml::to_string(&config).unwrap(), text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn splits_are_disjoint_slices(
        len in 2usize..400,
        offset in 0usize..400,
        bytes in 1usize..400,
        held in 1usize..400,
    ) {
        let config =
            format!("source = 'FILE'\noffset = {offset}\nbytes = {bytes}\nholdout = {{ bytes = {held} }}");
        let fits = offset + bytes + held <= len;
        match load(len, &config) {
            Ok(split) => {
                prop_assert!(fits);
                let holdout = split.holdout.unwrap();
                prop_assert_eq!(&split.train.bytes, &content(len)[offset..offset + bytes]);
                prop_assert_eq!(&holdout.bytes, &content(len)[len - held..]);
                prop_assert!(split.train.provenance.range().end <= holdout.provenance.offset);
            }
            Err(error) => prop_assert!(!fits, "{}", error),
        }
    }
}
