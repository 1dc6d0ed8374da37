//! Pretrained language models from the command: a small random Llama.

use crate::util::Dir;
use std::path::PathBuf;

const TEXT: &[u8] = b"It was the best of times, \xff\x00 it was the worst of times.\n";

fn llama(family: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pretrained/tests/families");
    folder.join(family).display().to_string()
}

#[test]
fn an_archive_decodes_in_another_process_on_the_portable_path() {
    let dir = Dir::new();
    let text = dir.file("text", TEXT);
    let model = llama("llama");
    let compress = ["compress", "--external", "-m", &model, "text"];
    dir.run(&compress).status(0).says("entropy sum");
    std::fs::remove_file(&text).unwrap();
    dir.run(&["decompress", "text.bvy"])
        .status(2)
        .says("made with a pretrained model");
    dir.run(&["decompress", "-m", &llama("gpt2"), "text.bvy"])
        .status(1)
        .says("text.bvy");
    assert!(!text.exists());
    dir.run_on("portable", &["decompress", "-m", &model, "text.bvy"])
        .status(0);
    assert_eq!(std::fs::read(&text).unwrap(), TEXT);
    dir.run(&[
        "decompress",
        "-c",
        "-m",
        &model,
        "--range",
        "0..4",
        "text.bvy",
    ])
    .status(2)
    .says("decoded whole");
}

#[test]
fn what_does_not_suit_is_wrong_usage() {
    let dir = Dir::new();
    dir.file("text", TEXT);
    let model = llama("llama");
    for (args, said) in [
        (&["compress", "-m", &model, "text"][..], "--external"),
        (
            &[
                "compress",
                "--external",
                "--method",
                "mixed",
                "-m",
                &model,
                "text",
            ],
            "--method",
        ),
        (
            &["score", &model, "--data", "text", "--prequential"],
            "--prequential",
        ),
        (
            &["score", &model, "none.safetensors", "--data", "text"],
            "separate",
        ),
    ] {
        dir.run(args).status(2).says(said);
    }
}

#[test]
fn models_are_described_and_scored() {
    let dir = Dir::new();
    dir.file("text", TEXT);
    let model = llama("llama");
    let said = dir.run(&["import", &model]).status(0).stdout();
    assert!(said.contains("family      llama"), "{said}");
    let said = dir.run(&["score", &model, "--data", "text"]).status(0);
    assert!(said.stdout().contains("decoded"));
    let args = ["score", &model, "--data", "text", "--estimate", "--json"];
    let said = dir.run(&args).status(0).stdout();
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["data_bytes"], TEXT.len());
    assert_eq!(json["verified"], false);
    let (coded, model) = (&json["coded_bytes"], &json["model_bytes"]["fp16"]);
    let bytes = coded.as_f64().unwrap() + model.as_f64().unwrap();
    let rate = json["adjusted_rate"]["fp16"].as_f64().unwrap();
    assert!((rate - bytes / TEXT.len() as f64).abs() < 1e-12);
}
