//! Byte sets times coders times models.

use std::fs;

use crate::util::Dir;

/// Two sets, two coders, a model on each set and on both.
const CONFIG: &str = r#"
name = "tiny"
title = "Two & two"
chunk = 512
lengths = [32, 512]
[[set]]
name = "lines"
source = "lines.txt"
holdout = { bytes = 2000 }
[[set]]
name = "noise"
source = "random"
bytes = 6000
paper = "random"
[[set]]
name = "absent"
source = "enwik8"
optional = true
[coders]
whole = ["gzip -9"]
chunks = ["gzip -9", "png 32"]
[[model]]
name = "small"
learns = ["lines", "lines+noise", "absent"]
spec = { width = 8, context = 64 }
train = { steps = 30, batch_bytes = 256 }
"#;

fn dir() -> Dir {
    let dir = Dir::new();
    let line = |i: usize| format!("line {} of {i}\n", i * i % 997);
    let text: String = (0..800).map(line).collect();
    dir.file("lines.txt", &text[..8000]);
    dir.file("t.toml", CONFIG);
    dir
}

#[test]
fn a_table_has_every_cell_and_is_made_once() {
    let dir = dir();
    let table = ["table", "t.toml", "--json"];
    let json = dir.run(&table).status(0).stdout();
    let matrix: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let rows = matrix["rows"].as_array().expect("rows");
    let names: Vec<_> = rows.iter().filter_map(|r| r["name"].as_str()).collect();
    let models = ["small on lines", "small on lines+noise"];
    let coders = ["gzip -9", "gzip -9", "gzip -9", "png 32", "png 32"];
    assert_eq!(names, [&coders[..], &models].concat());
    let cell = |row: usize, column: usize| &rows[row]["cells"][column];
    let rate = |row: usize, column: usize, kind: &str| {
        let value = cell(row, column)[kind].as_f64();
        value.unwrap_or_else(|| panic!("{kind} in {}", cell(row, column)))
    };
    assert_eq!(cell(5, 0)["regime"], "held-out");
    assert_eq!(cell(5, 1)["regime"], "shifted");
    assert_eq!(cell(6, 1)["regime"], "overlap");
    for row in 0..rows.len() {
        assert_eq!(cell(row, 0)["bytes"], 2000);
        assert_eq!(cell(row, 0)["decoded"], true);
        // Nothing shortens noise.
        assert!(rate(row, 1, "adjusted") >= 1.0, "row {row}");
    }
    // The model is charged to the 6000 bytes it learned from.
    let parameters = rows[5]["parameters"].as_f64().expect("a count");
    let model = rate(5, 0, "adjusted") - rate(5, 0, "raw");
    assert!((model - 2.0 * parameters / 6000.0).abs() < 1e-9);
    // Bytes of another source, and a set that it learned a part of, pay for all of it.
    for (row, column) in [(5, 1), (6, 1)] {
        let bytes = cell(row, column)["bytes"].as_f64().expect("a count");
        let model = rate(row, column, "adjusted") - rate(row, column, "raw");
        assert!((model - 2.0 * parameters / bytes).abs() < 1e-9, "row {row}");
    }
    assert!(rate(1, 0, "raw") > rate(2, 0, "raw"), "headers count once");

    // A second run has nothing to train.
    let model = dir.path("runs/tiny/models/small-on-lines/model.safetensors");
    let before = fs::metadata(&model)
        .and_then(|m| m.modified())
        .expect("a model");
    assert_eq!(dir.run(&table).status(0).stdout(), json);
    let after = fs::metadata(&model)
        .and_then(|m| m.modified())
        .expect("a model");
    assert_eq!(before, after);

    let text = dir.run(&["table", "t.toml"]).status(0).stdout();
    assert!(text.contains("absent is left out") && text.contains("brevity data fetch"));
    assert!(
        text.contains("100.1"),
        "the paper's gzip on random bytes: {text}"
    );
    let page = fs::read_to_string(dir.path("runs/tiny/table.html")).expect("a page");
    assert!(page.contains("Two &amp; two") && page.contains("Chinchilla 70B"));
    assert!(!page.contains("src=") && !page.contains("<script"));
    let csv = fs::read_to_string(dir.path("runs/tiny/table.csv")).expect("CSV");
    assert_eq!(csv.lines().count(), 1 + 7 * 2);

    // Two coders counted twice and two models, on two sets, at two lengths.
    let curves = fs::read_to_string(dir.path("runs/tiny/curves.csv")).expect("CSV");
    assert_eq!(curves.lines().count(), 1 + 6 * 2 * 2);
    let of = |row: &str| -> Vec<f64> {
        let lines = curves.lines().filter(|line| line.starts_with(row));
        let lines = lines.filter(|line| line.contains(",lines,"));
        let rate = |line: &str| line.rsplit_once(',')?.1.parse().ok();
        lines.map(|line| rate(line).expect("a rate")).collect()
    };
    // Headers weigh less on longer pieces; a model has none.
    let [short, long] = of("gzip -9,false")[..] else {
        panic!("{curves}")
    };
    assert!(short > 1.0 && long < 0.6, "{curves}");
    let known = of("small on lines,");
    assert!(known.len() == 2 && known[0] < 1.0, "{curves}");
    for set in ["lines", "noise"] {
        let picture = dir.path(&format!("runs/tiny/curve-{set}.svg"));
        let picture = fs::read_to_string(picture).expect("a picture");
        assert!(picture.contains("small on lines+noise"));
    }
    assert!(text.contains("first bytes of each chunk of noise"));

    // Of a set that is no longer there, nothing is left but what is not the table's.
    dir.file("runs/tiny/curve-mine.svg", "");
    let second =
        "[[set]]\nname = \"noise\"\nsource = \"random\"\nbytes = 6000\npaper = \"random\"\n";
    let fewer = CONFIG.replace(second, "").replace("\"lines+noise\", ", "");
    dir.file("t.toml", fewer);
    dir.run(&table).status(0);
    let is_there = |set| dir.path(&format!("runs/tiny/curve-{set}.svg")).exists();
    assert!(is_there("lines") && is_there("mine") && !is_there("noise"));
}

#[test]
fn bad_tables_are_usage_errors_with_their_place() {
    let dir = dir();
    for (from, to, needle) in [
        ("chunk = 512", "chonk = 512", "chonk"),
        ("chunk = 512", "chunk = 0", "chunk"),
        (
            "chunk = 512",
            "chunk = 100_000_000_000",
            "chunk: 100000000000 bytes",
        ),
        ("\"gzip -9\", \"png 32\"", "", "at least one coder"),
        ("whole = [\"gzip -9\"]", "whole = []", "at least one coder"),
        (
            "\"random\"\n[[set]]",
            "\"randon\"\n[[set]]",
            "set.1.paper: the paper's table has no",
        ),
        (
            "learns = ",
            "paper = \"Transformer 9T\"\nlearns = ",
            "model.0.paper: the paper's table has no `Transformer 9T`; it has ",
        ),
        ("[32, 512]", "[32, 513]", "lengths"),
        ("[32, 512]", "[0, 512]", "lengths"),
        ("[32, 512]", "[64, 64]", "lengths"),
        ("[32, 512]", "[512]", "lengths"),
        ("\"lines\", ", "\"lives\", ", "lives"),
        ("width = 8", "width = 0", "model.0.spec.width"),
        ("\"png 32\"", "\"gif\"", "gif"),
        ("name = \"noise\"", "name = \"lines\"", "twice"),
        ("lines.txt", "missing.txt", "set.0.source: no file"),
        (
            "name = \"lines\"\n",
            "name = \"lines\"\noffset = 1000000000\n",
            "set.0.offset: ",
        ),
    ] {
        dir.file("bad.toml", CONFIG.replacen(from, to, 1));
        dir.run(&["table", "bad.toml"]).status(2).says(needle);
    }
}

#[test]
fn what_a_row_names_and_is_not_there_is_an_error_with_its_field() {
    let dir = dir();
    for (row, field) in [
        (
            "[[pretrained]]\nname = \"p\"\npath = \"none\"\n",
            "pretrained.0.path: none: ",
        ),
        (
            "[[predictor]]\nname = \"p\"\ncommand = \"./none\"\nparameters = 1\n",
            "predictor.0.command: ",
        ),
    ] {
        let sets = CONFIG.split_once("[[model]]").expect("a model").0;
        dir.file("bad.toml", format!("{sets}{row}"));
        dir.run(&["table", "bad.toml"]).status(1).says(field);
    }
}
