//! What the main commands print, whole: a change is to be looked at. `CONTRIBUTING.md`
//! says how a snapshot is renewed.

use crate::snapshot::assert_snapshot;
use crate::util::Dir;

const TEXT: &str = "how much wood would a woodchuck chuck if a woodchuck could chuck wood\n";

/// A table of models on a law that is known: bits per byte fall as `N^-0.4`.
fn table() -> String {
    let mut table = "parameters,data_bytes,bits_per_byte\n".to_owned();
    for i in 0..8 {
        let parameters = 1e4 * 2f64.powi(i);
        let bits = 2.0 + 60.0 * parameters.powf(-0.4);
        table += &format!("{parameters},1000000,{bits:.6}\n");
    }
    table
}

#[test]
fn help() {
    let dir = Dir::new();
    let mut command = dir.brevity(&["--help"]);
    let output = command.env("COLUMNS", "100").output().expect("it starts");
    assert_snapshot("help", &String::from_utf8_lossy(&output.stdout));
}

#[test]
fn compress_and_inspect() {
    let dir = Dir::new();
    dir.file("woodchuck.txt", TEXT.repeat(50));
    // Raw blocks: what the context models make of a text is for the tests of the codec.
    let ran = dir
        .run(&["compress", "woodchuck.txt", "--method", "raw"])
        .status(0);
    assert_snapshot("compress", &ran.stderr());
    let ran = dir.run(&["inspect", "woodchuck.txt.bvy", "--entropy"]);
    assert_snapshot("inspect", &ran.status(0).stdout());
    let ran = dir.run(&["inspect", "woodchuck.txt.bvy", "--json"]);
    assert_snapshot("inspect_json", &ran.status(0).stdout());
}

#[test]
fn critical() {
    let dir = Dir::new();
    dir.file("table.csv", table());
    let ran = dir.run(&["critical", "--points", "table.csv", "--resamples", "200"]);
    assert_snapshot("critical", &ran.status(0).stdout());
}

#[test]
fn data_stats() {
    let dir = Dir::new();
    dir.file("woodchuck.txt", TEXT.repeat(50));
    let ran = dir.run(&["data", "stats", "woodchuck.txt"]);
    assert_snapshot("data_stats", &ran.status(0).stdout());
}

#[test]
fn baselines() {
    let dir = Dir::new();
    dir.file("woodchuck.txt", TEXT.repeat(50));
    let ran = dir.run(&["baselines", "woodchuck.txt", "--chunk", "512"]);
    assert_snapshot("baselines", &ran.status(0).stdout());
}

#[test]
fn errors_tell_the_whole_chain_once() {
    let dir = Dir::new();
    dir.file("damaged.safetensors", [0xff; 100]);
    dir.file("text", "text");
    let mut told = String::new();
    for args in [
        &["compress", "nowhere"][..],
        &["compress", "text", "-m", "nowhere.safetensors"],
        &["compress", "text", "-m", "damaged.safetensors"],
        &["verify", "text"],
        &["critical", "nowhere"],
        &["critical", "--points", "nowhere.csv"],
        &["sweep", "nowhere.toml"],
        &["table", "nowhere.toml"],
        &["score", "damaged.safetensors", "--data", "text"],
        &["baselines", "nowhere"],
        &["report", "nowhere"],
    ] {
        told += &format!("$ brevity {}\n{}", args.join(" "), dir.run(args).stderr());
    }
    assert_snapshot("errors", &told);
}
