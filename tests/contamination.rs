//! A test that leaks, and what each measure says of it.

use std::fs;

use crate::util::{Dir, lines, number};

/// Every experiment, with models that learn next to nothing.
const CONFIG: &str = r#"
name = "leaks"
[data]
source = "data.txt"
bytes = 6000
[data.holdout]
bytes = 2400
[data.leak]
bytes = 1200
[model]
width = 8
context = 32
[train]
steps = 12
batch_bytes = 256
[score]
verify = false
[prequential.online]
lanes = 4
window = 32
replay = 1
batch_bytes = 128
[contamination]
doses = [0, 6]
disguised = [6]
text_bytes = 1500
random_bytes = 600
[contamination.memoriser]
model.width = 16
train.steps = 40
"#;

fn dir() -> Dir {
    let dir = Dir::new();
    dir.file("data.txt", lines(8400));
    dir.file("c.toml", CONFIG);
    dir
}

#[test]
fn leaks_are_made_measured_and_reported() {
    let dir = dir();
    let json = dir.run(&["contamination", "c.toml", "--json"]).status(0);
    let found: serde_json::Value = serde_json::from_str(&json.stdout()).expect("JSON");
    let all = |key: &str| found[key].as_array().expect("an array").clone();
    assert_eq!((all("leaked").len(), all("alone").len()), (6, 4));

    for model in all("leaked") {
        let copies = number(&model, "/copies");
        let hidden = number(&model, "/skip_words") > 0.0;
        let longest = number(&model, "/detected/longest_match");
        assert_eq!(longest == 1200.0, copies > 0.0 && !hidden, "{model}");
        let auc = number(&model, "/detected/min_k/auc");
        assert!((0.0..=1.0).contains(&auc));
        assert!(number(&model, "/clean_rate") > 0.0);
    }
    for noise in all("alone").iter().filter(|a| a["part"] == "random") {
        assert!(number(noise, "/adjusted_rate/stored") >= 1.0);
        assert!(number(noise, "/adjusted_rate/fp16") >= 1.0);
    }
    // The same learner, whatever has leaked: the same length to the bit.
    let learned = all("prequential");
    let at = |model: &str, copies: u64| {
        let of = |p: &&serde_json::Value| p["model"] == model && p["copies"] == copies;
        number(learned.iter().find(of).expect("a code"), "/rate")
    };
    assert_eq!(at("honest", 0), at("honest", 6));
    assert_eq!(at("memoriser", 0), at("memoriser", 6));
    let taus = found.pointer("/ranks/taus").and_then(|t| t.as_array());
    assert_eq!(taus.map(Vec::len), Some(4));

    let page = fs::read_to_string(dir.path("runs/leaks/contamination.html")).expect("a page");
    assert_eq!(
        page.matches("<svg").count(),
        8,
        "four pictures in two widths"
    );
    assert!(!page.contains("NaN") && !page.contains("inf%"));

    // What is done is not done again, and says the same.
    let text = dir.run(&["contamination", "c.toml"]).status(0).stdout();
    for part in [
        "tau-b",
        "13-grams",
        "holds: No code of random bytes",
        "contamination.html",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let again = fs::read_to_string(dir.path("runs/leaks/contamination.json")).expect("JSON");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&again).ok(),
        Some(found)
    );
}

#[test]
fn a_config_without_leaks_is_refused() {
    let dir = dir();
    dir.file(
        "plain.toml",
        "[data]\nsource = \"data.txt\"\n[model]\nwidth = 8\n",
    );
    dir.run(&["contamination", "plain.toml"])
        .status(2)
        .says("[contamination]");
    let set = "data.leak.bytes=2400";
    dir.run(&["contamination", "c.toml", "--set", set])
        .status(2)
        .says("data.leak.bytes");
    let dry = dir.run(&["contamination", "c.toml", "--dry-run"]).status(0);
    assert!(dry.stdout().contains("disguise"), "{}", dry.stdout());
}
