//! `brevity prequential --log`: loss logs of other programs.

use crate::util::{Dir, Ran};
use std::fs::File;

fn log(line: impl Fn(f64) -> String) -> String {
    (1..=50).map(|i| line(f64::from(i))).collect()
}

#[test]
fn logs_are_integrated() {
    let dir = Dir::new();
    dir.file(
        "log.jsonl",
        log(|i| {
            format!(
                "{{\"step\": {i}, \"loss\": {}, \"epoch\": {}}}\n",
                1.0 + 1.0 / i,
                i / 100.0
            )
        }),
    );
    let args = [
        "prequential",
        "--log",
        "log.jsonl",
        "--unit",
        "nats-per-token",
        "--per-step",
        "100",
        "--bytes-per-token",
        "4",
    ];
    let said = dir
        .run(&[&args[..], &["--json"]].concat())
        .status(0)
        .stdout();
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        (&json["data_bytes"], &json["single_pass"]),
        (&20000.0.into(), &"epochs".into())
    );
    let number = |path: &str| json.pointer(path).and_then(|v| v.as_f64()).expect(path);
    // More than the sum from the right, for the loss falls.
    let sum: f64 = (1..=50).map(|i| 1.0 + 1.0 / f64::from(i)).sum();
    let least = std::f64::consts::LOG2_E * 100.0 * sum;
    let found = number("/data_bits");
    assert!(least < found && found < 1.2 * least, "{json}");
    assert!(number("/data_bits_range/0") < found && found < number("/data_bits_range/1"));
    let table = dir.run(&args).status(0).stdout();
    assert!(
        table.contains("one pass, by its epochs") && table.contains("estimate"),
        "{table}"
    );
}

#[test]
fn what_is_no_length_is_refused() {
    let dir = Dir::new();
    dir.file(
        "many.csv",
        format!(
            "bytes,bpb,epoch\n{}",
            log(|i| format!("{i}000,2,{}\n", i / 10.0))
        ),
    );
    let run = |args: &[&str]| dir.run(&[&["prequential", "--log"], args].concat());
    run(&["many.csv"]).status(1).says("saw its data 5.00 times");
    let said = run(&["many.csv", "--many-passes"]).status(0).stdout();
    assert!(said.contains("no code length"), "{said}");
    dir.file("back.csv", "bytes,bpb\n1000,3\n2000,2\n1500,2\n");
    run(&["back.csv"])
        .status(1)
        .says("line 4: `bytes` goes back from 2000 to 1500");
    run(&["none.csv"]).status(1).says("cannot read none.csv");
    dir.run(&["prequential"]).status(2);
    dir.run(&["prequential", "--averaged", "x.toml"])
        .status(2)
        .says("--log");
}

#[test]
fn options_of_trials_are_refused() {
    let dir = Dir::new();
    dir.file("log.csv", "bytes,bpb\n1000,3\n2000,2\n3000,2\n");
    for given in [
        &["x.toml"][..],
        &["--out", "runs/x"],
        &["--set", "seed=1"],
        &["--resume"],
        &["--beside", "runs/y"],
        &["--dry-run"],
        &["--device", "flex"],
        &["--threads", "2"],
        &["--plan", "-"],
        &["--tasks", "3"],
    ] {
        dir.run(&[&["prequential", "--log", "log.csv"], given].concat())
            .status(2)
            .says("cannot be used with");
    }
}

#[test]
fn a_dash_is_the_log_on_standard_input() {
    let dir = Dir::new();
    let log = dir.file("log.csv", "bytes,bpb\n1000,3\n2000,2\n3000,2\n");
    let bits = |file: &str| {
        let args = ["prequential", "--log", file, "--json"];
        let mut command = dir.brevity(&args);
        let output = command.stdin(File::open(&log).expect("the log")).output();
        let said = Ran::new(&args, output.expect("the command starts"))
            .status(0)
            .stdout();
        let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        json["data_bits"].as_f64().expect("bits")
    };
    assert_eq!(bits("-"), bits("log.csv"));
}
