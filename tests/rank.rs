//! `brevity rank`: models on dated texts.

use crate::util::{Dir, lines, number};
use serde_json::Value;

/// Two sets, a model that learned the second and a coder.
fn config(dir: &Dir, more: &str) {
    let text = lines(40_000);
    dir.file("old.txt", &text[..12_000]);
    dir.file("new.txt", &text[12_000..20_000]);
    dir.file("clean.txt", &text[20_000..]);
    let train = "name = \"tiny\"\n[data]\nsource = \"old.txt\"\n[model]\nwidth = 8\ncontext = 64\n\
                 [train]\nsteps = 20\nbatch_bytes = 256\n[score]\nverify = false\n";
    dir.file("train.toml", train);
    let config = format!(
        "title = 'Lines & dates'\n{more}\n\
         [[set]]\nname = 'old'\ndate = 2026-01-01\nsource = 'old.txt'\ndocument = 256\n\
         reference = 'clean.txt,bytes=12000'\n\
         [[set]]\nname = 'new'\ndate = '2026-06-01'\nsource = 'new.txt'\nseparator = \"4\\n\"\n\
         [[model]]\nname = 'ours'\npath = 'model.safetensors'\ncutoff = 2026-03-01\n\
         trained_on = 'old.txt'\n\
         [[model]]\nname = 'PPMd'\ncoder = 'ppmd'\n\
         [[model]]\nname = 'gzip'\ncoder = 'gzip'\n"
    );
    dir.file("fresh.toml", config);
}

fn trained(dir: &Dir) {
    let said = dir.run(&["train", "train.toml"]).status(0).stdout();
    let path = said.lines().last().expect("a path").trim();
    std::fs::copy(dir.path(path), dir.path("model.safetensors")).expect("a model");
}

#[test]
fn models_are_ranked_on_raw_bytes_with_intervals_and_detectors() {
    let dir = Dir::new();
    config(&dir, "");
    trained(&dir);
    let args = ["rank", "fresh.toml", "--out", "out", "--json"];
    let json: Value = serde_json::from_str(&dir.run(&args).status(0).stdout()).expect("JSON");
    let models = json["models"].as_array().expect("models");
    let rates: Vec<f64> = models.iter().map(|m| number(m, "/bits_per_byte")).collect();
    assert!(rates.is_sorted() && models.len() == 3, "{rates:?}");
    let of = |name: &str| models.iter().find(|m| m["name"] == name).expect("a model");

    // The old set is made of whole contexts: its length is that of `score`.
    let ours = of("ours");
    let score = [
        "score",
        "model.safetensors",
        "--data",
        "old.txt",
        "--estimate",
        "--json",
    ];
    let score: Value = serde_json::from_str(&dir.run(&score).status(0).stdout()).expect("JSON");
    let (found, scored) = (
        number(ours, "/sets/0/bits_per_byte"),
        number(&score, "/bits_per_byte"),
    );
    assert!((found - scored).abs() < 1e-6, "{found} {scored}");
    for model in models {
        let [low, high] = [0, 1].map(|i| number(model, &format!("/ci95/{i}")));
        let rate = number(model, "/bits_per_byte");
        assert!(low < rate && rate < high, "{model}");
        let sets = model["sets"].as_array().expect("sets");
        let mean: f64 = sets
            .iter()
            .map(|s| number(s, "/bits_per_byte"))
            .sum::<f64>()
            / 2.0;
        assert!((mean - rate).abs() < 1e-9);
    }
    // A coder's stream is that of the whole set.
    let ppmd: Value = {
        let said = dir
            .run(&["baselines", "old.txt", "--json"])
            .status(0)
            .stdout();
        serde_json::from_str(&said).expect("JSON")
    };
    let coders = ppmd[0]["results"].as_array().expect("coders");
    let stream = coders
        .iter()
        .find(|c| c["coder"] == "ppmd -o8")
        .expect("PPMd");
    assert_eq!(
        (number(of("PPMd"), "/sets/0/data_bits") / 8.0).round(),
        number(stream, "/bytes")
    );
    // Model and coded bytes, over the raw bytes of both sets.
    assert!(number(ours, "/adjusted_rate") > number(ours, "/model_bytes") / 20_000.0);
    assert_eq!(ours["convention"], "stored");
    assert_eq!(
        [&ours["sets"][0]["fresh"], &ours["sets"][1]["fresh"]],
        [false, true]
    );
    assert_eq!(number(ours, "/sets/0/overlap/in_long_matches"), 1.0);
    let detectors = ours["sets"][0]["detectors"].as_array().expect("detectors");
    let shares = |name: &str, of: &str| {
        let one = detectors
            .iter()
            .find(|one| one["name"] == name)
            .expect("a detector");
        number(one, &format!("/{of}"))
    };
    // Every sixth word is missing: spaced seeds still find the copies.
    assert_eq!(
        [shares("8-grams", "set"), shares("8-grams", "trained")],
        [1.0, 1.0]
    );
    assert!(shares("8-grams", "edited") < 0.1 && shares("spaced seeds", "edited") > 0.9);
    assert!(shares("13-grams", "clean") < 0.1);
    for name in ["Min-K%++", "CoDeC"] {
        for of in ["set", "clean", "trained", "edited"] {
            assert!((0.0..=1.0).contains(&shares(name, of)), "{name} {of}");
        }
    }
    assert_eq!(json["correlations"].as_array().map(Vec::len), Some(1));

    let read = |name: &str| std::fs::read_to_string(dir.path(name)).expect("a file");
    let page = read("out/rank.html");
    for part in [
        "Lines &amp; dates",
        "old (2026-01-01)",
        "Detectors",
        "* ours learned",
        "CoDeC",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("src=") && !page.contains("<script"));
    assert_eq!(read("out/rank.csv").lines().count(), 1 + 3 * 2);
    let text = dir
        .run(&["rank", "fresh.toml", "--out", "out"])
        .status(0)
        .stdout();
    assert!(
        text.contains("Kendall") && text.contains("out/rank.html"),
        "{text}"
    );
}

#[test]
fn a_shorter_stride_gives_more_to_see() {
    let dir = Dir::new();
    config(&dir, "");
    trained(&dir);
    let rate = |dir: &Dir| {
        let args = ["rank", "fresh.toml", "--out", "out", "--json"];
        let json: Value = serde_json::from_str(&dir.run(&args).status(0).stdout()).expect("JSON");
        let models = json["models"].as_array().expect("models").clone();
        let ours = models
            .iter()
            .find(|m| m["name"] == "ours")
            .expect("ours")
            .clone();
        (number(&ours, "/bits_per_byte"), number(&ours, "/stride"))
    };
    let (whole, stride) = rate(&dir);
    assert_eq!(stride, 64.0);
    config(&dir, "stride = 16");
    let (sliding, stride) = rate(&dir);
    assert_eq!(stride, 16.0);
    assert!(sliding < whole, "{sliding} {whole}");
}

#[test]
fn what_a_config_cannot_say_is_told() {
    let dir = Dir::new();
    dir.file("text", "text");
    let set = "[[set]]\nname = 's'\nsource = 'text'\n";
    let coder = "[[model]]\nname = 'm'\ncoder = 'gzip'\n";
    for (config, says) in [
        (format!("{set}date = 2026-02-30\n{coder}"), "line 4"),
        (format!("{set}date = 'May'\n{coder}"), "`May` is no day"),
        (
            format!("{set}[[model]]\nname = 'm'\n"),
            "exactly one of `path`",
        ),
        (
            format!("{set}{coder}model_bytes = 7\n"),
            "model.0.model_bytes",
        ),
        (
            format!("{set}[[model]]\nname = 'm'\ncoder = 'zop'\n"),
            "zop",
        ),
        (format!("{set}{set}{coder}"), "`s` is defined twice"),
        (format!("{set}dokument = 7\n{coder}"), "dokument"),
        (format!("stride = 0\n{set}{coder}"), "stride: 0 bytes"),
        (
            format!("{set}reference = 'text,byte=1'\n{coder}"),
            "set.0.reference",
        ),
    ] {
        dir.file("c.toml", config);
        dir.run(&["rank", "c.toml"]).status(2).says(says);
    }
    dir.run(&["rank", "nothing.toml"])
        .status(2)
        .says("nothing.toml");
    dir.file(
        "c.toml",
        format!("{set}[[model]]\nname = 'm'\npath = 'text'\n"),
    );
    dir.run(&["rank", "c.toml"])
        .status(1)
        .says("cannot use the model m");
    dir.file(
        "c.toml",
        format!("{set}[[model]]\nname = 'm'\npredictor = 'true'\n"),
    );
    dir.run(&["rank", "c.toml"])
        .status(1)
        .says("cannot use the model m");
}
