//! A sweep from its config to its report, interrupted and continued.

use std::fs;
use std::process::Stdio;

use crate::util::Dir;

/// Four sizes, two data sizes, small enough for a test.
const CONFIG: &str = r#"
name = "tiny"
[data]
source = "data.txt"
[model]
context = 32
[train]
steps = 60
batch_bytes = 256
log_steps = 5
checkpoint_steps = 5
[sweep.grid]
model.width = [8, 12, 16, 24]
"#;

fn dir() -> Dir {
    let dir = Dir::new();
    // Text with some structure at several distances.
    let words = [
        "brevity",
        "is",
        "the",
        "soul",
        "of",
        "wit",
        "and",
        "tediousness",
    ];
    let mut text = String::new();
    let mut state = 1u32;
    while text.len() < 20_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text += words[(state >> 29) as usize];
        text += if state >> 24 & 7 == 0 { ".\n" } else { " " };
    }
    dir.file("data.txt", text);
    dir.file("c.toml", CONFIG);
    dir
}

/// The results without what may differ between runs.
fn results(dir: &Dir) -> serde_json::Value {
    let text = fs::read_to_string(dir.path("runs/tiny/results.json")).expect("results");
    let mut rows: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for row in rows.as_array_mut().expect("rows") {
        let row = row.as_object_mut().expect("an object");
        row.retain(|key, _| !["provenance", "training", "trained"].contains(&key.as_str()));
        row.retain(|key, _| !key.contains("seconds"));
    }
    rows
}

/// The models of all trials, by name.
fn models(dir: &Dir) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(dir.path("runs/tiny/trials"))
        .expect("trials")
        .map(|trial| {
            let trial = trial.expect("a trial").path();
            let name = trial
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (
                name,
                fs::read(trial.join("model.safetensors")).expect("a model"),
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_sweep_reports_the_critical_size() {
    let dir = dir();
    let ran = dir.run(&["sweep", "c.toml"]).status(0);
    let text = ran.stdout();
    // Classical coders, context models alone, and with the best of the stored models.
    for line in ["N*", "ppmd -o8", "brevity -5  ", "brevity -5 + "] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let kept = fs::read_dir(dir.path("runs/tiny")).expect("the folder");
    let mixture = kept
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().contains("mixture-"))
        .expect("the mixture's archive");
    let ran = dir.run(&["decompress", "-c", mixture.to_str().expect("UTF-8")]);
    let original = fs::read_to_string(dir.path("data.txt")).expect("the data");
    assert_eq!(ran.status(0).stdout(), original);
    // A report makes it again, without the models that are damaged.
    fs::remove_file(&mixture).expect("the archive");
    let trials = fs::read_dir(dir.path("runs/tiny/trials")).expect("trials");
    let trial = trials
        .map(|t| t.expect("a trial").path())
        .next()
        .expect("one");
    let damaged = trial.join("archive/in-sample.bvy");
    let whole = fs::read(&damaged).expect("an archive");
    fs::write(&damaged, &whole[..100]).expect("a damaged one");
    let ran = dir.run(&["report", "runs/tiny"]).status(0);
    assert!(ran.stdout().contains("brevity -5 + "), "{}", ran.stdout());
    assert!(mixture.exists());
    fs::write(&damaged, whole).expect("the archive again");
    for file in ["report.html", "results.json", "results.csv"] {
        assert!(dir.path("runs/tiny").join(file).exists(), "{file}");
    }
    let json = dir
        .run(&["critical", "runs/tiny", "--json"])
        .status(0)
        .stdout();
    let sizes: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    for field in [
        "data_bytes",
        "convention",
        "regime",
        "n_star",
        "ci95",
        "rate",
        "alpha",
    ] {
        assert!(!sizes[0][field].is_null(), "{field}");
    }
    // What is done is skipped; another config in the same folder is refused.
    dir.run(&["sweep", "c.toml"]).status(0);
    let drift = dir
        .run(&["sweep", "c.toml", "--set", "train.steps=61"])
        .status(2);
    drift.says("train.steps");
}

#[test]
fn a_sweep_checks_its_own_training() {
    let dir = dir();
    let set = ["--set", "sweep.checks=true"];
    let ran = dir.run(&["sweep", "c.toml", set[0], set[1]]).status(0);
    let text = ran.stdout();
    assert!(text.contains("2.0 times the training takes"), "{text}");
    assert!(text.contains("the best learning rate moves by"), "{text}");
    let rows = results(&dir);
    let checks = rows.as_array().expect("rows").iter();
    assert_eq!(checks.filter(|row| !row["check"].is_null()).count(), 8);
    let page = fs::read_to_string(dir.path("runs/tiny/report.html")).expect("the page");
    assert!(page.contains("4 models trained"), "{page}");
    assert!(page.contains("8 more check"), "{page}");
    let table = fs::read_to_string(dir.path("runs/tiny/results.csv")).expect("the table");
    for column in ["check.of", "check.key", "check.from", "check.to"] {
        let mut names = table.lines().next().expect("a head").split(',');
        assert!(names.any(|name| name == column), "{column}");
    }
    // They are evidence, neither points of the ladder nor candidates.
    let points = fs::read_to_string(dir.path("runs/tiny/points.csv")).expect("points");
    assert_eq!(points.lines().count(), 1 + 2 * 4, "{points}");
    let ranked = dir.run(&["select", "runs/tiny"]).status(0).stdout();
    assert!(ranked.contains("4 candidates"), "{ranked}");
    // All archives were decoded.
    assert!(
        ranked.contains("Totals are those of these bytes"),
        "{ranked}"
    );
    assert!(!ranked.contains("no archive"), "{ranked}");
}

#[test]
fn scores_are_those_of_archives_that_lie_there() {
    let dir = dir();
    dir.run(&["sweep", "c.toml"]).status(0);
    let rows = results(&dir);
    for row in rows.as_array().expect("rows") {
        let id = row["id"].as_str().expect("an id");
        let archive = format!("runs/tiny/trials/{id}/archive/in-sample.bvy");
        let length = fs::metadata(dir.path(&archive)).expect("an archive").len();
        let stored = |field: &serde_json::Value| field.as_u64().expect("a number");
        assert_eq!(
            length,
            stored(&row["stored_coded_bytes"]) + stored(&row["model_bytes"]["stored"])
        );
        dir.run(&["decompress", &archive, "-f", "-o", "back"])
            .status(0);
        let same = fs::read(dir.path("back")).ok() == fs::read(dir.path("data.txt")).ok();
        assert!(same, "{archive} holds other bytes");
    }
    // Blocks of the data are drawn for the intervals of a selection.
    let ranked = dir
        .run(&["select", "runs/tiny", "--json"])
        .status(0)
        .stdout();
    assert!(ranked.contains("\"resampled\": \"blocks\""), "{ranked}");

    let id = rows[1]["id"].as_str().expect("an id").to_owned();
    let compared = dir.run(&["ablation", "runs/tiny", "--base", &id, "--json"]);
    let compared: serde_json::Value =
        serde_json::from_str(&compared.status(0).stdout()).expect("JSON");
    let measures = compared[0]["measures"].as_array().expect("measures");
    assert!(measures.contains(&"in-sample, stored".into()), "{compared}");
    dir.run(&["ablation", "runs/tiny", "--base", "none"])
        .status(2);
}

#[test]
fn a_killed_sweep_resumes_to_the_same_results() {
    let whole = dir();
    whole.run(&["sweep", "c.toml"]).status(0);

    let killed = dir();
    for kill in 1..=6 {
        let mut child = killed
            .brevity(&["sweep", "c.toml", "--resume", "--jobs", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        // Killed at some line of the metrics, a few further each time.
        while lines(&killed) < 8 * kill {
            if child.try_wait().expect("a child").is_some() {
                break;
            }
            std::thread::yield_now();
        }
        child.kill().expect("a child to kill");
        child.wait().expect("a child");
    }
    killed.run(&["sweep", "c.toml", "--resume"]).status(0);
    assert_eq!(results(&killed), results(&whole));
    assert!(models(&killed) == models(&whole), "weights differ");
}

/// Lines of all metrics together.
fn lines(dir: &Dir) -> usize {
    let Ok(trials) = fs::read_dir(dir.path("runs/tiny/trials")) else {
        return 0;
    };
    trials
        .filter_map(|trial| fs::read_to_string(trial.ok()?.path().join("metrics.jsonl")).ok())
        .map(|text| text.lines().count())
        .sum()
}
