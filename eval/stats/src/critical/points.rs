//! Measured points: where they come from and how they are grouped.

use std::path::Path;

use super::CriticalError;
use brevity_length::Row;

/// One trained model: its size, what it described, and how well.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Parameters of the model.
    pub parameters: f64,
    /// Bytes described.
    pub data_bytes: f64,
    /// Code length of the data, bits per byte, without the model.
    pub bits_per_byte: f64,
    /// Bytes that the model costs under `convention`.
    pub model_bytes: f64,
    /// Seed of the training run.
    pub seed: u64,
    /// How model bytes are counted.
    pub convention: String,
    /// Relation of the data to the training data.
    pub regime: String,
    /// Where the data came from.
    pub source: String,
    /// Settings other than size that set this ladder apart from others on the
    /// same data, such as `train.epochs=12`; empty when there is one ladder.
    pub variant: String,
    /// Hash of the bytes described; empty when not known.
    pub scored_hash: String,
}

impl Point {
    /// A point at two bytes a parameter, the paper's convention.
    #[must_use]
    pub fn new(parameters: f64, data_bytes: f64, bits_per_byte: f64) -> Self {
        Self {
            parameters,
            data_bytes,
            bits_per_byte,
            model_bytes: 2.0 * parameters,
            seed: 0,
            convention: "fp16".into(),
            regime: String::new(),
            source: String::new(),
            variant: String::new(),
            scored_hash: String::new(),
        }
    }

    /// (coded + model bytes) / data bytes.
    #[must_use]
    pub fn adjusted_rate(&self) -> f64 {
        self.bits_per_byte / 8.0 + self.model_bytes / self.data_bytes
    }

    pub(crate) fn group_name(&self) -> String {
        super::group_name(
            &self.source,
            self.data_bytes,
            &[&self.regime, &self.variant, &self.convention],
        )
    }

    fn same_group(&self, other: &Self) -> bool {
        self.data_bytes == other.data_bytes && self.same_series(other)
    }

    /// All but the data size agree.
    pub fn same_series(&self, other: &Self) -> bool {
        self.source == other.source
            && self.regime == other.regime
            && self.convention == other.convention
            && self.variant == other.variant
    }
}

/// Points of all scored rows, one for each convention that a row prices.
///
/// The loss is the one that goes with the convention: coded bytes are what the
/// adjusted rate leaves after the model, so weights that were quantised to be
/// stored are judged by their own code length. Prequential codes are left out:
/// they have no critical size.
#[must_use]
pub fn from_rows(rows: &[Row]) -> Vec<Point> {
    let mut points = Vec::new();
    let rows: Vec<&Row> = rows
        .iter()
        .filter(|row| row.is_candidate() && !row.is_prequential())
        .collect();
    for (row, variant) in rows.iter().zip(brevity_length::variants(&rows)) {
        for convention in row.conventions() {
            let (Some(coded), Some(model)) = (
                row.coded(convention.as_str()),
                row.model(convention.as_str()),
            ) else {
                continue;
            };
            points.push(Point {
                parameters: row.parameters as f64,
                data_bytes: row.charged_to() as f64,
                bits_per_byte: 8.0 * coded / row.charged_to() as f64,
                model_bytes: model,
                seed: row.seed.unwrap_or(0),
                convention: convention.into(),
                regime: row.regime_name().to_owned(),
                source: row.data.source.clone(),
                variant: variant.clone(),
                scored_hash: row.scored_hash().to_owned(),
            });
        }
    }
    points
}

/// Reads a table: a header line, then one line a point, comma-separated.
///
/// Needed columns: `parameters`, `data_bytes`, and `bits_per_byte` or `raw_rate`
/// (a fraction: coded over raw bytes). Optional: `model_bytes` (otherwise
/// `bytes_per_parameter` times parameters), `seed`, `source`, `regime`,
/// `variant`, `convention`. Other columns are ignored, and so are lines that start with `#`.
///
/// # Errors
///
/// Names the file and the line when a column is missing or a value is no number.
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
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let problem = |line: usize, problem: String| CriticalError::Table {
        file: file.to_owned(),
        line,
        problem,
    };
    let (header_line, header) = lines.next().ok_or(CriticalError::Empty)?;
    let names: Vec<&str> = header.split(',').map(str::trim).collect();
    let column = |name: &str| names.iter().position(|n| *n == name);
    let need = |name: &str| {
        column(name).ok_or_else(|| {
            problem(
                header_line,
                format!("no column `{name}`; the header has {}", names.join(", ")),
            )
        })
    };
    let (parameters, data_bytes) = (need("parameters")?, need("data_bytes")?);
    let (loss, to_bits) = match column("bits_per_byte") {
        Some(at) => (at, 1.0),
        None => (
            column("raw_rate").ok_or_else(|| {
                problem(
                    header_line,
                    "no column `bits_per_byte` and no column `raw_rate`".into(),
                )
            })?,
            8.0,
        ),
    };
    let default_convention = if bytes_per_parameter == 2.0 {
        "fp16".to_owned()
    } else {
        format!("{bytes_per_parameter} bytes a parameter")
    };
    let mut points = Vec::new();
    for (line, content) in lines {
        let cells: Vec<&str> = content.split(',').map(str::trim).collect();
        if cells.len() != names.len() {
            return Err(problem(
                line,
                format!("{} values for {} columns", cells.len(), names.len()),
            ));
        }
        let number = |at: usize| {
            cells[at]
                .parse::<f64>()
                .map_err(|_| problem(line, format!("{} is `{}`, no number", names[at], cells[at])))
        };
        let text = |name: &str| column(name).map(|at| cells[at].to_owned());
        let parameters = number(parameters)?;
        let seed = match column("seed") {
            Some(at) => cells[at]
                .parse()
                .map_err(|_| problem(line, format!("seed is `{}`, no whole number", cells[at])))?,
            None => 0,
        };
        points.push(Point {
            parameters,
            data_bytes: number(data_bytes)?,
            bits_per_byte: to_bits * number(loss)?,
            model_bytes: match column("model_bytes") {
                Some(at) => number(at)?,
                None => bytes_per_parameter * parameters,
            },
            seed,
            convention: text("convention").unwrap_or_else(|| default_convention.clone()),
            regime: text("regime").unwrap_or_default(),
            source: text("source").unwrap_or_default(),
            variant: text("variant").unwrap_or_default(),
            scored_hash: String::new(),
        });
    }
    Ok(points)
}

/// Refuses values that no measurement can have.
pub(crate) fn check(points: &[Point]) -> Result<(), CriticalError> {
    if points.is_empty() {
        return Err(CriticalError::Empty);
    }
    for (index, p) in points.iter().enumerate() {
        let fields = [
            ("parameters", p.parameters),
            ("data_bytes", p.data_bytes),
            ("bits_per_byte", p.bits_per_byte),
            ("model_bytes", p.model_bytes),
        ];
        for (field, value) in fields {
            if !(value.is_finite() && value > 0.0) {
                return Err(CriticalError::BadPoint {
                    index,
                    field,
                    value,
                });
            }
        }
    }
    Ok(())
}

/// Points of one source, regime, convention and data size together, in order of
/// first appearance, data sizes increasing within a series.
pub fn groups(points: &[Point]) -> Vec<Vec<Point>> {
    let mut found = Vec::new();
    for mut series in collect(points, Point::same_series) {
        series.sort_by(|x, y| x.data_bytes.total_cmp(&y.data_bytes));
        found.extend(collect(&series, Point::same_group));
    }
    found
}

/// Points that `same` holds for, gathered in order of first appearance.
pub fn collect(points: &[Point], same: impl Fn(&Point, &Point) -> bool) -> Vec<Vec<Point>> {
    let mut found: Vec<Vec<Point>> = Vec::new();
    for point in points {
        match found.iter_mut().find(|group| same(&group[0], point)) {
            Some(group) => group.push(point.clone()),
            None => found.push(vec![point.clone()]),
        }
    }
    found
}

/// One point a size, increasing: loss and model bytes averaged over seeds.
pub fn mean_by_size(group: &[Point]) -> Vec<Point> {
    let mut sorted = group.to_vec();
    sorted.sort_by(|x, y| x.parameters.total_cmp(&y.parameters));
    sorted
        .chunk_by(|x, y| x.parameters == y.parameters)
        .map(|same| {
            let mean = |f: fn(&Point) -> f64| same.iter().map(f).sum::<f64>() / same.len() as f64;
            Point {
                bits_per_byte: mean(|p| p.bits_per_byte),
                model_bytes: mean(|p| p.model_bytes),
                ..same[0].clone()
            }
        })
        .collect()
}

/// The data sizes among the points, the smallest first.
pub(super) fn data_sizes(points: &[Point]) -> Vec<f64> {
    let mut sizes: Vec<f64> = points.iter().map(|p| p.data_bytes).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    sizes
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
    fn bad_tables_are_named_by_line() {
        let cases = [
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
        ];
        for (text, message) in cases {
            let error = parse_csv(text, "t.csv", 2.0).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn groups_keep_data_sizes_apart_and_in_order() {
        let points = [
            Point::new(1e3, 1e6, 3.0),
            Point::new(1e3, 1e5, 3.0),
            Point::new(2e3, 1e6, 3.0),
        ];
        let groups = groups(&points);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0][0].data_bytes, 1e5);
        assert_eq!(groups[1].len(), 2);
    }
}
