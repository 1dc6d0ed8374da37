//! Folders of small finished runs.

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with these results, manifest and baselines.
pub fn folder(name: &str, rows: Vec<Value>, baselines: Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, content) in [
        ("results.json", Value::from(rows)),
        ("manifest.json", json!({"name": name, "trials": []})),
        ("baselines.json", baselines),
    ] {
        std::fs::write(folder.path().join(file), content.to_string()).unwrap();
    }
    folder
}

/// Results of two coders on the bytes with this hash.
pub fn baselines(hash: &str, bytes: u64) -> Value {
    let coder = |name: &str, taken: u64| {
        let rate = taken as f64 / bytes as f64;
        json!({"coder": name, "bytes": taken, "rate": rate,
               "paper_bytes": taken, "paper_rate": rate, "decoded": true})
    };
    json!([{"source": "prose, R&D", "bytes": bytes, "hash": hash, "results": [
        coder("gzip -9", bytes / 2), coder("xz -9e", bytes / 2 - 3000),
        coder("gzip -1", bytes / 2 + 1000),
    ]}])
}

/// Six sizes, two data sizes and two conventions, an estimate and a failure.
pub fn sweep() -> TempDir {
    let mut rows = Vec::new();
    for data in [60_000_u64, 120_000] {
        for i in 0..6 {
            let n = 1000_u64 << i;
            let bits = [3.6738, 3.0978, 2.6459, 2.2913, 2.0132, 1.7949][i] + 2e4 / data as f64;
            let (fp16, stored) = (2.0 * n as f64, 300.0 + 0.75 * n as f64);
            rows.push(json!({
                "id": format!("t{data}-{i}"), "axes": {"model.width": 8 << i, "data.bytes": data},
                "seed": i % 2, "parameters": n, "state": "done", "regime": "in-sample",
                "data": {"source": "prose, R&D", "bytes": data, "hash": format!("{data}aa")},
                "bits_per_byte": bits, "raw_rate": bits / 8.0,
                "model_bytes": {"fp16": fp16, "stored": stored},
                "adjusted_rate": {
                    "fp16": bits / 8.0 + fp16 / data as f64,
                    "stored": bits / 8.0 + stored / data as f64,
                },
                "estimate": i == 5, "verified": i < 5,
                "provenance": {"version": "0.1.0", "git": "0ab1", "threads": 2},
            }));
        }
    }
    rows.push(json!({
        "id": "bad", "axes": {"model.width": "<b>"}, "seed": 0, "parameters": 5,
        "state": "failed", "data": {"source": "prose, R&D", "bytes": 60_000, "hash": null},
    }));
    folder("tiny & \"quick\"", rows, baselines("60000aa", 60_000))
}

fn scored(id: &str, regime: &str, axes: Value, rate: f64, adjusted: Value) -> Value {
    json!({
        "id": id, "axes": axes, "seed": 0, "parameters": 9000, "state": "done", "regime": regime,
        "data": {"source": "prose", "bytes": 50_000, "hash": "d0"},
        "bits_per_byte": 8.0 * rate, "raw_rate": rate, "adjusted_rate": adjusted,
        "estimate": false, "verified": id != "dose-1",
    })
}

/// Doses, disguise, detectors, memoriser and honest model, prequential codes.
pub fn contamination() -> TempDir {
    let mut rows = Vec::new();
    let detected = json!({
        "ngram8": 0.9, "ngram13": 0.8, "spaced": 0.85, "longest_match": 400, "in_long_matches": 0.7,
        "min_k": {"percent": 20.0, "leaked": 3.1, "clean": 4.2, "auc": 0.85},
    });
    for (model, gain) in [("honest", 0.02), ("memoriser", 0.09)] {
        for (i, copies) in [0_u64, 1, 4].into_iter().enumerate() {
            let axes = json!({"part": "dose", "model": model, "data.leak.copies": copies});
            let id = format!("{model}-{copies}");
            let rate = 0.4 - gain * i as f64;
            let both = json!({"fp16": rate + 0.36, "stored": rate + 0.2});
            let mut row = scored(&id, "overlap", axes.clone(), rate, both);
            row["detected"] = detected.clone();
            rows.push(row);
            rows.push(scored(
                &id,
                "held-out",
                axes.clone(),
                0.41 + 0.01 * i as f64,
                json!({}),
            ));
            let learned = json!({"prequential": 0.47});
            rows.push(scored(
                &format!("p-{id}"),
                "prequential",
                axes,
                0.46,
                learned,
            ));
        }
        let axes = json!({"part": "disguise", "model": model, "data.leak.copies": 4,
                          "data.leak.skip_words": 10});
        let id = format!("{model}-disguise");
        let mut row = scored(&id, "overlap", axes.clone(), 0.39, json!({"fp16": 0.7}));
        row["detected"] = detected.clone();
        rows.push(row);
        rows.push(scored(&id, "held-out", axes, 0.42, json!({})));
        for part in ["text", "random"] {
            let axes = json!({"part": part, "model": model});
            let id = format!("{model}-{part}");
            let both = json!({"fp16": 0.5 + 10.0 * gain, "stored": 0.45 + 5.0 * gain});
            rows.push(scored(&id, "in-sample", axes.clone(), 0.3 - gain, both));
            let learned = json!({"prequential": 0.5 + gain});
            rows.push(scored(
                &format!("p-{id}"),
                "prequential",
                axes,
                0.5,
                learned,
            ));
        }
    }
    let mut pending = scored("late", "overlap", json!({}), 0.1, json!({}));
    for length in ["raw_rate", "bits_per_byte"] {
        pending[length] = Value::Null;
    }
    rows.push(pending);
    folder("leaks of \"A&B\"", rows, baselines("d0", 50_000))
}

/// Learners of three sizes, one in blocks, on the bytes of the sweep.
pub fn prequential() -> TempDir {
    let row = |n: u64, mode: &str, rate: f64| {
        let bits = 8.0 * 60_000.0 * rate;
        let at = |bytes: u64| json!({"bytes": bytes, "bits": bits * (bytes as f64 / 60_000.0).powf(0.9)});
        let curve: Vec<Value> = [1000, 4000, 15_000, 60_000].map(at).into();
        json!({
            "id": format!("{mode}{n}"), "axes": {"model.width": n / 100}, "seed": 3,
            "parameters": n, "state": "done", "regime": "prequential", "mode": mode,
            "data": {"source": "prose & <more>", "bytes": 60_000, "hash": "60000aa"},
            "raw_rate": rate - 0.01, "model_bytes": {"prequential": 600},
            "adjusted_rate": {"prequential": rate}, "final_bits": bits * 0.8,
            "regret_bits": bits * 0.2, "curve": curve, "doublings": curve,
            "estimate": mode == "blocks", "verified": mode != "blocks",
        })
    };
    let rows = vec![
        row(2000, "online", 0.5),
        row(8000, "online", 0.45),
        row(32_000, "online", 0.47),
        row(8000, "blocks", 0.48),
    ];
    folder("learners <b>", rows, json!([]))
}

/// Two byte sets, a coder, a model and a row of the paper.
pub fn matrix() -> Value {
    let cell = |raw: f64, model: f64, regime: Value, decoded: bool| {
        json!({"bytes": 4096, "raw": raw, "adjusted": raw + model,
               "stored": (model > 0.0).then_some(raw + model / 2.0), "regime": regime,
               "decoded": decoded})
    };
    let row = |name: &str, parameters: Value, paper: Value, cells: Value| {
        json!({"name": name, "chunks": true, "headers_once": name == "gzip -9", "cells": cells,
               "parameters": parameters, "learned": parameters.as_u64().map(|_| "text+noise, \"b\""),
               "paper": paper})
    };
    json!({
        "name": "small", "title": "Small & <odd>", "chunk": 2048, "lengths": [64, 512, 2048],
        "columns": [
            {"name": "te,xt", "source": "crates & co", "bytes": 4096, "hash": "00112233445566778899",
             "paper": "enwik9"},
            {"name": "noise", "source": "random", "bytes": 4096, "hash": "ff", "paper": null},
        ],
        "rows": [
            row("gzip -9", Value::Null, json!("gzip"),
                json!([cell(0.4, 0.0, Value::Null, true), cell(1.01, 0.0, Value::Null, true)])),
            row("ours, <small>", json!(5000), Value::Null,
                json!([cell(0.3, 1.2, json!("in-sample"), false), null])),
        ],
        "curves": [
            {"name": "gzip -9", "set": "te,xt", "headers_once": true, "parameters": null,
             "rates": [0.9, 0.6, 0.4]},
            {"name": "ours, <small>", "set": "te,xt", "headers_once": false, "parameters": 5000,
             "rates": [0.5, 0.4, 0.3]},
        ],
        "notes": ["xz is left out: it isn't here"],
    })
}
