//! Who pays for the model: the same sums from the sweep's rows, `select`, the points of
//! `critical`, `score` and `table`.

use std::fs;

use serde_json::Value;

use crate::util::{Dir, lines, number};

/// Five sizes on 6,000 bytes with two copies of a leaked test of 1,000 and 1,400 bytes
/// held out.
const CONFIG: &str = r#"
name = "paid"
[data]
source = "data.txt"
bytes = 6000
[data.holdout]
bytes = 2400
[data.leak]
bytes = 1000
copies = 2
[model]
context = 32
[train]
steps = 12
batch_bytes = 256
[score]
verify = false
regimes = ["in-sample", "held-out", "overlap"]
[sweep.grid]
model.width = [8, 12, 16, 20, 24]
"#;

fn dir() -> Dir {
    let dir = Dir::new();
    dir.file("data.txt", lines(8400));
    dir.file("c.toml", CONFIG);
    dir
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Bytes that pay for the model, by regime: those trained on, which are 6,000 and two
/// copies of the test, for in-sample and held-out scores; the test itself where it leaked.
fn charged_to(regime: &str) -> f64 {
    match regime {
        "in-sample" | "held-out" => 8000.0,
        "overlap" => 1000.0,
        other => panic!("{other}"),
    }
}

fn close(x: f64, y: f64) -> bool {
    (x - y).abs() <= 1e-9 * y.abs()
}

#[test]
fn every_reader_divides_by_what_the_writer_divided_by() {
    let dir = dir();
    dir.run(&["sweep", "c.toml"]).status(0);
    let text = fs::read_to_string(dir.path("runs/paid/results.json")).expect("results");
    let rows = json(&text);
    let rows = rows.as_array().expect("rows");
    assert_eq!(rows.len(), 15);
    for row in rows {
        let regime = row["regime"].as_str().expect("a regime");
        let (n, charged) = (number(row, "/scored/bytes"), charged_to(regime));
        for convention in ["fp16", "stored"] {
            let coded = number(row, &format!("/coded/{convention}"));
            let model = number(row, &format!("/model_bytes/{convention}"));
            let adjusted = number(row, &format!("/adjusted_rate/{convention}"));
            assert!(close(adjusted, coded / n + model / charged), "{row}");
        }
        let fp16 = number(row, "/model_bytes/fp16");
        assert_eq!(fp16, 2.0 * number(row, "/parameters"));
        assert_eq!(number(row, "/model_charged_to"), charged);
    }

    // `select` ranks one setting a row; its shares add up to the row's adjusted rate.
    let ranked = dir.run(&["select", "runs/paid", "--convention", "fp16", "--json"]);
    let ranked = json(&ranked.status(0).stdout());
    let rankings = ranked.as_array().expect("rankings");
    assert_eq!(rankings.len(), 3);
    for ranking in rankings {
        let regime = ranking["regime"].as_str().expect("a regime");
        let n = number(ranking, "/data_bytes");
        assert_eq!(n, charged_to(regime));
        for candidate in ranking["candidates"].as_array().expect("candidates") {
            let id = candidate["ids"][0].as_str().expect("an id");
            let row = rows
                .iter()
                .find(|row| row["id"] == id && row["regime"] == regime)
                .expect("a row");
            let data = number(candidate, "/coded_bytes") / n;
            assert!(close(data, number(row, "/raw_rate")), "{candidate}\n{row}");
            let choice = number(ranking, "/choice_bits") / 8.0 / n;
            let rate = number(candidate, "/rate") - choice;
            let adjusted = number(row, "/adjusted_rate/fp16");
            assert!(close(rate, adjusted), "{rate} {adjusted}");
        }
    }
    let shown = dir.run(&["select", "runs/paid", "--convention", "fp16"]);
    assert!(!shown.status(0).stdout().contains("407."));

    // The points that `critical` fits are the rows.
    let points = fs::read_to_string(dir.path("runs/paid/points.csv")).expect("points");
    let mut lines = points.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|h| *h == name).expect("a column");
    let mut seen = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |name: &str| cells[column(name)];
        let value = |name: &str| cell(name).parse::<f64>().expect("a number");
        let row = rows.iter().find(|row| {
            row["regime"] == cell("regime") && number(row, "/parameters") == value("parameters")
        });
        let row = row.expect("a row");
        let adjusted = number(row, &format!("/adjusted_rate/{}", cell("convention")));
        let (bits, model) = (value("bits_per_byte"), value("model_bytes"));
        assert_eq!(value("data_bytes"), charged_to(cell("regime")));
        assert!(
            close(bits / 8.0 + model / value("data_bytes"), adjusted),
            "{line}\n{row}"
        );
        assert!(close(value("adjusted_rate"), adjusted), "{line}\n{row}");
        seen += 1;
    }
    assert_eq!(seen, 30);

    // `score` of the same model on bytes of each regime.
    let id = rows[0]["id"].as_str().expect("an id");
    let trial = format!("runs/paid/trials/{id}");
    let args = ["score", &trial, "--json", "--estimate", "--data"];
    let sets = ["data.txt,offset=7000,bytes=1400", "random,bytes=2000"];
    let scored = dir.run(&[&args[..], &sets].concat()).status(0).stdout();
    for score in json(&scored).as_array().expect("scores") {
        let n = number(score, "/data_bytes");
        let charged = number(score, "/model_charged_to");
        assert_eq!(
            charged,
            if score["regime"] == "held-out" {
                8000.0
            } else {
                n
            }
        );
        for (convention, coded) in [("fp16", "/coded_bytes"), ("stored", "/stored_coded_bytes")] {
            let model = number(score, &format!("/model_bytes/{convention}"));
            let adjusted = number(score, &format!("/adjusted_rate/{convention}"));
            let by_hand = number(score, coded) / n + model / charged;
            assert!(close(adjusted, by_hand), "{score}");
        }
    }
}
