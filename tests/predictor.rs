//! Predictors of other programs: `--predictor`.

use crate::util::{Dir, number};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// `examples/predictor.rs`, which needs no crate.
fn program() -> &'static str {
    static BUILT: OnceLock<String> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/predictor.rs");
        let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("predictor");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        command
            .args(["--edition=2024", "-O", source, "-o"])
            .arg(&out);
        assert!(command.status().expect("a compiler").success());
        out.display().to_string()
    })
}

fn text() -> String {
    (0..200)
        .map(|i| format!("line {} of {i}\n", i * i % 97))
        .collect()
}

/// What the example's probabilities cost, in bits: computed here, in 64 bits.
fn expected(bytes: &[u8]) -> f64 {
    let mut counts = std::collections::HashMap::<[u8; 2], [f64; 256]>::new();
    let mut last = [0; 2];
    let mut bits = 0.0;
    for &byte in bytes {
        let of = counts.entry(last).or_insert([0.0; 256]);
        let sum: f64 = of.iter().sum();
        bits -= ((of[byte as usize] + 1.0 / 256.0) / (sum + 1.0)).log2();
        of[byte as usize] += 1.0;
        last = [last[1], byte];
    }
    bits
}

#[test]
fn a_program_is_scored_to_the_digit() {
    let dir = Dir::new();
    dir.file("text", text());
    let args = [
        "score",
        "--predictor",
        program(),
        "--data",
        "text",
        "--model-bytes",
        "100",
    ];
    let said = dir
        .run(&[&args[..], &["--json"]].concat())
        .status(0)
        .stdout();
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let number = |path: &str| json.pointer(path).and_then(|v| v.as_f64()).expect(path);
    let (bits, n) = (expected(text().as_bytes()), text().len() as f64);
    assert!(
        (number("/data_bits") - bits).abs() < 5e-4 * n,
        "{bits} in {json}"
    );
    assert_eq!(
        (json["verified"].clone(), json["notes"].clone()),
        (true.into(), serde_json::json!([]))
    );
    let coded = number("/coded_bytes");
    assert!(
        (0.0..=2.0).contains(&(coded - bits / 8.0)),
        "{bits} in {json}"
    );
    assert!((number("/adjusted_rate/stated") - (coded + 100.0) / n).abs() < 1e-12);
    let table = dir.run(&args).status(0).stdout();
    assert!(
        table.contains("counts of order 2") && table.contains("decoded"),
        "{table}"
    );
}

#[test]
fn archives_need_their_predictor() {
    let dir = Dir::new();
    let path = dir.file("text", text());
    dir.run(&["compress", "text", "--predictor", program()])
        .status(0);
    std::fs::remove_file(&path).expect("it is there");
    dir.run(&["decompress", "text.bvy"])
        .status(1)
        .says("--predictor");
    dir.run(&["verify", "text.bvy", "--predictor", program()])
        .status(0);
    dir.run(&["decompress", "text.bvy", "--predictor", program()])
        .status(0);
    assert_eq!(std::fs::read_to_string(&path).expect("it is back"), text());
    let said = dir.run(&["inspect", "text.bvy"]).status(0).stdout();
    assert!(said.contains("a predictor from outside"), "{said}");
    dir.run(&["compress", "-c", "text", "--predictor", program()])
        .status(0);
}

#[test]
fn what_cannot_predict_is_told() {
    let dir = Dir::new();
    dir.file("text", text());
    let score = |command: &str| dir.run(&["score", "--data", "text", "--predictor", command]);
    score("true")
        .status(1)
        .says("ended (exit status: 0) instead of predicting its hello");
    score("echo hello, world; cat")
        .status(1)
        .says("its first bytes are `hello, w`");
    let args = [
        "score",
        "--data",
        "text",
        "--predictor",
        "sleep 60",
        "--predictor-timeout",
        "0.2",
    ];
    dir.run(&args).status(1).says("took more than 0.2 s");
    dir.run(&["score", "--data", "text"])
        .status(2)
        .says("MODEL");
    dir.run(&["compress", "text", "--online", "--predictor", "true"])
        .status(2)
        .says("--online");
    dir.run(&[
        "score",
        "--data",
        "text",
        "--predictor",
        "true",
        "--map",
        "a.html",
    ])
    .status(2)
    .says("--map");
    dir.run(&["score", "text", "--data", "text", "--model-bytes", "9"])
        .status(2)
        .says("--model-bytes is for --predictor");
}

#[test]
fn a_program_is_a_row_of_a_table() {
    let dir = Dir::new();
    dir.file("text", text());
    let config = format!(
        "chunk = 512\n[[set]]\nname = 'lines'\nsource = 'text'\n[[predictor]]\nname = 'counts'\n\
         command = '{}'\nparameters = 50\nmodel_bytes = 70\n",
        program()
    );
    dir.file("t.toml", config);
    let said = dir.run(&["table", "t.toml", "--json"]).status(0).stdout();
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let bytes = text().into_bytes();
    // The program learns as it goes, anew in each chunk.
    let bits: f64 = bytes.chunks(512).map(expected).sum();
    let n = bytes.len() as f64;
    let cell = |kind: &str| number(&json, &format!("/rows/0/cells/0/{kind}"));
    assert!((cell("raw") - bits / 8.0 / n).abs() < 2.0 / n, "{json}");
    assert!((cell("adjusted") - cell("raw") - 100.0 / n).abs() < 1e-9);
    assert!((cell("stored") - cell("raw") - 70.0 / n).abs() < 1e-9);
    assert_eq!(json["rows"][0]["cells"][0]["decoded"], false);
    dir.run(&["table", "t.toml"]).status(0);
}
