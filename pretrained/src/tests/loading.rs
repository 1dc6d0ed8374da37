//! Files that are not what they should be are refused by name.

use super::small::{HEAD, HEADS, WIDTH, file, on_disk};
use crate::gguf::tests::Writer;
use crate::{Model, Problem};

fn load(writer: &Writer) -> Result<Model, Problem> {
    Model::load(on_disk(&writer.finish()).path()).map_err(|e| e.problem)
}

#[test]
fn what_is_loaded_says_what_it_is() {
    let model = load(&file("llama", 1)).unwrap();
    assert_eq!(model.spec().family, "llama");
    assert_eq!(model.origin().name.as_deref(), Some("small"));
    assert_eq!((model.spec().heads, model.spec().head_dim), (HEADS, HEAD));
    let layer = WIDTH * HEAD * (2 * HEADS + 4) + 3 * WIDTH * super::small::HIDDEN + 2 * WIDTH;
    let rows = super::small::tokens().len();
    let expected = super::small::LAYERS * layer + 2 * rows * WIDTH + WIDTH;
    assert_eq!(model.weights().parameters(), expected as u64);
}

#[test]
fn problems_are_named() {
    let mut no_tensor = file("llama", 1);
    no_tensor.remove("blk.1.attn_k.weight");
    let error = load(&no_tensor).unwrap_err().to_string();
    assert_eq!(error, "the tensor `blk.1.attn_k.weight` is missing");

    let mut shape = file("llama", 1);
    shape.remove("blk.2.ffn_norm.weight");
    shape.tensor("blk.2.ffn_norm.weight", &[4], &[1.0; 4]);
    let error = load(&shape).unwrap_err().to_string();
    assert_eq!(
        error,
        "the tensor `blk.2.ffn_norm.weight` has the shape [4], expected [32]"
    );

    let mut nan = file("llama", 1);
    nan.remove("blk.0.attn_output.weight");
    let mut values = vec![0.5; WIDTH * HEADS * HEAD];
    values[3 * HEADS * HEAD + 1] = f32::NAN;
    nan.tensor("blk.0.attn_output.weight", &[WIDTH, HEADS * HEAD], &values);
    let error = load(&nan).unwrap_err().to_string();
    assert_eq!(
        error,
        "the tensor `out of block 0` holds a value that is no finite number, in row 3"
    );

    let mut left = file("llama", 1);
    left.tensor("blk.0.attn_sinks.weight", &[4], &[1.0; 4]);
    let error = load(&left).unwrap_err().to_string();
    assert!(error.contains("`blk.0.attn_sinks.weight`"), "{error}");

    let mut family = Writer::default();
    family.text("general.architecture", "mamba");
    let error = load(&family).unwrap_err().to_string();
    assert!(error.contains("`general.architecture` is mamba"), "{error}");
}
