//! Weights and their safetensors files, intact and damaged.

use crate::support::{any_spec, random_weights};
use brevity_model::{FormatError, Spec, Weights, WeightsError, is_whole_model};
use proptest::prelude::*;
use std::collections::HashMap;
use std::fs;

fn spec() -> Spec {
    Spec::brevity(8, 2, 2, 16)
}

/// The tensors of `weights`, to be modified.
fn tensors(weights: &Weights) -> HashMap<String, Vec<f32>> {
    let tensors = weights.iter();
    tensors.map(|(t, v)| (t.name.clone(), v.to_vec())).collect()
}

#[test]
fn a_file_gives_back_the_weights_and_is_reproducible() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let weights = random_weights(&spec(), 1);
    weights.save(&path).unwrap();
    assert_eq!(Weights::load(&path).unwrap(), weights);
    assert_eq!(fs::read(&path).unwrap(), weights.to_safetensors());
    random_weights(&spec(), 2).save(&path).unwrap();
    assert_eq!(Weights::load(&path).unwrap(), random_weights(&spec(), 2));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_is_whole_if_it_is_as_long_as_its_header_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    assert!(!is_whole_model(&path).unwrap());
    random_weights(&spec(), 1).save(&path).unwrap();
    assert!(is_whole_model(&path).unwrap());
    let bytes = fs::read(&path).unwrap();
    let damaged = [
        &bytes[..bytes.len() - 1],
        &bytes[..20],
        &bytes[..3],
        &[],
        &vec![0; bytes.len()],
        &vec![0xff; bytes.len()],
        &[&bytes[..], b"more"].concat(),
    ];
    for damaged in damaged {
        fs::write(&path, damaged).unwrap();
        assert!(!is_whole_model(&path).unwrap(), "{} bytes", damaged.len());
    }
}

#[test]
fn a_failed_save_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("taken");
    fs::create_dir_all(path.join("by a folder")).unwrap();
    let error = random_weights(&spec(), 1).save(&path).unwrap_err();
    assert!(error.to_string().ends_with("taken"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_missing_file_is_named() {
    let error = Weights::load("no/such/model.safetensors".as_ref()).unwrap_err();
    assert!(matches!(error.source, FormatError::Io(_)));
    assert_eq!(error.to_string(), "no/such/model.safetensors");
}

#[test]
fn every_truncation_is_an_error_and_most_say_how_much_is_missing() {
    let bytes = random_weights(&spec(), 1).to_safetensors();
    let whole = bytes.len() as u64;
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for end in (0..bytes.len()).step_by(7) {
        let error = Weights::from_safetensors(&bytes[..end]).unwrap_err();
        match error {
            FormatError::Truncated { expected, got } => {
                assert_eq!(got, end as u64);
                let known = if end < 8 + header {
                    8 + header as u64
                } else {
                    whole
                };
                assert_eq!(expected, known);
            }
            _ => assert!(end < 8, "at {end}: {error}"),
        }
    }
}

#[test]
fn foreign_files_are_refused() {
    for bytes in [&b""[..], b"hello", &[0xff; 100], b"\x02\0\0\0\0\0\0\0[]"] {
        let error = Weights::from_safetensors(bytes).unwrap_err();
        assert!(matches!(error, FormatError::Safetensors(_)), "{error}");
    }
    let error = Weights::from_safetensors(b"\x02\0\0\0\0\0\0\0{}").unwrap_err();
    assert!(matches!(error, FormatError::NoSpec), "{error}");
}

/// The error of a model file in whose header `from` is replaced by `to`, of the same
/// length.
fn edited(from: &str, to: &str) -> FormatError {
    assert_eq!(from.len(), to.len());
    let bytes = random_weights(&spec(), 1).to_safetensors();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let text = std::str::from_utf8(&bytes[8..8 + header]).unwrap();
    assert!(text.contains(from), "{text}");
    let text = text.replacen(from, to, 1);
    let bytes = [&bytes[..8], text.as_bytes(), &bytes[8 + header..]].concat();
    Weights::from_safetensors(&bytes).unwrap_err()
}

#[test]
fn files_of_another_spec_name_what_differs() {
    let error = edited("width = 8", "width = 4").to_string();
    assert!(error.contains("tensor `"), "{error}");
    assert!(error.contains("its spec says"), "{error}");
    let error = edited("layers = 2", "layers = 3");
    assert!(
        matches!(&error, FormatError::Weights(WeightsError::Missing(name)) if name.starts_with("blocks.2.")),
        "{error}"
    );
    let error = edited("layers = 2", "layers = 1");
    assert!(
        matches!(&error, FormatError::Weights(WeightsError::Unknown(name)) if name.starts_with("blocks.1.")),
        "{error}"
    );
    let error = edited("heads = 2", "heads = 3");
    assert!(error.to_string().contains("model.heads"), "{error}");
    let error = edited("heads = 2", "beads = 2");
    assert!(matches!(error, FormatError::Spec(_)), "{error}");
    let error = edited("F32", "I32");
    assert!(matches!(error, FormatError::Dtype { .. }), "{error}");
    let error = edited("[256,8]", "[8,256]");
    assert!(
        matches!(&error, FormatError::Shape { name, .. } if name == "embedding.weight"),
        "{error}"
    );
}

#[test]
fn values_that_are_not_finite_are_named() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut tensors = tensors(&random_weights(&spec(), 1));
        tensors.get_mut("blocks.1.mlp.up.weight").unwrap()[5] = value;
        let error = Weights::new(spec(), tensors).unwrap_err().to_string();
        assert!(error.contains("`blocks.1.mlp.up.weight`"), "{error}");
        assert!(error.contains("index 5"), "{error}");
    }
}

#[test]
fn tensors_of_the_wrong_length_are_named() {
    let mut tensors = tensors(&random_weights(&spec(), 1));
    tensors.get_mut("output.bias").unwrap().pop();
    let error = Weights::new(spec(), tensors).unwrap_err().to_string();
    assert_eq!(
        error,
        "tensor `output.bias` has 255 values, its shape [256] needs 256"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn weights_of_any_spec_survive_a_file(spec in any_spec(), seed in any::<u64>()) {
        let weights = random_weights(&spec, seed);
        let bytes = weights.to_safetensors();
        prop_assert_eq!(&Weights::from_safetensors(&bytes).unwrap(), &weights);
    }

    #[test]
    fn a_flipped_bit_never_panics(bit in 0..2000usize) {
        let mut bytes = random_weights(&spec(), 1).to_safetensors();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let _ = Weights::from_safetensors(&bytes);
    }
}
