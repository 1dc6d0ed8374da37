//! `brevity price`: weights of any model.

use crate::util::Dir;

/// A safetensors file of these tensors.
fn safetensors(tensors: &[(&str, &str, &[usize], &[u8])]) -> Vec<u8> {
    let mut data: Vec<u8> = Vec::new();
    let mut header = serde_json::Map::new();
    for (name, dtype, shape, bytes) in tensors {
        let start = data.len();
        data.extend(*bytes);
        let entry = serde_json::json!({
            "dtype": dtype, "shape": shape, "data_offsets": [start, data.len()],
        });
        header.insert((*name).to_owned(), entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

fn floats(count: usize) -> Vec<u8> {
    let value = |i: usize| (i as f32 * 0.37).sin() * 0.05 + (i as f32 * 0.11).cos() * 0.02;
    (0..count).flat_map(|i| value(i).to_le_bytes()).collect()
}

#[test]
fn any_tensors_are_priced() {
    let dir = Dir::new();
    let counter = 1234_i64.to_le_bytes();
    let mask = [1; 16];
    let file = safetensors(&[
        ("conv.weight", "F32", &[8, 4, 3, 3], &floats(288)),
        ("norm.num_batches_tracked", "I64", &[], &counter),
        ("rnn.weight_hh", "F32", &[64, 64], &floats(4096)),
        ("mask", "BOOL", &[16], &mask),
    ]);
    dir.file("w.safetensors", file);
    dir.run(&["price", "w.safetensors"])
        .status(1)
        .says("`mask` is of type bool");
    let args = ["price", "w.safetensors", "--skip", "ma*"];
    let said = dir
        .run(&[&args[..], &["--json"]].concat())
        .status(0)
        .stdout();
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(json["parameters"], 288 + 1 + 4096);
    assert_eq!(json["model_bytes"]["fp16"], 2 * 4385);
    let coded = |i: usize| json["coded"][i]["bytes"].as_u64().expect("bytes");
    assert!(
        coded(0) < 2 * 4385 && coded(1) < coded(0) && coded(2) < coded(1),
        "{json}"
    );
    assert!(coded(2) < 4385 * 5 / 8, "{json}");
    dir.run(&args).status(0);
}

#[cfg(unix)]
#[test]
fn a_loss_finds_the_precision() {
    let dir = Dir::new();
    dir.file(
        "w.safetensors",
        safetensors(&[("w", "F32", &[64, 64], &floats(4096))]),
    );
    // Data that do not care for the weights: the shortest has none.
    let args = ["price", "w.safetensors", "--json", "--loss"];
    let price = |loss: &str| dir.run(&[&args[..], &[loss]].concat());
    let said = price("echo 1000; test -f").status(0).stdout();
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert!(json["shortest"]["bytes"].as_u64() < Some(300), "{json}");
    assert_eq!(json["shortest"]["data_bits"], 1000.0);
    price("echo many; true")
        .status(1)
        .says("printed `many`, no number");
    price("false").status(1).says("ended with exit status: 1");
    price("echo NaN; true")
        .status(1)
        .says("NaN is no code length");
}

#[test]
fn what_is_no_weight_is_named() {
    let dir = Dir::new();
    let price = |file: &str| dir.run(&["price", file]);
    dir.file(
        "nan",
        safetensors(&[("w", "F32", &[1], &f32::NAN.to_le_bytes())]),
    );
    price("nan")
        .status(1)
        .says("tensor `w` has the value NaN at index 0");
    dir.file("text", "no tensors");
    price("text").status(1).says("neither a safetensors file");
    price("none").status(1).says("cannot read none");
    dir.file("empty", safetensors(&[]));
    price("empty").status(1).says("no weights");
    dir.file(
        "big",
        safetensors(&[("n", "I64", &[1], &(1_i64 << 40).to_le_bytes())]),
    );
    price("big").status(1).says("beyond 2^20");
}
