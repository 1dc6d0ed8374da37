//! Bad input: one clear message, status 2 for usage and config, 1 for work.

use crate::util::Dir;

const CONFIG: &str = r#"
name = "tiny"
[data]
source = "data.txt"
[model]
width = 8
context = 32
[train]
steps = 4
batch_bytes = 128
"#;

fn with_data() -> Dir {
    let dir = Dir::new();
    dir.file("data.txt", "to be, or not to be: ".repeat(100));
    dir
}

#[test]
fn no_command_is_wrong_usage() {
    Dir::new().run(&[]).status(2).says("Usage");
}

#[test]
fn an_unknown_instruction_set_is_refused() {
    let ran = Dir::new().run_on("avx1024", &["selftest"]);
    ran.status(2).says("avx1024").says("portable");
}

#[test]
fn levels_that_there_are_not_are_refused() {
    let dir = with_data();
    for level in ["-2", "-7", "-8"] {
        let ran = dir.run(&["compress", level, "data.txt"]);
        ran.status(2).says("the levels are -1, -5 and -9");
    }
    assert!(!dir.path("data.txt.bvy").exists());
}

#[test]
fn a_missing_config_is_named() {
    let ran = Dir::new().run(&["sweep", "nowhere.toml"]);
    ran.status(2).says("nowhere.toml");
}

#[test]
fn an_unknown_key_has_a_place_and_a_suggestion() {
    let dir = with_data();
    dir.file("c.toml", CONFIG.replace("width", "widht"));
    let ran = dir.run(&["sweep", "c.toml"]).status(2);
    ran.says("c.toml:6:").says("widht").says("`width`");
}

#[test]
fn heads_must_divide_the_width() {
    let dir = with_data();
    dir.file(
        "c.toml",
        CONFIG.replace("width = 8", "width = 8\nheads = 3"),
    );
    let ran = dir.run(&["sweep", "c.toml"]).status(2);
    ran.says("c.toml").says("heads").says("do not divide");
}

#[test]
fn empty_and_short_data_are_refused() {
    let dir = with_data();
    dir.file("c.toml", CONFIG);
    dir.file("data.txt", "");
    dir.run(&["sweep", "c.toml"]).status(2).says("data.txt");
    dir.file("data.txt", "short");
    dir.run(&["sweep", "c.toml"]).status(2).says("context");
}

#[test]
fn a_runs_folder_that_is_a_file_is_named() {
    let dir = with_data();
    dir.file("c.toml", CONFIG);
    dir.file("runs", "in the way");
    dir.run(&["sweep", "c.toml"]).status(1).says("runs");
}

#[test]
fn a_foreign_archive_is_refused() {
    let dir = Dir::new();
    dir.file("x.bvy", b"PK\x03\x04 certainly not one of ours");
    dir.run(&["verify", "x.bvy"]).status(1).says("x.bvy");
}

#[test]
fn lanes_without_a_model_are_refused() {
    let dir = with_data();
    dir.run(&["compress", "data.txt", "--lanes", "2"])
        .status(2)
        .says("--lanes is for a model");
    assert!(!dir.path("data.txt.bvy").exists());
}

#[test]
fn bits_without_a_model_to_store_are_refused() {
    let dir = with_data();
    dir.run(&["compress", "data.txt", "--bits", "4"])
        .status(2)
        .says("--bits is for a model that the archive stores");
    assert!(!dir.path("data.txt.bvy").exists());
}

#[test]
fn a_damaged_model_is_named_and_its_fault_told_once() {
    let dir = with_data();
    dir.file("m.safetensors", [0xff; 100]);
    let ran = dir
        .run(&["compress", "data.txt", "-m", "m.safetensors"])
        .status(1);
    let ran = ran.says("m.safetensors: not a valid safetensors file");
    assert_eq!(ran.stderr().matches("not a valid").count(), 1);
    assert!(!dir.path("data.txt.bvy").exists());
}
