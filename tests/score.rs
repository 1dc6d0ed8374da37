//! Models on byte sets of one's own.

use std::fs;

use crate::util::Dir;

/// One small model, with bytes held out.
const CONFIG: &str = r#"
name = "tiny"
[data]
source = "data.txt"
bytes = 6000
[data.holdout]
bytes = 2000
[model]
width = 8
context = 32
[train]
steps = 30
batch_bytes = 256
[score]
verify = false
"#;

/// A trained model; its folder.
fn trained(dir: &Dir) -> String {
    let line = |i: usize| format!("line {} of {i}\n", i * i % 997);
    let text: String = (0..800).map(line).collect();
    dir.file("data.txt", &text[..8000]);
    dir.file("c.toml", CONFIG);
    let stdout = dir.run(&["train", "c.toml"]).status(0).stdout();
    let model = stdout.lines().last().expect("a path");
    model.trim_end_matches("/model.safetensors").to_owned()
}

/// The advice is followed: the same weights are there again.
#[test]
fn a_damaged_model_is_made_again_as_the_message_says() {
    let dir = Dir::new();
    let trial = trained(&dir);
    let path = dir.path(&trial).join("model.safetensors");
    let whole = fs::read(&path).expect("a model");
    let score = ["score", &trial, "--data", "data.txt", "--estimate"];
    let resume = ["train", "c.toml", "--resume"];
    fs::write(&path, &whole[..1000]).expect("a file");
    dir.run(&score)
        .status(1)
        .says("is damaged")
        .says("--resume");
    dir.run(&resume).status(0);
    assert!(fs::read(&path).expect("a model") == whole);

    let mut flipped = whole.clone();
    *flipped.last_mut().expect("a byte") ^= 1;
    fs::write(&path, flipped).expect("a file");
    dir.run(&score)
        .status(1)
        .says("delete it and pass --resume");
    fs::remove_file(&path).expect("a file");
    dir.run(&resume).status(0);
    assert!(fs::read(&path).expect("a model") == whole);
    dir.run(&score).status(0);
}

#[test]
fn pairs_tell_what_the_model_has_seen() {
    let dir = Dir::new();
    let trial = trained(&dir);
    fs::copy(dir.path(&trial).join("model.safetensors"), dir.path("lone")).expect("a copy");
    let sets = [
        "data.txt,bytes=6000",
        "data.txt,offset=6_000",
        "data.txt",
        "random,bytes=2000",
    ];
    let mut args = vec!["score", &trial, "lone", "--json", "--estimate", "--data"];
    args.extend(sets);
    let json = dir.run(&args).status(0).stdout();
    let scores: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let scores = scores.as_array().expect("an array");
    let regimes: Vec<_> = scores.iter().filter_map(|s| s["regime"].as_str()).collect();
    let known = ["in-sample", "held-out", "overlap", "shifted"];
    assert_eq!(regimes, [&known[..], &["unknown"; 4]].concat());

    let number = |score: usize, path: &str| {
        let value = scores[score].pointer(path).and_then(|v| v.as_f64());
        value.unwrap_or_else(|| panic!("{path} in {}", scores[score]))
    };
    assert_eq!(number(0, "/overlap/longest_match"), 6000.0);
    assert_eq!(number(2, "/overlap/in_long_matches"), 0.75);
    // Held-out bytes share the model with those it was trained on.
    assert_eq!(number(1, "/model_charged_to"), 6000.0);
    assert_eq!(number(1, "/held_out_rate"), number(1, "/raw_rate"));
    assert!(scores[0]["held_out_rate"].is_null() && scores[4]["overlap"].is_null());
    for noise in [3, 7] {
        for convention in ["fp16", "stored"] {
            assert!(number(noise, &format!("/adjusted_rate/{convention}")) >= 1.0);
        }
    }
}

#[test]
fn lengths_are_decoded_and_a_learner_is_priced_beside() {
    let dir = Dir::new();
    let trial = trained(&dir);
    let model = format!("{trial}/model.safetensors");
    let args = [
        "score",
        &model,
        "--data",
        "data.txt,bytes=3000",
        "--prequential",
    ];
    let json = dir.run(&[&args[..], &["--json"]].concat()).status(0);
    let score: serde_json::Value = serde_json::from_str(&json.stdout()).expect("JSON");
    assert_eq!(score["verified"], true);
    assert_eq!(score["data_bytes"], 3000);
    let rate = |path: &str| score.pointer(path).and_then(|v| v.as_f64());
    for path in [
        "/bits_per_byte",
        "/raw_rate",
        "/model_bytes/fp16",
        "/model_bytes/stored",
        "/adjusted_rate/fp16",
        "/adjusted_rate/stored",
    ] {
        assert!(rate(path).is_some_and(|v| v > 0.0), "{path} in {score}");
    }
    assert!(rate("/prequential/rate").is_some_and(|rate| rate < 1.0));
    let table = dir.run(&args).status(0).stdout();
    assert!(
        table.contains("prequential %") && table.contains("decoded"),
        "{table}"
    );
}

#[test]
fn what_cannot_be_scored_is_named() {
    let dir = Dir::new();
    let trial = trained(&dir);
    let score = |model: &str, data: &str| dir.run(&["score", model, "--data", data]);
    score(&trial, "data.txt,byte=5").status(2).says("`byte`");
    score(&trial, "data.txt,offset=9000")
        .status(2)
        .says("data.offset");
    score(&trial, "nowhere.txt").status(2).says("nowhere.txt");
    score("runs/tiny", "data.txt")
        .status(2)
        .says("runs/tiny/trials/*");
    score("data.txt", "data.txt").status(1).says("data.txt");
    dir.file("data.txt", "something else".repeat(1000));
    score(&trial, "data.txt").status(0);
    let table = score(&trial, "data.txt").status(0).stdout();
    assert!(
        table.contains("no longer holds its training data"),
        "{table}"
    );
}
