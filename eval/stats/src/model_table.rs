//! Models from anybody's table, to be ranked.

use std::path::Path;

use crate::critical::once;
use brevity_length::{AxisValue, Code, Convention, Description, Regime, Row, Scored, TrainedOn};
use csv::{ReaderBuilder, StringRecord, Trim};

/// Why a table of models cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is wrong.
    #[error("{file}: line {line}: {problem}")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
}

/// The columns that are read.
const COLUMNS: [&str; 7] = [
    "model",
    "model_bytes",
    "data_bits",
    "data_bytes",
    "seed",
    "group",
    "parameters",
];

/// Reads a table of models: a header line, then one line a model, seed and group,
/// comma-separated.
///
/// Needed columns: `model`, a name; `model_bytes`; `data_bits`, the code length of the
/// data; `data_bytes`, how many bytes they are. Optional: `seed`; `group`, the piece of the
/// data that a line is about, such as a document, in their order; `parameters`. With
/// groups, lengths and bytes are those of the piece, and intervals draw pieces. Lines that
/// start with `#` and other columns are ignored.
///
/// The rows are of one byte set, so that [`rank`](crate::selection::rank) compares all
/// models under the convention `stated`.
///
/// # Errors
/// Names the file and the line of what is missing or no number, of a model whose groups are
/// not those of the others, and of one whose bytes differ between its lines.
pub fn read_models(path: &Path) -> Result<Vec<Row>, TableError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| TableError::Read {
        file: file.clone(),
        source,
    })?;
    parse_models(&text, &file)
}

/// As [`read_models`], from text; `file` is its name in messages.
///
/// # Errors
/// As [`read_models`].
///
/// ```
/// use brevity_stats::model_table::parse_models;
/// use brevity_stats::selection::{Options, rank};
///
/// let table = "model,model_bytes,data_bits,data_bytes\n\
///     gru,9000,240000,100000\nngram,2000,310000,100000\n";
/// let ranking = &rank(&parse_models(table, "table")?, &Options::default())[0];
/// assert_eq!(ranking.candidates[0].settings, "model gru");
/// # Ok::<(), brevity_stats::model_table::TableError>(())
/// ```
pub fn parse_models(text: &str, file: &str) -> Result<Vec<Row>, TableError> {
    let problem = |line: u64, problem: String| TableError::Line {
        file: file.to_owned(),
        line,
        problem,
    };
    let mut reader = ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let headers = reader.headers().cloned();
    let headers = headers.map_err(|error| problem(1, error.to_string()))?;
    let header_line = headers.position().map_or(1, csv::Position::line);
    for name in COLUMNS {
        once(headers.iter(), name).map_err(|text| problem(header_line, text))?;
    }
    let mut runs: Vec<Run> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            problem(line, fault(&error))
        })?;
        let number = record.position().map_or(0, csv::Position::line);
        let line = Line::of(&headers, &record).map_err(|text| problem(number, text))?;
        let same = |run: &&mut Run| run.model == line.model && run.seed == line.seed;
        match runs.iter_mut().find(same) {
            Some(run) => run.add(line).map_err(|text| problem(number, text))?,
            None => runs.push(Run::new(line, number)),
        }
    }
    let Some(first) = runs.first() else {
        return Err(problem(1, "no models below the header".into()));
    };
    for run in &runs {
        if run.groups != first.groups {
            let text = format!(
                "`{}` and `{}` have other groups, in number or order",
                run.model, first.model
            );
            return Err(problem(run.line, text));
        }
        if run.bytes != first.bytes {
            let text = format!("`{}` and `{}` are of other bytes", run.model, first.model);
            return Err(problem(run.line, text));
        }
    }
    Ok(runs.iter().map(|run| run.row(file)).collect())
}

/// What is wrong with a line that is told beside it.
fn fault(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} cells, where the header has {expected_len}"),
        _ => error.to_string(),
    }
}

/// One line.
struct Line {
    model: String,
    seed: Option<u64>,
    group: String,
    model_bytes: f64,
    data_bits: f64,
    data_bytes: u64,
    parameters: u64,
}

impl Line {
    fn of(headers: &StringRecord, cells: &StringRecord) -> Result<Line, String> {
        let cell = |name: &str| {
            let at = headers.iter().position(|header| header == name);
            at.and_then(|at| cells.get(at))
        };
        let need = |name: &str| {
            let all: Vec<&str> = headers.iter().collect();
            let missing = || format!("no column `{name}`; the header has {}", all.join(", "));
            cell(name).ok_or_else(missing)
        };
        let number = |name: &str, text: &str| {
            let value = text.parse::<f64>().ok();
            let value = value.filter(|x| x.is_finite() && (0.0..=1e18).contains(x));
            value.ok_or_else(|| format!("{name} is `{text}`, no number of at least 0"))
        };
        let needed = |name: &str| number(name, need(name)?);
        let whole = |name: &str| match cell(name) {
            None | Some("") => Ok(None),
            Some(text) => number(name, text).and_then(|x| match x.fract() == 0.0 {
                true => Ok(Some(x as u64)),
                false => Err(format!("{name} is `{text}`, no whole number")),
            }),
        };
        let line = Line {
            model: need("model")?.to_owned(),
            seed: whole("seed")?,
            group: cell("group").unwrap_or_default().to_owned(),
            model_bytes: needed("model_bytes")?,
            data_bits: needed("data_bits")?,
            data_bytes: needed("data_bytes")? as u64,
            parameters: whole("parameters")?.unwrap_or(0),
        };
        match line.data_bytes {
            0 => Err("data_bytes is 0".into()),
            _ => Ok(line),
        }
    }
}

/// One model with one seed.
struct Run {
    model: String,
    seed: Option<u64>,
    line: u64,
    groups: Vec<String>,
    bits: Vec<f64>,
    bytes: u64,
    model_bytes: f64,
    parameters: u64,
}

impl Run {
    fn new(line: Line, number: u64) -> Run {
        Run {
            model: line.model,
            seed: line.seed,
            line: number,
            groups: vec![line.group],
            bits: vec![line.data_bits],
            bytes: line.data_bytes,
            model_bytes: line.model_bytes,
            parameters: line.parameters,
        }
    }

    fn add(&mut self, line: Line) -> Result<(), String> {
        if self.groups.contains(&line.group) {
            return Err(match line.group.as_str() {
                "" => format!("`{}` is there twice: give it a seed or a group", self.model),
                group => format!("`{}` has the group `{group}` twice", self.model),
            });
        }
        if line.model_bytes != self.model_bytes {
            return Err(format!("`{}` has other model_bytes before", self.model));
        }
        self.groups.push(line.group);
        self.bits.push(line.data_bits);
        self.bytes += line.data_bytes;
        Ok(())
    }

    fn row(&self, file: &str) -> Row {
        let bits: f64 = self.bits.iter().sum();
        let scored = Scored {
            bytes: self.bytes,
            hash: String::new(),
        };
        let code = Code {
            convention: Convention::stated(),
            coded_bytes: (bits / 8.0).ceil() as u64,
            model_bytes: self.model_bytes.ceil() as u64,
        };
        let blocks = match self.bits.len() {
            1 => Vec::new(),
            _ => self.bits.iter().map(|bits| bits.round() as u64).collect(),
        };
        let found = Description::by(Regime::Unknown, scored, bits, code, 0).with_blocks(blocks);
        Row {
            id: Some(format!("line {}", self.line)),
            axes: [("model", AxisValue::Text(self.model.clone()))]
                .into_iter()
                .collect(),
            seed: self.seed,
            parameters: self.parameters,
            data: TrainedOn {
                source: file.to_owned(),
                bytes: self.bytes,
                hash: String::new(),
            },
            score: Some(found.into()),
            ..Row::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::{Options, rank};

    const HEADER: &str = "model,model_bytes,data_bits,data_bytes,seed,group\n";

    #[test]
    fn seeds_and_groups_give_intervals() {
        let mut table = HEADER.to_owned();
        for (model, bytes, base) in [("gru", 900, 2000.0), ("ngram", 100, 2600.0)] {
            for seed in 0..3 {
                for group in 0..12 {
                    let bits = base + f64::from(seed * 7 + group * group % 5 * 40);
                    table += &format!("{model},{bytes},{bits},1000,{seed},doc{group}\n");
                }
            }
        }
        let ranking = &rank(&parse_models(&table, "t.csv").unwrap(), &Options::default())[0];
        assert_eq!(ranking.data_bytes, 12_000);
        assert_eq!(ranking.resampled, "blocks and seeds");
        let [first, second] = &ranking.candidates[..] else {
            panic!()
        };
        assert_eq!((first.settings.as_str(), first.ids.len()), ("model gru", 3));
        // 600 bits a group more, less 800 bytes of model.
        let behind = (12.0 * 600.0 - 8.0 * 800.0) / 12_000.0;
        assert!((second.behind - behind).abs() < 1e-3, "{}", second.behind);
        let [low, high] = second.behind_ci95.unwrap();
        assert!(low < behind && behind < high);
    }

    #[test]
    fn bad_tables_are_named_by_line() {
        let cases = [
            ("", "line 1"),
            (HEADER, "line 1: no models"),
            (
                "model,model_bytes,data_bits\na,1,2\n",
                "line 2: no column `data_bytes`",
            ),
            (
                "model,model_bytes,data_bits,data_bytes\na,1,x,9\n",
                "line 2: data_bits is `x`",
            ),
            (
                "model,model_bytes,data_bits,data_bytes\na,1,-2,9\n",
                "line 2: data_bits is `-2`",
            ),
            (
                "model,model_bytes,data_bits,data_bytes\na,1,2,0\n",
                "line 2: data_bytes is 0",
            ),
            (
                "model,model_bytes,data_bits,data_bytes\na,1,2,9,0\n",
                "line 2: 5 cells, where the header has 4",
            ),
            (
                "model,model_bytes,data_bits,data_bytes\na,1,2,9\na,1,2,9\n",
                "line 3: `a` is there twice",
            ),
            (
                "model,model_bytes,data_bits,data_bytes\na,1,2,9\nb,1,2,8\n",
                "line 3: `b` and `a` are of other bytes",
            ),
        ];
        for (text, says) in cases {
            let error = parse_models(text, "t.csv").unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let text = format!("{HEADER}a,1,2,9,0,x\na,1,2,9,0,y\nb,1,2,9,0,y\nb,1,2,9,0,x\n");
        let error = parse_models(&text, "t.csv").unwrap_err().to_string();
        assert!(
            error.contains("line 4: `b` and `a` have other groups"),
            "{error}"
        );
        let text = format!("{HEADER}a,1,2,9,0,x\na,3,2,9,0,y\n");
        let error = parse_models(&text, "t.csv").unwrap_err().to_string();
        assert!(
            error.contains("line 3: `a` has other model_bytes"),
            "{error}"
        );
    }
}
