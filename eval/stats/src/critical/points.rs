//! Measured points: where they come from and how they are grouped.

use super::CriticalError;
use brevity_length::Row;

pub use super::table::{Format, fields, parse_csv, parse_table, read_csv, read_table};

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
    /// What sets this ladder apart from others of the same source: which bytes of it, as
    /// `data.offset=1000000`, and settings other than size, such as `train.epochs=12`; empty
    /// when there is one ladder.
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
pub fn data_sizes(points: &[Point]) -> Vec<f64> {
    let mut sizes: Vec<f64> = points.iter().map(|p| p.data_bytes).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_length::AxisValue;

    #[test]
    fn other_parts_of_a_source_are_other_groups() {
        let row = |width: i64, offset: i64| {
            let mut row: Row = serde_json::from_value(serde_json::json!({
                "axes": {"model.width": width}, "parameters": 1000 * width, "seed": 0,
                "data": {"source": "t", "bytes": 4000, "hash": format!("h{offset}")},
                "state": "done", "regime": "in-sample", "raw_rate": 0.3,
            }))
            .unwrap();
            row.axes.set("data.offset", AxisValue::Integer(offset));
            row
        };
        let groups = groups(&from_rows(&[row(1, 0), row(1, 9), row(2, 0), row(2, 9)]));
        let names: Vec<&str> = groups.iter().map(|g| g[0].variant.as_str()).collect();
        assert_eq!(names, ["data.offset=0", "data.offset=9"]);
        assert!(groups.iter().all(|group| group.len() == 2));
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
