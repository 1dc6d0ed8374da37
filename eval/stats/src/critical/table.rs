//! Points from anybody's table.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{CriticalError, Point};

/// How a table is to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Format {
    /// Model bytes of a parameter, where there is no column `model_bytes`.
    pub bytes_per_parameter: f64,
    /// Bytes of a token, where amounts or losses are told by token. 1 leaves tokens as they
    /// are: what is described is then so many tokens, and the loss is bits a token.
    pub bytes_per_token: f64,
    /// Fields with the names of their columns, where these differ: `("tokens", "train_tok")`.
    pub columns: Vec<(String, String)>,
}

impl Default for Format {
    fn default() -> Self {
        Self {
            bytes_per_parameter: 2.0,
            bytes_per_token: 1.0,
            columns: Vec::new(),
        }
    }
}

/// Fields that say how much data there is, one of which is needed.
const AMOUNTS: [&str; 3] = ["data_bytes", "tokens", "flops"];

/// Fields that say the loss, one of which is needed, with the bits a byte or a token of each.
const LOSSES: [(&str, f64); 5] = [
    ("bits_per_byte", 1.0),
    ("raw_rate", 8.0),
    ("nats_per_byte", std::f64::consts::LOG2_E),
    ("bits_per_token", 1.0),
    ("nats_per_token", std::f64::consts::LOG2_E),
];

/// Fields that may be there.
const OPTIONAL: [&str; 6] = [
    "model_bytes",
    "seed",
    "source",
    "regime",
    "variant",
    "convention",
];

/// Names of all fields of a table.
pub fn fields() -> impl Iterator<Item = &'static str> {
    ["parameters"]
        .into_iter()
        .chain(AMOUNTS)
        .chain(LOSSES.map(|(name, _)| name))
        .chain(OPTIONAL)
}

/// Reads a table: a header line, then one line a point, comma-separated; cells may be
/// quoted, and a byte order mark is passed over.
///
/// Needed are three fields:
///
/// - `parameters`;
/// - how much data: `data_bytes`, `tokens`, or `flops` of a training that saw its data once
///   (`6 N` a token);
/// - the loss: `bits_per_byte`, `raw_rate` (a fraction: coded over raw bytes),
///   `nats_per_byte`, `bits_per_token` or `nats_per_token`.
///
/// Optional: `model_bytes` (otherwise
/// `bytes_per_parameter` times parameters), `seed`, `source`, `regime`,
/// `variant`, `convention`. Other columns are ignored, and so are lines that start with `#`.
///
/// # Errors
///
/// Names the file and the line when a column is missing, a value is no number or none that
/// a measurement can have, or there is no point.
pub fn read_table(path: &Path, format: &Format) -> Result<Vec<Point>, CriticalError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| CriticalError::Read {
        file: file.clone(),
        source,
    })?;
    parse_table(&text, &file, format)
}

/// As [`read_table`], with columns named like the fields.
///
/// # Errors
///
/// As [`read_table`].
pub fn read_csv(path: &Path, bytes_per_parameter: f64) -> Result<Vec<Point>, CriticalError> {
    read_table(path, &of_bytes(bytes_per_parameter))
}

/// As [`read_csv`], from text; `file` is its name in messages.
///
/// # Errors
///
/// As [`read_table`].
pub fn parse_csv(
    text: &str,
    file: &str,
    bytes_per_parameter: f64,
) -> Result<Vec<Point>, CriticalError> {
    parse_table(text, file, &of_bytes(bytes_per_parameter))
}

fn of_bytes(bytes_per_parameter: f64) -> Format {
    Format {
        bytes_per_parameter,
        ..Format::default()
    }
}

/// As [`read_table`], from text; `file` is its name in messages.
///
/// # Errors
///
/// As [`read_table`].
pub fn parse_table(text: &str, file: &str, format: &Format) -> Result<Vec<Point>, CriticalError> {
    let problem = |line: u64, problem: String| CriticalError::Table {
        file: file.to_owned(),
        line: line as usize,
        problem,
    };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .comment(Some(b'#'))
        .trim(Trim::All)
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut records = reader.records().map(|record| {
        record
            .map(|record| (record.position().map_or(0, csv::Position::line), record))
            .map_err(|error| {
                let line = error.position().map_or(0, csv::Position::line);
                problem(line, error.to_string())
            })
    });
    let (header_line, header) = records
        .next()
        .ok_or_else(|| problem(1, "the file is empty; a header line is needed".into()))??;
    let columns = Columns::of(&header, format).map_err(|text| problem(header_line, text))?;
    let mut points = Vec::new();
    for record in records {
        let (line, cells) = record?;
        let point = columns.point(&cells);
        points.push(point.map_err(|text| problem(line, text))?);
    }
    if points.is_empty() {
        return Err(problem(header_line, "no points below the header".into()));
    }
    Ok(points)
}

/// Where each value of a point stands.
struct Columns<'a> {
    format: &'a Format,
    names: Vec<String>,
    parameters: usize,
    /// Field and place of the amount of data.
    amount: (&'static str, usize),
    /// Field and place of the loss, and its bits.
    loss: (&'static str, usize, f64),
    optional: [Option<usize>; OPTIONAL.len()],
}

/// A rate above this is no fraction: incompressible bytes have 1.
const MOST_RATE: f64 = 2.0;

impl<'a> Columns<'a> {
    fn of(header: &StringRecord, format: &'a Format) -> Result<Self, String> {
        let names: Vec<String> = header.iter().map(str::to_owned).collect();
        let has = || format!("the header has {}", names.join(", "));
        let place = |name: &str| names.iter().position(|n| n == name);
        for (field, name) in &format.columns {
            if !fields().any(|known| known == field) {
                let known: Vec<&str> = fields().collect();
                return Err(format!(
                    "no field `{field}`; there are {}",
                    known.join(", ")
                ));
            }
            if place(name).is_none() {
                return Err(format!("no column `{name}` for {field}; {}", has()));
            }
        }
        let given = |field: &str| {
            let of = format.columns.iter().find(|(of, _)| of == field);
            of.and_then(|(_, name)| place(name))
        };
        let column = |field: &str| given(field).or_else(|| place(field));
        // A column that was named outdoes one that happens to have the name of a field.
        let first = |fields: &[&'static str]| {
            let named = fields.iter().find_map(|f| given(f).map(|at| (*f, at)));
            named.or_else(|| fields.iter().find_map(|f| place(f).map(|at| (*f, at))))
        };
        let none = |fields: &[&str]| {
            let fields = fields.join("`, `");
            format!(
                "no column `{fields}`; {}; another name is told by --column FIELD=NAME",
                has()
            )
        };
        let parameters = column("parameters").ok_or_else(|| none(&["parameters"]))?;
        let amount = first(&AMOUNTS).ok_or_else(|| none(&AMOUNTS))?;
        let losses = LOSSES.map(|(name, _)| name);
        let (loss, at) = first(&losses).ok_or_else(|| none(&losses))?;
        let bits = LOSSES.iter().find(|(name, _)| *name == loss);
        let optional = OPTIONAL.map(column);
        let used = [parameters, amount.1, at].into_iter();
        for at in used.chain(optional.into_iter().flatten()) {
            once(names.iter().map(String::as_str), &names[at])?;
        }
        Ok(Self {
            format,
            parameters,
            amount,
            loss: (loss, at, bits.map_or(1.0, |(_, bits)| *bits)),
            optional,
            names,
        })
    }

    fn point(&self, cells: &StringRecord) -> Result<Point, String> {
        if cells.len() != self.names.len() {
            return Err(format!(
                "{} values for {} columns",
                cells.len(),
                self.names.len()
            ));
        }
        let number = |at: usize| {
            let (name, cell) = (&self.names[at], &cells[at]);
            let value: f64 = cell
                .parse()
                .map_err(|_| format!("{name} is `{cell}`, no number"))?;
            match value.is_finite() && value > 0.0 {
                true => Ok(value),
                false => Err(format!(
                    "{name} is {value}; it must be a positive finite number"
                )),
            }
        };
        let Format {
            bytes_per_parameter,
            bytes_per_token,
            ..
        } = *self.format;
        let parameters = number(self.parameters)?;
        let amount = number(self.amount.1)?;
        let data_bytes = match self.amount.0 {
            "tokens" => amount * bytes_per_token,
            "flops" => amount / (6.0 * parameters) * bytes_per_token,
            _ => amount,
        };
        let (field, at, bits) = self.loss;
        let loss = number(at)?;
        if field == "raw_rate" && loss > MOST_RATE {
            return Err(format!(
                "raw_rate is {loss}; it is a fraction, coded over raw bytes: divide percent by 100"
            ));
        }
        let symbols = match field {
            "bits_per_token" | "nats_per_token" => bytes_per_token,
            _ => 1.0,
        };
        let [model, seed, source, regime, variant, convention] = self.optional;
        let text = |at: Option<usize>| at.map(|at| cells[at].to_owned());
        Ok(Point {
            parameters,
            data_bytes,
            bits_per_byte: bits * loss / symbols,
            model_bytes: match model {
                Some(at) => number(at)?,
                None => bytes_per_parameter * parameters,
            },
            seed: seed.map_or(Ok(0), |at| whole(&self.names[at], &cells[at]))?,
            convention: text(convention).unwrap_or_else(|| match bytes_per_parameter {
                2.0 => "fp16".to_owned(),
                other => format!("{other} bytes a parameter"),
            }),
            source: text(source).unwrap_or_default(),
            regime: text(regime).unwrap_or_default(),
            variant: text(variant).unwrap_or_default(),
            scored_hash: String::new(),
        })
    }
}

/// Refuses a column that is there twice: which of the two is meant, nothing says.
pub(crate) fn once<'a>(
    mut header: impl Iterator<Item = &'a str>,
    name: &str,
) -> Result<(), String> {
    let twice = header.any(|other| other == name) && header.any(|other| other == name);
    match twice {
        true => Err(format!("the header has `{name}` twice")),
        false => Ok(()),
    }
}

/// A whole number, also as other programs write it: `0.0`.
fn whole(name: &str, cell: &str) -> Result<u64, String> {
    let is_whole = |value: &f64| value.fract() == 0.0 && (0.0..=9e15).contains(value);
    let by_parts = || {
        cell.parse::<f64>()
            .ok()
            .filter(is_whole)
            .map(|value| value as u64)
    };
    let parsed = cell.parse().ok().or_else(by_parts);
    parsed.ok_or_else(|| format!("{name} is `{cell}`, no whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_needs_only_three_columns() {
        let text = "# mine\nparameters, data_bytes, raw_rate\n1000,1e6,0.5\n";
        let points = parse_csv(text, "t.csv", 1.0).unwrap();
        assert_eq!(points[0].bits_per_byte, 4.0);
        assert_eq!(points[0].model_bytes, 1000.0);
    }

    #[test]
    fn a_column_that_is_there_twice_is_refused_if_it_is_read() {
        let read = |header: &str| {
            let text = format!("{header}\n1000,1000000,4.18,6.27\n");
            parse_csv(&text, "t.csv", 2.0).map_err(|error| error.to_string())
        };
        let twice = "parameters,data_bytes,bits_per_byte,bits_per_byte";
        let error = read(twice).unwrap_err();
        assert_eq!(error, "t.csv: line 1: the header has `bits_per_byte` twice");
        let text = "note,parameters,note,data_bytes,bits_per_byte\na,1000,b,1e6,4.18\n";
        assert_eq!(parse_csv(text, "t.csv", 2.0).unwrap().len(), 1);
    }

    #[test]
    fn tables_of_other_programs_are_read() {
        let marked = "\u{feff}parameters,data_bytes,bits_per_byte\n1000,1000000,4.18\n";
        assert_eq!(
            parse_csv(marked, "t.csv", 2.0).unwrap()[0].parameters,
            1000.0
        );
        let quoted = "\"parameters\",\"data_bytes\",\"bits_per_byte\",\"note\",\"seed\"\n\
                      1000,1000000,4.18,\"run 1, redo\",3.0\n";
        assert_eq!(parse_csv(quoted, "t.csv", 2.0).unwrap()[0].seed, 3);
    }

    #[test]
    fn tokens_nats_and_operations_are_turned_into_bytes_and_bits() {
        let format = Format {
            bytes_per_token: 4.0,
            columns: [("parameters", "N"), ("nats_per_token", "val loss")]
                .map(|(field, name)| (field.to_owned(), name.to_owned()))
                .into(),
            ..Format::default()
        };
        let nats = 2.0 * std::f64::consts::LN_2;
        let by_tokens = format!("N,tokens,val loss\n1000,20000,{nats}\n");
        let by_flops = format!("N,flops,val loss\n1000,1.2e8,{nats}\n");
        for text in [by_tokens, by_flops] {
            let point = &parse_table(&text, "t.csv", &format).unwrap()[0];
            assert_eq!((point.parameters, point.data_bytes), (1000.0, 80_000.0));
            assert!((point.bits_per_byte - 0.5).abs() < 1e-12, "{point:?}");
        }
        let wrong = |field: &str, name: &str, message: &str| {
            let format = Format {
                columns: vec![(field.into(), name.into())],
                ..Format::default()
            };
            let text = "N,tokens,loss\n1,2,3\n";
            let error = parse_table(text, "t.csv", &format).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        };
        wrong(
            "size",
            "N",
            "no field `size`; there are parameters, data_bytes",
        );
        wrong(
            "parameters",
            "n",
            "no column `n` for parameters; the header has N",
        );
        wrong("parameters", "N", "no column `bits_per_byte`, `raw_rate`");
    }

    #[test]
    fn bad_tables_are_named_by_line() {
        let cases = [
            ("", "t.csv: line 1: the file is empty"),
            (
                "parameters,data_bytes,raw_rate\n",
                "t.csv: line 1: no points",
            ),
            (
                "parameters,bits_per_byte\n1,2\n",
                "t.csv: line 1: no column `data_bytes`",
            ),
            (
                "parameters,data_bytes\n1,2\n",
                "t.csv: line 1: no column `bits_per_byte`",
            ),
            (
                "parameters,data_bytes,raw_rate\n1,2,x\n",
                "t.csv: line 2: raw_rate is `x`, no number",
            ),
            (
                "parameters,data_bytes,raw_rate\n1,2\n",
                "t.csv: line 2: 2 values for 3 columns",
            ),
            (
                "# a\nparameters,data_bytes,bits_per_byte\n1,2,3\n1,2,NaN\n",
                "t.csv: line 4: bits_per_byte is NaN",
            ),
            (
                "parameters,data_bytes,raw_rate\n1000,1000000,52.251\n",
                "t.csv: line 2: raw_rate is 52.251; it is a fraction",
            ),
            (
                "parameters,data_bytes,raw_rate,seed\n1,2,1,0.5\n",
                "t.csv: line 2: seed is `0.5`",
            ),
        ];
        for (text, message) in cases {
            let error = parse_csv(text, "t.csv", 2.0).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
