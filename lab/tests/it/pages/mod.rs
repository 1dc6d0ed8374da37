//! Snapshot tests of whole pages, tables and CSV of small fixed inputs, in
//! `snapshots/`. After an intended change, `INSTA_UPDATE=always cargo test` rewrites
//! them, to be reviewed as a diff.
//!
//! The statistics are set by hand: the snapshots test pages, not estimates.

mod folders;
mod hostile;
#[path = "../../../../tests/snapshot.rs"]
mod snapshot;

use brevity_lab::experiments::contamination::Contamination;
use brevity_lab::experiments::prequential::Prequential;
use brevity_lab::experiments::table::Matrix;
use brevity_lab::experiments::two_part::Report;
use brevity_lab::maps::{Kind, Map, Prices};
use brevity_model::{Spec, Transformer, Weights};
use brevity_stats::critical::Estimator;
use serde_json::{Value, json};
use snapshot::assert_snapshot;
use std::path::Path;

/// A page with one tag per line, without style sheets and scripts, which are separate
/// files. White space between tags is ignored.
fn lines(page: &str) -> String {
    let mut page = page.to_owned();
    for tag in ["style", "script"] {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        let mut from = 0;
        while let Some(start) = page[from..].find(&open).map(|at| from + at + open.len()) {
            let end = start + page[start..].find(&close).expect("the tag is closed");
            page.replace_range(start..end, "");
            from = start;
        }
    }
    let tags = page.split('<').map(|part| match part.split_once('>') {
        Some((tag, text)) if text.trim().is_empty() => format!("{tag}>\n"),
        _ => part.to_owned(),
    });
    tags.collect::<Vec<String>>().join("<")
}

/// An estimator for tests in which intervals do not matter.
fn quick() -> Estimator {
    Estimator {
        resamples: 20,
        ..Estimator::default()
    }
}

/// The report of the sweep in `folders::sweep`, with numbers set by hand.
fn report() -> Report {
    let folder = folders::sweep();
    let mut report = Report::of_sweep(folder.path(), &quick()).unwrap();
    for (i, found) in report.critical.iter_mut().enumerate() {
        let i = i as f64;
        (found.n_star, found.ci95) = (9000.0 + 4000.0 * i, Some([7000.0, 16_000.0 + 4000.0 * i]));
        (found.rate, found.alpha, found.model_share) = (0.31 + 0.02 * i, 0.35, 0.2);
        found.akima_n_star = (i > 0.0).then_some(9500.0);
        (found.law.e, found.law.a, found.law.alpha) = (1.0, 30.0, 0.35);
        let mut other = found.law;
        other.a = 31.0;
        found.band = vec![found.law, other];
        found.warnings = vec![format!("the {i} lowest & highest <sizes>")];
    }
    for law in &mut report.laws {
        (law.law.e, law.law.a, law.law.alpha) = (1.0, 30.0, 0.35);
        (law.law.b, law.law.beta, law.residual) = (0.5, 0.3, 0.01);
        (law.exponent, law.free_exponent) = (0.74, Some(0.7));
        law.warnings = vec!["only two data sizes".into()];
        for prediction in &mut law.predictions {
            prediction.n_star = prediction.data_bytes / 10.0;
            prediction.free_n_star = Some(prediction.data_bytes / 11.0);
        }
        let test = law.left_out.as_mut().unwrap();
        (test.predicted_n_star, test.ci95) = (8000.0, None);
        (test.measured_n_star, test.octaves, test.regret) = (9000.0, -0.17, 0.002);
    }
    let checks = report.checks.as_mut().unwrap();
    checks.reasons = vec!["nothing was trained for longer: \"who knows\"".into()];
    report
}

#[test]
fn the_report_of_a_sweep() {
    let report = report();
    assert_snapshot("report_page", &lines(&report.html()));
    assert_snapshot("report_points", &report.csv());
    assert_snapshot("report_text", &report.text());
    let names: Vec<String> = report.pictures().into_iter().map(|p| p.0).collect();
    assert_snapshot("report_pictures", &names.join("\n"));
}

/// Two parts of a source, each scored on two sets of held-out bytes.
fn parts() -> Vec<Value> {
    let row = |(offset, set, width): (u64, &str, u64)| {
        json!({
            "id": format!("{offset}{set}{width}"), "seed": 0, "parameters": 100 * width,
            "axes": {
                "model.width": width, "data.offset": offset, "data.holdout.source": set,
            },
            "state": "done", "regime": "held-out", "raw_rate": 0.4, "bits_per_byte": 3.2,
            "data": {"source": "prose", "bytes": 60_000, "hash": format!("{offset}aa")},
            "adjusted_rate": {"fp16": 0.5}, "estimate": true,
        })
    };
    let all = [(0, "a"), (0, "b"), (500, "a"), (500, "b")];
    let all = all.map(|(offset, set)| [8, 16].map(|width| row((offset, set, width))));
    all.concat()
}

#[test]
fn tables_tell_other_parts_of_a_source_and_other_held_out_bytes_apart() {
    let folder = folders::folder("parts", parts(), json!([]));
    let report = Report::of_sweep(folder.path(), &quick()).unwrap();
    for (offset, set) in [(0, "a"), (0, "b"), (500, "a"), (500, "b")] {
        let source = format!("prose (data.offset={offset})");
        let regime = format!("held-out (data.holdout.source={set})");
        let text = report.text();
        let lines = text.lines().filter(|line| line.starts_with(&source));
        assert_eq!(lines.filter(|line| line.contains(&regime)).count(), 2);
        let page = report.html();
        let cells = page.matches(&format!("60 kB of {source}</td>")).count();
        assert_eq!(cells, 4, "{page}");
        assert_eq!(page.matches(&format!("{regime}</td>")).count(), 4);
    }
}

/// Prequential codes of two parts of a source.
fn prequential_parts() -> tempfile::TempDir {
    let one = folders::prequential();
    let text = std::fs::read_to_string(one.path().join("results.json")).unwrap();
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let with = |offset: u64| {
        rows.clone().into_iter().map(move |mut row| {
            row["axes"]["data.offset"] = offset.into();
            row["data"]["hash"] = [json!("60000aa"), json!("b")][usize::from(offset > 0)].clone();
            row
        })
    };
    folders::folder("parts", with(0).chain(with(500)).collect(), json!([]))
}

#[test]
fn pictures_of_another_sweep_are_removed() {
    let written = tempfile::tempdir().unwrap();
    for mine in ["parts-mine.svg", "rate-01.svg"] {
        std::fs::write(written.path().join(mine), "").unwrap();
    }
    let small = folders::sweep();
    let file = small.path().join("results.json");
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let few: Vec<Value> = (rows.into_iter())
        .filter(|row| row["data"]["bytes"] == 60_000)
        .collect();
    std::fs::write(&file, Value::from(few).to_string()).unwrap();
    let few = ["parts-fp16.svg", "parts-stored.svg", "rate.svg"];
    let many = [
        "law.svg",
        "parts-1-fp16.svg",
        "parts-1-stored.svg",
        "parts-2-fp16.svg",
        "parts-2-stored.svg",
        "rate-1.svg",
        "rate-2.svg",
    ];
    let large = folders::sweep();
    for (from, expected) in [(&small, &few[..]), (&large, &many), (&small, &few)] {
        let report = Report::of_sweep(from.path(), &Estimator::default()).unwrap();
        report.write(written.path()).unwrap();
        let mut expected = [expected, &["parts-mine.svg", "rate-01.svg"]].concat();
        expected.sort_unstable();
        assert_eq!(svg_files(written.path()), expected);
    }
}

/// The names of the pictures in a folder.
fn svg_files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".svg")).collect();
    names.sort();
    names
}

#[test]
fn pictures_of_another_number_of_sets_are_removed() {
    let (one, two) = (folders::prequential(), prequential_parts());
    let written = tempfile::tempdir().unwrap();
    std::fs::write(written.path().join("ladder-mine.svg"), "").unwrap();
    let few = ["curve.svg", "ladder-mine.svg", "ladder.svg"];
    let many = [
        "curve-1.svg",
        "curve-2.svg",
        "ladder-1.svg",
        "ladder-2.svg",
        "ladder-mine.svg",
    ];
    for (from, expected) in [(&one, &few[..]), (&two, &many), (&one, &few)] {
        let found = Prequential::of_folder(from.path(), None).unwrap();
        found.write(written.path()).unwrap();
        assert_eq!(svg_files(written.path()), expected);
    }
}

#[test]
fn prequential_codes_of_other_bytes_have_charts_of_their_own() {
    let folder = prequential_parts();
    let beside = folders::sweep();
    let found = Prequential::of_folder(folder.path(), Some(beside.path())).unwrap();
    let names: Vec<String> = found
        .pictures()
        .into_iter()
        .map(|picture| picture.0)
        .collect();
    assert_eq!(
        names,
        ["ladder-1.svg", "curve-1.svg", "ladder-2.svg", "curve-2.svg"]
    );
    // Two-part codes stand beside codes of the same bytes.
    let beside = |at: usize| found.pictures()[at].1.contains("two-part, fp16");
    assert!(beside(0) && !beside(2));
    let (text, page) = (found.text(), found.html());
    for offset in [0, 500] {
        let source = format!("prose & <more> (data.offset={offset})");
        assert_eq!(text.matches(&source).count(), 4, "{text}");
        let source = format!("60 kB of prose &amp; &lt;more&gt; (data.offset={offset})");
        // A heading over each chart and over the lengths of blocks, a cell for each run.
        assert_eq!(page.matches(&format!("{source}</h3>")).count(), 3);
        assert_eq!(page.matches(&format!("{source}</td>")).count(), 4);
    }
}

#[test]
fn the_page_of_contamination() {
    let folder = folders::contamination();
    let found = Contamination::of_folder(folder.path()).unwrap();
    assert_snapshot("contamination_page", &lines(&found.html()));
    assert_snapshot("contamination_text", &found.text());
}

#[test]
fn the_page_of_prequential_codes() {
    let (folder, beside) = (folders::prequential(), folders::sweep());
    let found = Prequential::of_folder(folder.path(), Some(beside.path())).unwrap();
    assert_snapshot("prequential_page", &lines(&found.html()));
    assert_snapshot("prequential_text", &found.text());
}

#[test]
fn the_table_of_coders_and_models() {
    let matrix: Matrix = serde_json::from_value(folders::matrix()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    matrix.write(folder.path()).unwrap();
    assert_snapshot("table_page", &lines(&read("table.html")));
    assert_snapshot("table_cells", &read("table.csv"));
    assert_snapshot("table_curves", &read("curves.csv"));
    assert_snapshot("table_text", &matrix.text());
}

/// The page of a text map under a nearly untrained model.
fn map(name: &str, bytes: &[u8]) -> String {
    let mut at = 0_u32;
    let mut next = || {
        at = at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (at >> 8) as f32 / 2f32.powi(24) - 0.5
    };
    let weights = Weights::from_fn(Spec::aspect(16, 64), |info| {
        (0..info.len()).map(|_| next()).collect()
    });
    let map = Map {
        prices: Prices::Model(&Transformer::new(&weights.unwrap())),
        model_name: name,
        data: &brevity_data::ByteSet::new(name, bytes.to_vec()),
        kind: Kind::Text,
    };
    String::from_utf8(map.draw().unwrap()).unwrap()
}

#[test]
fn the_map_of_a_text() {
    let page = map(
        "R&D's <text>",
        b"It's \"caf\xC3\xA9\" <b>\t& more\n\xFF\x00",
    );
    assert_snapshot("map_page", &lines(&page));
}
