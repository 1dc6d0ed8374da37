//! The file of a sweep's rows, `results.json`.

use crate::Row;
use serde_json::Value;
use std::path::Path;

/// Why rows cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The file cannot be read.
    #[error(
        "cannot read {file}, which a sweep writes when a trial is done, or `brevity sweep \
         collect` where trials were run apart"
    )]
    Read {
        /// The file.
        file: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not JSON.
    #[error("{file} is not JSON")]
    Parse {
        /// The file.
        file: String,
        /// The position in the file, and the error.
        source: serde_json::Error,
    },
    /// The file is not a list of rows.
    #[error(
        "{file} holds no rows: it should be an array of objects, or an object with such an \
             array called `results`"
    )]
    Shape {
        /// The file.
        file: String,
    },
    /// A row is invalid.
    #[error("{file}, row {row}: {problem}")]
    Row {
        /// The file.
        file: String,
        /// Number of the row, from 1.
        row: usize,
        /// The field and its error.
        problem: String,
    },
}

/// Reads `results.json` in a sweep's folder, or the file itself.
///
/// # Errors
///
/// If the file cannot be read, is not an array of rows (or object with a `results`
/// array), or has a row of a later version or with a wrong or unknown field.
pub fn read(sweep: &Path) -> Result<Vec<Row>, RowError> {
    let path = if sweep.is_dir() {
        sweep.join("results.json")
    } else {
        sweep.to_owned()
    };
    let file = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|source| RowError::Read {
        file: file.clone(),
        source,
    })?;
    parse(&text, &file)
}

/// Like [`read`], but from text; errors name `file`.
///
/// # Errors
///
/// Those of [`read`].
pub fn parse(text: &str, file: &str) -> Result<Vec<Row>, RowError> {
    let value: Value = serde_json::from_str(text).map_err(|source| RowError::Parse {
        file: file.to_owned(),
        source,
    })?;
    let shape = || RowError::Shape {
        file: file.to_owned(),
    };
    let values = match value {
        Value::Array(rows) => rows,
        Value::Object(mut object) => match object.remove("results") {
            Some(Value::Array(rows)) => rows,
            _ => return Err(shape()),
        },
        _ => return Err(shape()),
    };
    let mut rows = Vec::with_capacity(values.len());
    for (i, value) in values.into_iter().enumerate() {
        let Value::Object(object) = value else {
            return Err(shape());
        };
        rows.push(Row::from_object(object).map_err(|problem| RowError::Row {
            file: file.to_owned(),
            row: i + 1,
            problem: problem.to_string(),
        })?);
    }
    in_one_order(&mut rows);
    Ok(rows)
}

/// Puts the axes of all rows into the order of their first occurrence: rows of one
/// setting are compared by their axes, whose order may differ between joined runs.
fn in_one_order(rows: &mut [Row]) {
    let mut order: Vec<String> = Vec::new();
    for key in rows.iter().flat_map(|row| row.axes.keys()) {
        if !order.iter().any(|known| known == key) {
            order.push(key.to_owned());
        }
    }
    for row in rows {
        row.axes.sort_by(&order);
    }
}
