//! The effect of each change in an ablation, as tables for a terminal.

use brevity_draw::{Table, visible_lines};
use brevity_length::format::{bytes, count};
use brevity_stats::ablation::{Ablation, Difference};

/// Tables for a terminal. Adjusted rates use the given `convention`.
#[must_use]
pub fn ablations(found: &[Ablation], convention: Option<&str>) -> String {
    let tables = found.iter().map(|ablation| {
        format!(
            "{} of {}: bits per byte, and differences to the first row with half of their 95% \
             intervals over the pairs of seeds\n{}",
            bytes(ablation.data_bytes as f64),
            ablation.source,
            table(ablation, convention)
        )
    });
    let text = tables.collect::<Vec<String>>().join("\n");
    visible_lines(&text).into_owned()
}

fn table(ablation: &Ablation, convention: Option<&str>) -> Table {
    let shown = |name: &str| match name.split_once(", ") {
        None => true,
        Some((_, counted)) => convention == Some(counted),
    };
    let columns: Vec<usize> = (0..ablation.measures.len())
        .filter(|&i| shown(&ablation.measures[i]))
        .collect();
    let mut header = vec!["settings", "parameters", "seeds"];
    header.extend(columns.iter().map(|&i| ablation.measures[i].as_str()));
    let mut table = Table::new(&header).left(&[0]);
    let mut row = |settings: &str, parameters: u64, seeds: usize, cells: Vec<String>| {
        let named = if settings.is_empty() { "-" } else { settings };
        let mut row = vec![
            named.to_owned(),
            count(parameters as f64),
            seeds.to_string(),
        ];
        row.extend(cells);
        table.push(row);
    };
    let none = || "-".to_owned();
    let mean = |&i: &usize| ablation.means[i].map_or_else(none, |mean| format!("{mean:.4}"));
    let means = columns.iter().map(mean).collect();
    row(&ablation.base, ablation.parameters, ablation.seeds, means);
    for change in &ablation.changes {
        let differences = || columns.iter().map(|&i| change.differences[i]);
        let seeds = differences().flatten().map(|d| d.seeds).max();
        let cells = differences().map(|d| d.map_or_else(none, difference));
        row(
            &change.settings,
            change.parameters,
            seeds.unwrap_or(0),
            cells.collect(),
        );
    }
    table
}

fn difference(found: Difference) -> String {
    match found.half_width {
        Some(half) => format!("{:+.4} ± {half:.4}", found.mean),
        None => format!("{:+.4}", found.mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_stats::ablation::Change;

    #[test]
    fn differences_have_their_errors_and_one_convention() {
        let found = Ablation {
            source: "t".into(),
            data_bytes: 4000,
            base: String::new(),
            parameters: 1000,
            seeds: 2,
            measures: vec!["online".into(), "held-out, fp16".into()],
            means: vec![Some(2.2), Some(3.0)],
            changes: vec![Change {
                settings: "learning_rate 0.1".into(),
                parameters: 1000,
                differences: vec![
                    Some(Difference {
                        mean: 0.11,
                        standard_error: Some(0.01),
                        half_width: Some(0.1271),
                        seeds: 2,
                    }),
                    None,
                ],
            }],
        };
        let text = ablations(std::slice::from_ref(&found), None);
        assert!(text.contains("learning_rate 0.1"), "{text}");
        assert!(text.contains("+0.1100 ± 0.1271"), "{text}");
        assert!(!text.contains("fp16"), "{text}");
    }
}
