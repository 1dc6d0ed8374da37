//! Hostile names and extreme numbers in results files.

use super::{folders, map, quick};
use brevity_lab::experiments::contamination::Contamination;
use brevity_lab::experiments::prequential::Prequential;
use brevity_lab::experiments::table::Matrix;
use brevity_lab::experiments::two_part::Report;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Markup, quotes, an entity, an escape sequence, a change of writing direction.
const NAME: &str = "<script>x</script> \" ' &amp; \u{1b}[31m\u{202e}gpj";

/// The name as it may appear in a page.
const IN_PAGES: &str = "&lt;script&gt;x&lt;/script&gt; &quot; ' &amp;amp; \\u{1b}[31m\\u{202e}gpj";

/// The name as it may appear in a terminal.
const IN_TERMINALS: &str = "<script>x</script> \" ' &amp; \\u{1b}[31m\\u{202e}gpj";

/// Puts the name into every text below a value, except texts that select a type.
fn poison(value: &mut Value) {
    const KINDS: [&str; 8] = [
        "state", "regime", "hash", "part", "mode", "set", "paper", "model",
    ];
    match value {
        Value::String(text) => NAME.clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(poison),
        Value::Object(fields) => {
            let texts = fields
                .iter_mut()
                .filter(|(key, _)| !KINDS.contains(&&key[..]));
            texts.for_each(|(_, value)| poison(value));
        }
        _ => {}
    }
}

/// Puts the name into the files of a folder; also adds an axis.
fn poisoned(folder: TempDir) -> TempDir {
    for file in ["results.json", "manifest.json", "baselines.json"] {
        let path = folder.path().join(file);
        let mut value: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let ids: Vec<Value> = value
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| row["id"].clone())
            .collect();
        poison(&mut value);
        if file == "results.json" {
            for (row, id) in value.as_array_mut().unwrap().iter_mut().zip(ids) {
                row["id"] = id;
                row["axes"]["train.odd"] = NAME.into();
            }
        }
        std::fs::write(&path, value.to_string()).unwrap();
    }
    folder
}

fn assert_harmless(page: &str, scripts: usize, at_least: usize) {
    assert_eq!(page.matches("<script").count(), scripts);
    let names = page.replace("&#39;", "'").matches(IN_PAGES).count();
    assert!(names >= at_least, "the name stands there {names} times");
    let hidden = |c| brevity_draw::is_hidden(c) && c != '\n';
    assert!(!page.contains(hidden));
}

fn assert_shown(text: &str) {
    assert!(text.contains(IN_TERMINALS), "{text}");
    assert!(!text.contains(|c| brevity_draw::is_hidden(c) && c != '\n'));
}

#[test]
fn names_are_text_in_reports() {
    let folder = poisoned(folders::sweep());
    let report = Report::of_sweep(folder.path(), &quick()).unwrap();
    assert_harmless(&report.html(), 0, 10);
    assert_shown(&report.text());
    for (_, picture) in report.pictures() {
        assert_harmless(&picture, 0, 1);
    }
}

#[test]
fn names_are_text_in_pages_of_contamination() {
    let folder = poisoned(folders::contamination());
    let found = Contamination::of_folder(folder.path()).unwrap();
    assert_harmless(&found.html(), 0, 3);
}

#[test]
fn names_are_text_in_pages_of_prequential_codes() {
    let folder = poisoned(folders::prequential());
    let found = Prequential::of_folder(folder.path(), None).unwrap();
    assert_harmless(&found.html(), 0, 9);
    assert_shown(&found.text());
}

#[test]
fn names_are_text_in_tables() {
    let mut matrix = folders::matrix();
    poison(&mut matrix);
    for curve in matrix["curves"].as_array_mut().unwrap() {
        curve["set"] = NAME.into();
    }
    let matrix: Matrix = serde_json::from_value(matrix).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let page = std::fs::read_to_string(matrix.write(folder.path()).unwrap()).unwrap();
    assert_harmless(&page, 0, 12);
    assert_shown(&matrix.text());
}

#[test]
fn names_and_characters_are_text_in_maps() {
    let page = map(NAME, NAME.as_bytes());
    assert_harmless(&page, 2, 3);
}

#[test]
fn a_convention_that_is_a_path_is_refused_and_writes_nothing() {
    let outer = tempfile::tempdir().unwrap();
    let run = outer.path().join("a/b/run");
    std::fs::create_dir_all(&run).unwrap();
    let text = std::fs::read_to_string(folders::sweep().path().join("results.json")).unwrap();
    let text = text.replace("\"stored\"", "\"a/../../../ESCAPED\"");
    std::fs::write(run.join("results.json"), text).unwrap();
    let error = Report::of_sweep(&run, &quick()).unwrap_err().to_string();
    assert!(error.contains("ESCAPED\" cannot name a way"), "{error}");
    let files = |folder: &std::path::Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<String>>()
    };
    assert_eq!(files(outer.path()), ["a"]);
    assert_eq!(files(&outer.path().join("a")), ["b"]);
    assert_eq!(files(&outer.path().join("a/b")), ["run"]);
    assert_eq!(files(&run), ["results.json"]);
}

/// Extreme numbers that a file can hold: no panic, and valid drawings.
#[test]
fn huge_numbers_are_reported() {
    let edge = [0.0, -1.0, 5e-324, 1e15, 1e308];
    for field in ["raw_rate", "bits_per_byte", "adjusted_rate", "model_bytes"] {
        for number in edge {
            let folder = folders::sweep();
            let path = folder.path().join("results.json");
            let mut rows: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            match &mut rows[2][field] {
                Value::Object(named) => named["stored"] = json!(number),
                value => *value = json!(number),
            }
            std::fs::write(&path, rows.to_string()).unwrap();
            let report = Report::of_sweep(folder.path(), &quick()).unwrap();
            assert!(!report.text().is_empty() && report.html().contains("Every model"));
            for (name, picture) in report.pictures() {
                assert!(can_be_drawn(&picture), "{name} with {field} {number}");
            }
        }
    }
}

/// Whether all numbers of a drawing are finite.
fn can_be_drawn(picture: &str) -> bool {
    ["NaN", "inf"].iter().all(|no_number| {
        !picture.contains(&format!("=\"{no_number}")) && !picture.contains(&format!("L{no_number}"))
    })
}

/// Rates of 9 x 10^18 and of minus 10^308 in a file that was otherwise measured.
#[test]
fn a_file_with_huge_rates_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let rows = include_str!("results_1e308.json");
    std::fs::write(folder.path().join("results.json"), rows).unwrap();
    let report = Report::of_sweep(folder.path(), &quick()).unwrap();
    report.write(folder.path()).unwrap();
    assert!(!report.notes.is_empty(), "the point is named");
    assert!(
        report
            .pictures()
            .iter()
            .all(|(_, picture)| can_be_drawn(picture))
    );
}
