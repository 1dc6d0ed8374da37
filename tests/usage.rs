//! Bad input: one clear message, status 2 for usage and config, 1 for work.

use crate::util::{Dir, Ran};
use std::fs::File;

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
fn numbers_of_bytes_have_the_same_units_everywhere() {
    let dir = with_data();
    let block = |size| ["compress", "data.txt", "-f", "--block", size];
    dir.run(&block("1K")).status(0);
    let told = dir.run(&["inspect", "--json", "data.txt.bvy"]).status(0);
    let told: serde_json::Value = serde_json::from_str(&told.stdout()).expect("JSON");
    assert_eq!(told[0]["blocks"].as_array().map(Vec::len), Some(3));
    dir.run(&block("1GiB"))
        .status(2)
        .says("more than 67108864 bytes");
    let range = ["decompress", "-c", "data.txt.bvy", "--range", "1K..1.25KiB"];
    assert_eq!(dir.run(&range).status(0).stdout().len(), 256);
    for args in [
        &["baselines", "data.txt", "--chunk", "1x"][..],
        &["score", "m", "--data", "data.txt", "--chunk", "1x"],
        &[
            "compare",
            "gzip",
            "xz",
            "--data",
            "data.txt",
            "--document",
            "1x",
        ],
        &[
            "generate", "--coder", "gzip", "--prompt", "data.txt", "--bytes", "1x",
        ],
        &["data", "stats", "data.txt", "--bytes", "1x"],
        &["compress", "data.txt", "--train", "--budget", "1x"],
        &["critical", "s", "--predict", "1x"],
        &["verify", "--memory", "1x", "a.bvy"],
    ] {
        dir.run(args)
            .status(2)
            .says("not a number of bytes such as 4096, 16K or 1.5GiB");
    }
    dir.run(&["critical", "s", "--max-parameters", "1KiB"])
        .status(2)
        .says("not a number of parameters such as 5000, 20K or 1.5M");
    dir.run(&["baselines", "data.txt", "--chunk", "1K", "--coders", "gzip"])
        .status(0);
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
fn critical_names_both_of_its_inputs() {
    let dir = Dir::new();
    dir.run(&["critical"]).status(2).says("--points FILE.csv");
}

#[test]
fn train_says_how_to_pick_one_of_several_trials() {
    let dir = with_data();
    dir.file(
        "c.toml",
        format!("{CONFIG}[sweep.grid]\nmodel.width = [8, 12]\n"),
    );
    dir.run(&["train", "c.toml"])
        .status(2)
        .says("c.toml has 2 trials: run them with `brevity sweep`, or one with")
        .says("--set 'sweep.grid.model.width=[8]'");
    let one = ["train", "c.toml", "--set", "sweep.grid.model.width=[8]"];
    dir.run(&one).status(0);
}

#[test]
fn a_plan_is_not_shown_in_place_of_being_written() {
    let dir = with_data();
    dir.file("c.toml", CONFIG);
    dir.run(&["sweep", "c.toml", "--dry-run", "--plan", "-"])
        .status(2)
        .says("cannot be used with '--plan");
}

#[test]
fn select_and_prequential_name_what_they_take() {
    let dir = Dir::new();
    dir.run(&["select"]).status(2).says("--table FILE");
    dir.run(&["prequential"]).status(2).says("--log FILE");
}

#[test]
fn parameters_that_a_table_does_not_say_are_unknown() {
    let dir = Dir::new();
    let models = "model,model_bytes,data_bits,data_bytes\na,90,2000,1000\nb,20,3000,1000\n";
    dir.file("m.csv", models);
    let json = dir.run(&["select", "--table", "m.csv", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.status(0).stdout()).expect("JSON");
    for candidate in json[0]["candidates"].as_array().expect("candidates") {
        assert!(candidate["parameters"].is_null(), "{candidate}");
    }
    let shown = dir.run(&["select", "--table", "m.csv"]).status(0).stdout();
    assert!(!shown.contains(" 0 "), "{shown}");
}

#[test]
fn what_would_be_ignored_is_refused() {
    let dir = with_data();
    for (args, said) in [
        (&["compress", "-d", "--train", "x.bvy"][..], "--train"),
        (&["compress", "-t", "--bits", "4", "x.bvy"], "--bits"),
        (&["compress", "-l", "--block", "4096", "x.bvy"], "--block"),
        (
            &["compress", "data.txt", "-m", "m", "--method", "raw"],
            "uses no model",
        ),
        (
            &[
                "score",
                "--predictor",
                "x",
                "--data",
                "data.txt",
                "--map",
                "m.html",
            ],
            "not for predictors",
        ),
    ] {
        dir.run(args).status(2).says(said);
    }
    // As with gzip and xz.
    let ran = dir.run(&["compress", "-d9", "none.bvy"]).status(1);
    ran.says("cannot read none.bvy");
}

#[test]
fn a_table_in_place_of_a_sweep_is_pointed_to_its_option() {
    let dir = Dir::new();
    for (command, option) in [("critical", "--points"), ("select", "--table")] {
        for table in ["p.csv", "-"] {
            let said = format!("is read with {option} {table}");
            dir.run(&[command, table]).status(2).says(&said);
        }
    }
}

#[test]
fn tables_are_read_from_standard_input() {
    let dir = Dir::new();
    let mut points = "parameters,data_bytes,bits_per_byte\n".to_owned();
    for i in 0..6 {
        let parameters = 1e4 * 2f64.powi(i);
        let bits = 2.0 + 60.0 * parameters.powf(-0.4);
        points += &format!("{parameters},1000000,{bits:.6}\n");
    }
    dir.file("p.csv", points);
    let models = "model,model_bytes,data_bits,data_bytes\na,90,2000,1000\nb,20,3000,1000\n";
    dir.file("m.csv", models);
    dir.file("bad.csv", "model\n");
    for (command, option, table) in [
        ("critical", "--points", "p.csv"),
        ("select", "--table", "m.csv"),
    ] {
        let piped = |table: &str| {
            let args = [command, option, "-", "--json"];
            let mut command = dir.brevity(&args);
            let input = File::open(dir.path(table)).expect("the table");
            let output = command.stdin(input).output();
            Ran::new(&args, output.expect("the command starts"))
        };
        let named = dir.run(&[command, option, table, "--json"]).status(0);
        let piped_one = piped(table).status(0).stdout();
        // A ranking names where the table came from.
        assert_eq!(piped_one.replace("standard input", table), named.stdout());
        piped("bad.csv").status(1).says("standard input: line 1");
    }
}

#[test]
fn points_that_are_left_out_are_told_where_too_few_are_left() {
    let dir = Dir::new();
    let mut table = "parameters,data_bytes,bits_per_byte\n".to_owned();
    for (parameters, bits) in [(1000, 3.0), (2000, 2.8), (4000, 2.7), (8000, 2.65)] {
        table += &format!("{parameters},1000000,{bits}\n");
    }
    dir.file("p.csv", table);
    let with = |most: &str| dir.run(&["critical", "--points", "p.csv", "--max-parameters", most]);
    with("500")
        .status(2)
        .says("--max-parameters 500 leaves out all 4 points: the smallest has 1000 parameters");
    with("2K")
        .status(1)
        .says("--max-parameters 2000 leaves out 2 of 4 points: ")
        .says("2 distinct model sizes");
    let all = with("1M").status(0).stderr();
    assert!(!all.contains("leaves out"), "{all}");
}

/// The trials that a run with the same options would take.
#[test]
fn a_dry_run_lists_the_trials_that_are_asked_for() {
    let dir = with_data();
    dir.file("c.toml", format!("{CONFIG}[sweep]\nseeds = [0, 1, 2]\n"));
    let listed = |options: &[&str]| {
        let args = [&["sweep", "c.toml", "--dry-run", "--json"], options].concat();
        let told = dir.run(&args).status(0).stdout();
        let rows: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| row["seed"].as_u64().expect("a seed"))
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]), [0, 1, 2]);
    assert_eq!(listed(&["--shard", "1/2"]), [0, 2]);
    let args = ["sweep", "c.toml", "--dry-run", "--trial", "x"];
    dir.run(&args).status(2).says("has no trial `x`");
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
