//! Points from anybody's table.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{CriticalError, Point};

/// Reads a table: a header line, then one line a point, comma-separated; cells may be
/// quoted, and a byte order mark is passed over.
///
/// Needed columns: `parameters`, `data_bytes`, and `bits_per_byte` or `raw_rate`
/// (a fraction: coded over raw bytes). Optional: `model_bytes` (otherwise
/// `bytes_per_parameter` times parameters), `seed`, `source`, `regime`,
/// `variant`, `convention`. Other columns are ignored, and so are lines that start with `#`.
///
/// # Errors
///
/// Names the file and the line when a column is missing, a value is no number or none that
/// a measurement can have, or there is no point.
pub fn read_csv(path: &Path, bytes_per_parameter: f64) -> Result<Vec<Point>, CriticalError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| CriticalError::Read {
        file: file.clone(),
        source,
    })?;
    parse_csv(&text, &file, bytes_per_parameter)
}

/// As [`read_csv`], from text; `file` is its name in messages.
///
/// # Errors
///
/// As [`read_csv`].
pub fn parse_csv(
    text: &str,
    file: &str,
    bytes_per_parameter: f64,
) -> Result<Vec<Point>, CriticalError> {
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
    let columns = Columns::of(&header).map_err(|text| problem(header_line, text))?;
    let default_convention = if bytes_per_parameter == 2.0 {
        "fp16".to_owned()
    } else {
        format!("{bytes_per_parameter} bytes a parameter")
    };
    let mut points = Vec::new();
    for record in records {
        let (line, cells) = record?;
        let point = columns.point(&cells, bytes_per_parameter, &default_convention);
        points.push(point.map_err(|text| problem(line, text))?);
    }
    if points.is_empty() {
        return Err(problem(header_line, "no points below the header".into()));
    }
    Ok(points)
}

/// Where each value of a point stands.
struct Columns {
    names: Vec<String>,
    parameters: usize,
    data_bytes: usize,
    loss: usize,
    /// 8 where the loss is a rate.
    to_bits: f64,
}

/// A rate above this is no fraction: incompressible bytes have 1.
const MOST_RATE: f64 = 2.0;

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, String> {
        let names: Vec<String> = header.iter().map(str::to_owned).collect();
        let column = |name: &str| names.iter().position(|n| n == name);
        let need = |name: &str| {
            let missing = || format!("no column `{name}`; the header has {}", names.join(", "));
            column(name).ok_or_else(missing)
        };
        let (parameters, data_bytes) = (need("parameters")?, need("data_bytes")?);
        let (loss, to_bits) = match (column("bits_per_byte"), column("raw_rate")) {
            (Some(at), _) => (at, 1.0),
            (None, Some(at)) => (at, 8.0),
            (None, None) => {
                return Err("no column `bits_per_byte` and no column `raw_rate`".into());
            }
        };
        Ok(Self {
            parameters,
            data_bytes,
            loss,
            to_bits,
            names,
        })
    }

    fn point(
        &self,
        cells: &StringRecord,
        bytes_per_parameter: f64,
        default_convention: &str,
    ) -> Result<Point, String> {
        if cells.len() != self.names.len() {
            return Err(format!(
                "{} values for {} columns",
                cells.len(),
                self.names.len()
            ));
        }
        let column = |name: &str| self.names.iter().position(|n| n == name);
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
        let text = |name: &str| column(name).map(|at| cells[at].to_owned());
        let parameters = number(self.parameters)?;
        let loss = number(self.loss)?;
        if self.to_bits == 8.0 && loss > MOST_RATE {
            return Err(format!(
                "raw_rate is {loss}; it is a fraction, coded over raw bytes: divide percent by 100"
            ));
        }
        Ok(Point {
            parameters,
            data_bytes: number(self.data_bytes)?,
            bits_per_byte: self.to_bits * loss,
            model_bytes: match column("model_bytes") {
                Some(at) => number(at)?,
                None => bytes_per_parameter * parameters,
            },
            seed: column("seed").map_or(Ok(0), |at| seed(&cells[at]))?,
            convention: text("convention").unwrap_or_else(|| default_convention.to_owned()),
            regime: text("regime").unwrap_or_default(),
            source: text("source").unwrap_or_default(),
            variant: text("variant").unwrap_or_default(),
            scored_hash: String::new(),
        })
    }
}

/// A whole number, also as other programs write it: `0.0`.
fn seed(cell: &str) -> Result<u64, String> {
    let whole = |value: &f64| value.fract() == 0.0 && (0.0..=9e15).contains(value);
    let by_parts = || {
        cell.parse::<f64>()
            .ok()
            .filter(whole)
            .map(|value| value as u64)
    };
    let parsed = cell.parse().ok().or_else(by_parts);
    parsed.ok_or_else(|| format!("seed is `{cell}`, no whole number"))
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
