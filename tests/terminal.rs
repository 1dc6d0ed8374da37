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
fn a_law_of_a_table_of_tokens_and_its_picture() {
    let dir = Dir::new();
    let mut table = String::from("N,train_tokens,nats,run\n");
    for data in [1e6, 1e7, 1e8] {
        for step in 0..6 {
            let n = 1e4 * f64::powi(2.0, step);
            let bits = 1.2 + 20.0 * n.powf(-0.3) + 30.0 * f64::powf(data, -0.35);
            let nats = 4.0 * bits * std::f64::consts::LN_2;
            table += &format!("{n},{},{nats},a\n", data / 4.0);
        }
    }
    // A series of one size has no law; the other one has.
    table += "1000,1e6,9.5,b\n";
    dir.file("table.csv", table);
    let ran = dir.run(&[
        "critical",
        "--points",
        "table.csv",
        "--column",
        "parameters=N",
        "--column",
        "tokens=train_tokens",
        "--column",
        "nats_per_token=nats",
        "--column",
        "source=run",
        "--bytes-per-token",
        "4",
        "--svg",
        "law.svg",
        "--resamples",
        "40",
    ]);
    let ran = ran.status(0);
    let (out, noted) = (ran.stdout(), ran.stderr());
    assert!(
        out.contains("1.2000 + 20.0000 N^-0.3000 + 30.0000 D^-0.3500"),
        "{out}"
    );
    assert!(out.contains("(N D)^0.538"), "{out}");
    assert!(out.contains("losses at 100 MB of data"), "{out}");
    assert!(
        noted.contains("b, 4 MB, fp16: 1 distinct model sizes"),
        "{noted}"
    );
    let picture = std::fs::read_to_string(dir.path("law.svg")).unwrap();
    assert!(picture.contains("N* grows as D^0.77"), "{picture}");
    let one = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/quickstart.csv");
    let one = dir.run(&["critical", "--points", one, "--law"]).status(0);
    let growth = "one data size shows no growth; by alpha alone, N* grows as D^0.";
    assert!(one.stdout().contains(growth), "{}", one.stdout());
    let missing = dir.run(&["critical", "--points", "table.csv"]);
    let said = missing.status(1).stderr();
    assert!(
        said.contains("no column `parameters`; the header has N, train_tokens"),
        "{said}"
    );
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
