//! Archives that hold a recipe instead of a model, and prequential codes.

use std::fs;

use crate::util::{Dir, number};

fn text(bytes: usize) -> String {
    let line = |i: usize| format!("line {} of {i}\n", i * i % 97);
    let mut text: String = (0..bytes / 10).map(line).collect();
    text.truncate(bytes);
    text
}

#[test]
fn an_archive_is_learned_again_by_other_threads_and_on_the_portable_path() {
    let dir = Dir::new();
    dir.file("a.txt", text(2000));
    dir.run(&["compress", "--online", "-T", "2", "a.txt"])
        .status(0)
        .says("a.txt.bvy");
    let inspected = dir.run(&["inspect", "a.txt.bvy"]).status(0).stdout();
    assert!(inspected.contains("learn while they code"), "{inspected}");

    let decompress = ["decompress", "-T", "1", "a.txt.bvy", "-o", "b.txt"];
    dir.run_on("portable", &decompress).status(0);
    assert_eq!(
        fs::read(dir.path("b.txt")).expect("the copy"),
        text(2000).as_bytes()
    );
    dir.run(&["verify", "-T", "3", "a.txt.bvy"]).status(0);
}

#[test]
fn a_damaged_recipe_is_refused_and_online_takes_no_model() {
    let dir = Dir::new();
    dir.file("a.txt", text(500));
    dir.run(&["compress", "--online", "-m", "x", "a.txt"])
        .status(2)
        .says("--online");
    dir.run(&["compress", "--online", "a.txt"]).status(0);
    let mut archive = fs::read(dir.path("a.txt.bvy")).expect("an archive");
    // Magic, version, kind, level, memory, length and check take 13 bytes.
    archive[14] ^= 1;
    dir.file("bad.bvy", &archive);
    dir.run(&["verify", "bad.bvy"]).status(1);
}

/// Archives hold recipes of transformers, too: those of earlier versions, and of `--learn`.
#[test]
fn an_archive_that_a_transformer_learned_is_decoded() {
    let dir = Dir::new();
    dir.file("old.bvy", include_bytes!("golden/online-transformer.bvy"));
    dir.run(&["decompress", "old.bvy", "-o", "a.txt"]).status(0);
    let back = fs::read(dir.path("a.txt")).expect("the copy");
    assert_eq!(back, text(2000).as_bytes());
}

const CONFIG: &str = r#"
name = "tiny"
[data]
source = "random"
bytes = 5000
[model]
preset = "brevity"
context = 32
[train]
epochs = 1.0
batch_bytes = 512
[score]
verify = false
[prequential]
first_block = 1024
[prequential.online]
lanes = 4
window = 16
replay = 1
batch_bytes = 512
[sweep.grid]
prequential.mode = ["online", "blocks"]
model.width = [8, 16]
"#;

#[test]
fn prequential_codes_of_random_bytes_cost_more_than_the_bytes() {
    let dir = Dir::new();
    dir.file("tiny.toml", CONFIG);
    let args = ["prequential", "tiny.toml", "--json", "--threads", "2"];
    let rows = dir.run(&args).status(0).stdout();
    let rows: serde_json::Value = serde_json::from_str(&rows).expect("JSON");
    let rows = rows.as_array().expect("rows");
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert_eq!(row["regime"], "prequential");
        let rate = row["adjusted_rate"]["prequential"].as_f64();
        assert!(rate.is_some_and(|rate| rate >= 1.0), "{row}");
        let bits = row["data_bits"].as_f64();
        assert!(bits.is_some_and(|bits| bits >= 8.0 * 5000.0), "{row}");
        // The rate has the recipe, the regret has not.
        let [fixed, regret] =
            ["final", "regret"].map(|of| number(row, &format!("/learning/{of}_bits")));
        let recipe = number(row, "/model_bytes/prequential");
        let coded = number(row, "/adjusted_rate/prequential") * number(row, "/scored/bytes");
        let rest = coded - recipe - (fixed + regret) / 8.0;
        assert!(
            recipe > 0.0 && (0.0..32.0).contains(&rest),
            "{rest} in {row}"
        );
    }
    let ranked = dir.run(&["select", "runs/tiny-prequential"]).status(0);
    let ranked = ranked.stdout();
    assert!(
        ranked.contains("estimates for these bytes: no archive was decoded"),
        "{ranked}"
    );
    let page = dir.path("runs/tiny-prequential/prequential.html");
    let page = fs::read_to_string(page).expect("a page");
    assert!(page.contains("Rate against size") && page.contains("blocks"));

    // What is done is not done again, and stays the same.
    let again = dir.run(&args).status(0).stdout();
    let again: serde_json::Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!(again.as_array(), Some(rows));
}

#[test]
fn both_codes_of_one_config_share_a_picture() {
    let dir = Dir::new();
    dir.file("tiny.toml", CONFIG);
    let set = ["--set", "sweep.grid={model.width=[8,16,24]}"];
    let sweep = [&["sweep", "tiny.toml"][..], &set].concat();
    dir.run(&sweep).status(0);
    let beside = ["prequential", "tiny.toml", "--beside", "runs/tiny"];
    dir.run(&[&beside[..], &set].concat()).status(0);
    let page = dir.path("runs/tiny-prequential/prequential.html");
    let page = fs::read_to_string(page).expect("a page");
    assert!(page.contains("Only the two-part curve has a minimum"));
    assert!(page.contains("two-part, stored"));
    let picture = dir.path("runs/tiny-prequential/ladder.svg");
    let picture = fs::read_to_string(picture).expect("a picture");
    assert!(!picture.contains("NaN") && !picture.contains("inf"));
}
