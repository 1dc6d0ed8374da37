//! Results as a terminal table.

use brevity_draw::Table;
use brevity_length::{Axes, Convention, Row};

/// Columns of axes: one for each axis that all trials have, and one for the axes that
/// only some of the listed trials have.
pub(super) struct Columns {
    columns: Vec<String>,
    spelled_out: bool,
}

impl Columns {
    /// The columns for trials with these axis values.
    pub fn of<'a>(trials: impl Iterator<Item = &'a Axes> + Clone) -> Columns {
        let mut columns: Vec<String> = Vec::new();
        let mut spelled_out = false;
        for name in trials.clone().flat_map(Axes::keys) {
            if trials.clone().any(|axes| axes.get(name).is_none()) {
                spelled_out = true;
            } else if !columns.iter().any(|known| known == name) {
                columns.push(name.to_owned());
            }
        }
        Columns {
            columns,
            spelled_out,
        }
    }

    /// Number of columns that hold words, 0 or 1. They come first.
    pub fn words(&self) -> usize {
        usize::from(self.spelled_out)
    }

    pub fn header(&self) -> impl Iterator<Item = String> {
        let settings = self.spelled_out.then(|| "settings".to_string());
        settings.into_iter().chain(self.columns.iter().cloned())
    }

    pub fn cells(&self, axes: &Axes) -> Vec<String> {
        let mut cells = Vec::new();
        if self.spelled_out {
            let own = axes
                .iter()
                .filter(|(name, _)| !self.columns.iter().any(|known| known == name))
                .map(|(name, value)| format!("{name} {value}"));
            cells.push(own.collect::<Vec<_>>().join(", "));
        }
        let column = |name: &String| {
            axes.get(name)
                .map_or_else(String::new, |value| value.to_string())
        };
        cells.extend(self.columns.iter().map(column));
        cells
    }
}

/// The results of a sweep for the terminal: state, axes, the raw rate and the adjusted
/// rates (fp16 and stored weights) in percent, then the errors of failed trials.
pub fn table(rows: &[Row]) -> String {
    let axes = Columns::of(rows.iter().map(|row| &row.axes));
    let mut header = vec!["id".to_string(), "state".into()];
    header.extend(axes.header());
    let last = [
        "seed",
        "data bytes",
        "parameters",
        "regime",
        "bits/byte",
        "raw %",
        "fp16 %",
        "stored %",
    ];
    header.extend(last.map(String::from));
    let left: Vec<usize> = (0..2 + axes.words()).collect();
    let mut table = Table::new(&header).left(&left);
    for row in rows {
        let number = |value: Option<f64>, scale: f64| {
            value.map_or(String::new(), |value| format!("{:.3}", scale * value))
        };
        let mut line = vec![row.id().to_owned(), row.state.name().to_owned()];
        line.extend(axes.cells(&row.axes));
        line.extend([
            row.seed.map_or_else(String::new, |seed| seed.to_string()),
            row.data.bytes.to_string(),
            row.parameters.to_string(),
            row.regime_name().to_owned(),
            number(row.description().map(|d| d.bits_per_byte()), 1.0),
            number(row.raw(), 100.0),
            number(row.adjusted_or_mixed(&Convention::fp16()), 100.0),
            number(row.adjusted_or_mixed(&Convention::stored()), 100.0),
        ]);
        table.push(line);
    }
    let mut out = table.to_string();
    for row in rows {
        if let Some(error) = &row.error {
            out.push_str(&format!("\n{} failed: {error}\n", row.id()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_length::{Code, Description, Regime, Scored, State, TrainedOn};

    fn row(id: &str, axes: &str, parameters: u64) -> Row {
        Row {
            id: Some(id.into()),
            axes: serde_json::from_str(axes).unwrap(),
            seed: Some(0),
            parameters,
            data: TrainedOn {
                bytes: 100_000,
                ..TrainedOn::default()
            },
            ..Row::default()
        }
    }

    #[test]
    fn results_line_up_and_failures_follow() {
        let scored = Scored {
            bytes: 100_000,
            hash: String::new(),
        };
        let found = Description::two_part(Regime::InSample, scored, 2e5, 25_000, 5_000, 100_000);
        let found = found.with(Code {
            convention: Convention::stored(),
            coded_bytes: 25_500,
            model_bytes: 2_000,
        });
        let mut rows = [
            row("aa", r#"{"model.width": 16, "train.ema": 0.9}"#, 5_000),
            row("bb", r#"{"model.width": 24, "train.clip": 1}"#, 9_000),
        ];
        rows[0].state = State::Done;
        rows[0].score = Some(found.into());
        rows[1].state = State::Failed;
        rows[1].error = Some("no".into());
        let table = table(&rows);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(
            lines[1],
            "aa  done    train.ema 0.9           16     0      100000        5000  in-sample      2.000  25.000  35.000    27.500"
        );
        assert!(lines[0].starts_with("id  state   settings       model.width  seed"));
        assert!(lines[2].starts_with("bb  failed  train.clip 1            24     0"));
        assert_eq!(lines[4], "bb failed: no");
    }
}
