//! Reports made from a sweep's folder.

use brevity_lab::experiments::two_part::{Report, measure_baselines, read_baselines};
use brevity_stats::critical::{Estimator, critical_sizes, points::parse_csv};
use serde_json::{Value, json};

const DATA: u64 = 60_000;

/// A finished sweep over `DATA` bytes of random numbers with two conventions,
/// and one failed trial.
fn rows(hash: &str) -> Vec<Value> {
    let mut rows: Vec<Value> = (0..7)
        .map(|i| {
            let n = 1000 << i;
            let bits = 1.0 + 30.0 * f64::from(n).powf(-0.35);
            let (fp16, stored) = (2.0 * f64::from(n), 300.0 + 0.6 * f64::from(n));
            json!({
                "id": format!("trial{i}"), "axes": {"model.width": 8 << i}, "seed": 0,
                "parameters": n, "state": "done", "regime": "in-sample",
                "data": {"source": "random", "bytes": DATA, "hash": hash},
                "bits_per_byte": bits, "raw_rate": bits / 8.0,
                "model_bytes": {"fp16": fp16, "stored": stored},
                "adjusted_rate": {
                    "fp16": bits / 8.0 + fp16 / DATA as f64,
                    "stored": bits / 8.0 + stored / DATA as f64,
                },
                "estimate": true, "verified": false,
                "provenance": {"version": "0.1.0", "threads": 2},
            })
        })
        .collect();
    rows.push(json!({
        "id": "bad", "axes": {"model.width": "<b>"}, "seed": 0, "parameters": 5,
        "state": "failed", "data": {"source": "random", "bytes": DATA, "hash": null},
    }));
    rows
}

fn sweep(hash: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: Value| {
        std::fs::write(folder.path().join(name), value.to_string()).unwrap();
    };
    write("results.json", rows(hash).into());
    write(
        "manifest.json",
        json!({"name": "tiny & quick", "trials": [
            {"config": {"data": {"source": "random", "bytes": DATA}}}
        ]}),
    );
    folder
}

/// Of the bytes of the sweep's manifest.
fn hash() -> String {
    let config: brevity_data::DataConfig =
        serde_json::from_value(json!({"source": "random", "bytes": DATA})).unwrap();
    config.load().unwrap().train.blake3().to_owned()
}

#[test]
fn the_page_is_self_contained_and_says_what_was_found() {
    let folder = sweep(&hash());

    assert_eq!(measure_baselines(folder.path()).unwrap(), [""; 0]);
    let report = Report::of_sweep(folder.path(), &Estimator::default()).unwrap();
    assert_eq!(report.critical.len(), 2);
    assert_eq!(report.baselines.len(), 1);
    let page = std::fs::read_to_string(report.write(folder.path()).unwrap()).unwrap();

    for outside in ["http", "<script", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("tiny &amp; quick") && page.contains("width &lt;b&gt;"));
    assert!(page.contains("Lengths are estimates"));
    assert!(page.contains("prefers-color-scheme: dark"));
    for found in &report.critical {
        let star = format!("N* = {}", brevity_length::format::count(found.n_star));
        assert!(page.contains(&star), "{star}");
    }
    assert!(report.text().contains("failed") && report.text().contains("gzip -9"));
    for (name, picture) in report.pictures() {
        assert_eq!(
            std::fs::read_to_string(folder.path().join(&name)).unwrap(),
            picture
        );
        assert!(
            !picture.contains("NaN") && !picture.contains("inf"),
            "{name}"
        );
    }

    // The table of points gives the same estimate again.
    let again = critical_sizes(
        &parse_csv(&report.csv(), "points.csv", 2.0).unwrap(),
        &Estimator::default(),
    )
    .unwrap();
    assert_eq!(again[0].n_star, report.critical[0].n_star);
}

#[test]
fn data_that_are_gone_are_named_and_the_report_is_made_without_them() {
    let folder = sweep("0123456789abcdef");
    let messages = measure_baselines(folder.path()).unwrap();
    assert_eq!(messages.len(), 1);
    assert!(messages[0].contains("0123456789ab"), "{messages:?}");
    let report = Report::of_sweep(folder.path(), &Estimator::default()).unwrap();
    report.write(folder.path()).unwrap();
}

#[test]
fn baselines_that_are_not_json_are_told_and_measured_again() {
    let there = hash();
    for (hash, sets) in [(&there[..], 1), ("0123456789abcdef", 0)] {
        let folder = sweep(hash);
        let file = folder.path().join("baselines.json");
        std::fs::write(&file, "{").unwrap();
        let told = format!("{} holds no results of coders: ", file.display());
        let report = Report::of_sweep(folder.path(), &Estimator::default()).unwrap();
        assert!(report.notes.iter().any(|note| note.contains(&told)));
        assert!(!report.rows.is_empty() && report.baselines.is_empty());

        let messages = measure_baselines(folder.path()).unwrap();
        assert!(messages[0].starts_with(&told), "{messages:?}");
        assert!(messages[0].ends_with("it is measured again"));
        // Of bytes that are gone there is one message more, and an empty list is written.
        assert_eq!(messages.len(), 2 - sets, "{messages:?}");
        let written = read_baselines(folder.path()).unwrap();
        assert_eq!(written.len(), sets);
        for set in &written {
            assert_eq!((&set.hash[..], set.bytes), (hash, DATA));
            assert!(set.results.iter().any(|of| of.coder == "gzip -9"));
            assert!(!set.beside.is_empty());
        }
        let report = Report::of_sweep(folder.path(), &Estimator::default()).unwrap();
        assert_eq!(report.baselines, written);
        assert!(!report.notes.iter().any(|note| note.contains(&told)));
    }
}

#[test]
fn rates_that_are_not_those_of_their_lengths_are_refused() {
    let folder = sweep(&hash());
    measure_baselines(folder.path()).unwrap();
    let file = folder.path().join("baselines.json");
    let written = std::fs::read(&file).unwrap();
    for (field, told) in [
        ("/0/results/1/rate", "[0].results[1].rate is 0.001, but "),
        (
            "/0/beside/0/paper_rate",
            "[0].beside[0].paper_rate is 0.001, but ",
        ),
    ] {
        let mut forged: Value = serde_json::from_slice(&written).unwrap();
        *forged.pointer_mut(field).unwrap() = 0.001.into();
        std::fs::write(&file, forged.to_string()).unwrap();
        let report = Report::of_sweep(folder.path(), &Estimator::default()).unwrap();
        assert!(report.baselines.is_empty());
        let is_told = |note: &String| note.contains("baselines.json") && note.contains(told);
        assert!(report.notes.iter().any(is_told), "{:?}", report.notes);
        let messages = measure_baselines(folder.path()).unwrap();
        assert!(messages[0].contains(told), "{messages:?}");
        read_baselines(folder.path()).unwrap();
    }
}

#[test]
fn too_few_sizes_are_noted_and_a_broken_file_is_named() {
    let folder = sweep("x");
    let few: Vec<Value> = rows("x").into_iter().take(2).collect();
    let path = folder.path().join("results.json");
    std::fs::write(&path, Value::from(few).to_string()).unwrap();
    let report = Report::of_sweep(folder.path(), &Estimator::default()).unwrap();
    assert!(report.critical.is_empty());
    assert!(report.notes[0].contains("fewer than 3 model sizes"));
    report.write(folder.path()).unwrap();

    std::fs::write(&path, "[{").unwrap();
    let error = Report::of_sweep(folder.path(), &Estimator::default()).unwrap_err();
    assert!(error.to_string().contains("results.json"), "{error}");
}
