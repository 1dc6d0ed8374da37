//! Scores as a terminal table.

use super::Score;
use brevity_draw::{Table, visible_lines};
use brevity_length::Convention;
use brevity_length::format::{bytes, count, percent};

/// One line per pair, then the notes.
#[must_use]
pub fn text(scores: &[Score]) -> String {
    let mut header = vec![
        "model",
        "data",
        "regime",
        "parameters",
        "bytes",
        "raw %",
        "held-out %",
        "fp16 %",
        "stored %",
    ];
    let prequential = scores.iter().any(|score| score.prequential.is_some());
    if prequential {
        header.push("prequential %");
    }
    header.extend(["longest match", "in matches %", "state"]);
    let mut table = Table::new(&header).left(&[1, 2, header.len() - 1]);
    let none = || "-".to_owned();
    for score in scores {
        let (found, overlap) = (&score.description, score.overlap.as_ref());
        let adjusted = |name: &str| found.adjusted_rate(name).map_or_else(none, percent);
        let mut row = vec![
            score.model.clone(),
            match score.offset {
                0 => score.source.clone(),
                offset => format!("{} from {offset}", score.source),
            },
            found.regime().name().to_owned(),
            count(score.parameters as f64),
            bytes(found.scored().bytes as f64),
            percent(found.raw_rate()),
            score.held_out_rate().map_or_else(none, percent),
            adjusted(Convention::FP16),
            adjusted(Convention::STORED),
        ];
        if prequential {
            let rate = score
                .prequential
                .as_ref()
                .and_then(|p| p.prequential_rate());
            row.push(rate.map_or_else(none, percent));
        }
        row.extend([
            overlap.map_or_else(none, |o| o.longest_match.to_string()),
            overlap.map_or_else(none, |o| percent(o.in_long_matches)),
            if found.is_decoded() {
                "decoded"
            } else {
                "estimate"
            }
            .to_owned(),
        ]);
        table.push(row);
    }
    let mut text = table.to_string();
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for score in scores {
        for note in &score.notes {
            // Most notes are about the model and repeat for every byte set.
            if !seen.contains(&(&score.model, note)) {
                seen.push((&score.model, note));
                text += &format!("note: {}: {note}\n", score.model);
            }
        }
    }
    visible_lines(&text).into_owned()
}
