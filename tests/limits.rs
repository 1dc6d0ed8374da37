//! What decoding asks for is told, and refused beyond a limit, before it is spent.

use crate::util::Dir;
use std::path::Path;

fn hostile(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    std::fs::read(folder.join(name)).expect("a file of the tests")
}

/// Four kilobytes whose recipe asks for months of training.
#[test]
fn work_is_told_and_bounded() {
    let dir = Dir::new();
    dir.file("cpu.bvy", hostile("p_cpu4K.bvy"));
    for command in ["decompress", "verify"] {
        dir.run(&[command, "cpu.bvy"]).status(1).says("--work");
    }
    // From a pipe it is found block by block.
    let piped = dir.shell(&format!(
        "{} decompress -c - < cpu.bvy | wc -c",
        env!("CARGO_BIN_EXE_brevity")
    ));
    assert!(String::from_utf8_lossy(&piped.stderr).contains("--work"));
    let told = dir.run(&["inspect", "cpu.bvy"]).status(0).stdout();
    let line = told.lines().find(|line| line.contains("decoding takes"));
    let line = line.unwrap_or_else(|| panic!("{told}"));
    assert!(
        line.contains("operations") && line.contains("memory"),
        "{line}"
    );
    assert!(line.contains(" d") || line.contains("years"), "{line}");
    let json = dir
        .run(&["inspect", "--json", "cpu.bvy"])
        .status(0)
        .stdout();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let operations = json[0]["decoding"]["operations"]
        .as_f64()
        .expect("a number");
    assert!(operations > 1e16, "{operations}");
}

/// The sum of its buffers is beyond 64 bits.
#[test]
fn memory_is_told_and_bounded() {
    let dir = Dir::new();
    dir.file("wrap.bvy", hostile("r_wrap.bvy"));
    dir.run(&["decompress", "wrap.bvy"])
        .status(1)
        .says("--memory");
    dir.file(
        "small.txt",
        "it is small, and so is what it takes".repeat(9),
    );
    dir.run(&["compress", "small.txt"]).status(0);
    dir.run(&["verify", "--memory", "64KiB", "small.txt.bvy"])
        .status(1)
        .says("--memory");
    for enough in ["1GiB", "none"] {
        dir.run(&["verify", "--memory", enough, "small.txt.bvy"])
            .status(0);
    }
    dir.run(&["verify", "--memory", "much", "small.txt.bvy"])
        .status(2);
}

#[test]
fn no_version_is_newer_than_it_is() {
    let dir = Dir::new();
    dir.file("old.bvy", b"\xb7bv\x00\x00\x00");
    let old = dir.run(&["inspect", "old.bvy"]).status(1).says("version 0");
    assert!(!old.stderr().contains("newer"), "{}", old.stderr());
}

/// A step over a billion bytes keeps terabytes for its backward pass.
#[cfg(target_os = "linux")]
#[test]
fn training_that_does_not_fit_is_told_and_refused() {
    let dir = Dir::new();
    dir.file("d.txt", "all the world's a stage, ".repeat(800));
    dir.file(
        "c.toml",
        "name = \"big\"\ndata.source = \"d.txt\"\n[model]\nwidth = 16\ncontext = 64\n\
         [train]\nbatch_bytes = 1000000000\nsteps = 2\n",
    );
    let told = dir
        .run(&["sweep", "c.toml", "--dry-run"])
        .status(0)
        .stdout();
    let line = "1 of these need more memory than this machine has";
    assert!(told.contains(line), "{told}");
    dir.run(&["sweep", "c.toml"])
        .status(1)
        .says("make train.batch_bytes (1000000000) smaller");
}
