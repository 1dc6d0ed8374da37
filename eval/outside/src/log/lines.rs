//! The lines of a log: numbers by name.

use super::{LogError, events};
use std::path::Path;

/// One line of a log, or one record of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Which, from 1.
    pub number: usize,
    /// `line` or `record`.
    pub what: &'static str,
    pub(super) values: Vec<(String, f64)>,
    /// Texts that are no numbers, and do not stand for a missing one.
    pub(super) texts: Vec<(String, String)>,
}

/// What programs write where there is no number.
const MISSING: [&str; 6] = ["", "-", "na", "n/a", "none", "null"];

impl Line {
    /// The number of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        let found = self.values.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| *value)
    }

    /// The text of a name, where a number was to be expected.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.texts.iter().find(|(n, _)| n == name);
        found.map(|(_, text)| text.as_str())
    }

    /// Takes what a line says of a name: a number, or a text.
    fn take(&mut self, name: &str, text: &str) {
        match text.parse() {
            Ok(number) => self.values.push((name.to_owned(), number)),
            Err(_) if MISSING.contains(&text.to_ascii_lowercase().as_str()) => {}
            Err(_) => self.texts.push((name.to_owned(), text.to_owned())),
        }
    }

    /// The names of its numbers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(name, _)| name.as_str())
    }
}

/// Reads a log: TensorBoard events, JSON lines, or CSV with a header line. Values that are
/// no numbers are of no use, and an error only where one is needed; those of objects in JSON
/// have dotted names.
///
/// # Errors
/// A file that cannot be read, or is none of these; the line that is wrong.
pub fn read(path: &Path) -> Result<Vec<Line>, LogError> {
    let io = |source| LogError::Read {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::read(path).map_err(io)?;
    read_bytes(path, bytes)
}

/// [`read`] of the content of a log; errors call it `path`.
///
/// # Errors
/// Content that is no log; the line that is wrong.
pub fn read_bytes(path: &Path, bytes: Vec<u8>) -> Result<Vec<Line>, LogError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.contains("tfevents") || events::are(&bytes) {
        return events::parse(path, &bytes);
    }
    let text = String::from_utf8(bytes).map_err(|error| LogError::Read {
        path: path.to_owned(),
        source: std::io::Error::other(error.utf8_error().to_string()),
    })?;
    parse(path, &text)
}

/// [`read`] of a text.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<Line>, LogError> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = match text.trim_start().chars().next() {
        Some('{') => json(path, text)?,
        Some('[') => {
            let what = "an array: a log has one JSON object a line";
            return Err(problem(path, 1, what.into()));
        }
        _ => csv(path, text)?,
    };
    match lines.is_empty() {
        true => Err(problem(path, 1, "there is nothing".into())),
        false => Ok(lines),
    }
}

fn problem(path: &Path, line: usize, problem: String) -> LogError {
    LogError::Line {
        path: path.to_owned(),
        what: "line",
        line,
        problem,
    }
}

fn json(path: &Path, text: &str) -> Result<Vec<Line>, LogError> {
    let mut lines = Vec::new();
    let all = text.lines().enumerate();
    for (i, line) in all.filter(|(_, line)| !line.trim().is_empty()) {
        let value = serde_json::from_str::<serde_json::Value>(line)
            .or_else(|error| serde_json::from_str(&quoted(line)).map_err(|_| error));
        let value = value.map_err(|error| problem(path, i + 1, json_fault(&error)))?;
        let mut line = Line {
            number: i + 1,
            what: "line",
            values: Vec::new(),
            texts: Vec::new(),
        };
        flatten("", &value, &mut line);
        lines.push(line);
    }
    Ok(lines)
}

/// A line whose numbers that are not finite, which JSON has no form for, are texts: `NaN`,
/// `Infinity` and `-Infinity`, as Python writes them.
fn quoted(line: &str) -> String {
    let mut out = String::new();
    // Every second part is within quotes, but for quotes that a `\\` is before.
    let mut within = false;
    for part in line.split_inclusive('"') {
        match within {
            true => out += part,
            false => {
                let part = part.replace("-Infinity", "\"-inf\"");
                out += &part
                    .replace("Infinity", "\"inf\"")
                    .replace("NaN", "\"NaN\"");
            }
        }
        let escaped = within && part.ends_with("\\\"");
        within ^= part.ends_with('"') && !escaped;
    }
    out
}

/// What is wrong with a line that is told beside it, and so without the number of the line in
/// itself, which is 1.
fn json_fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) => format!("{what} at column {}", error.column()),
        None => text,
    }
}

/// The same of CSV.
fn csv_fault(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} cells, where the header has {expected_len}"),
        _ => error.to_string(),
    }
}

fn flatten(name: &str, value: &serde_json::Value, out: &mut Line) {
    match value {
        serde_json::Value::Object(members) => {
            for (key, value) in members {
                let name = match name {
                    "" => key.clone(),
                    name => format!("{name}.{key}"),
                };
                flatten(&name, value, out);
            }
        }
        // As other programs write what is not finite: "NaN".
        serde_json::Value::String(text) => out.take(name, text.trim()),
        value => {
            let number = value.as_f64().map(|number| (name.to_owned(), number));
            out.values.extend(number);
        }
    }
}

fn csv(path: &Path, text: &str) -> Result<Vec<Line>, LogError> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let wrong = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        problem(path, line as usize, csv_fault(&error))
    };
    let headers = reader.headers().map_err(wrong)?.clone();
    if let [header] = headers.iter().collect::<Vec<_>>()[..]
        && let Some(separator) = header.chars().find(|c| matches!(c, ';' | '\t'))
    {
        let what = format!("cells are separated by {separator:?}; commas are needed");
        return Err(problem(path, 1, what));
    }
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let number = record.position().map_or(0, csv::Position::line) as usize;
        let mut line = Line {
            number,
            what: "line",
            values: Vec::new(),
            texts: Vec::new(),
        };
        for (name, cell) in headers.iter().zip(&record) {
            line.take(name, cell);
        }
        lines.push(line);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_say_the_same() {
        let of = |text: &str| parse(Path::new("log"), text).unwrap();
        let json = "{\"step\": 1, \"train\": {\"loss\": 2.5}, \"note\": \"x\"}\n\n{\"step\": 2, \"loss\": \"NaN\"}\n";
        let lines = of(json);
        assert_eq!(lines[0].get("train.loss"), Some(2.5));
        assert_eq!((lines[1].number, lines[1].get("step")), (3, Some(2.0)));
        assert!(lines[1].get("loss").unwrap().is_nan());
        let lines = of("\u{feff}# mine\nstep, loss,note\n1,2.5,x\n2,,\n");
        assert_eq!(lines[0].get("loss"), Some(2.5));
        assert_eq!((lines[1].number, lines[1].get("loss")), (4, None));
    }

    #[test]
    fn bad_lines_are_named() {
        let said = |text: &str| parse(Path::new("log"), text).unwrap_err().to_string();
        assert_eq!(
            said("{\"a\": 1}\n{\"a\":\n"),
            "log: line 2: EOF while parsing a value at column 5"
        );
        assert_eq!(
            said("a,b\n1,2\n1,2,3\n"),
            "log: line 3: 3 cells, where the header has 2"
        );
        assert!(said("").contains("there is nothing"));
        assert!(said("[{\"a\": 1}]").contains("one JSON object a line"));
        assert_eq!(
            said("step;loss\n1;2.5\n"),
            "log: line 1: cells are separated by ';'; commas are needed"
        );
    }

    /// Python's `json.dumps` writes what JSON has no form for.
    #[test]
    fn numbers_that_are_not_finite_are_read() {
        let text =
            "{\"loss\": NaN, \"a\": -Infinity, \"b\": Infinity, \"note\": \"is \\\"NaN\\\"\"}\n";
        let lines = parse(Path::new("log"), text).unwrap();
        assert!(lines[0].get("loss").unwrap().is_nan());
        assert_eq!(lines[0].get("a"), Some(f64::NEG_INFINITY));
        assert_eq!(lines[0].get("b"), Some(f64::INFINITY));
        assert_eq!(lines[0].text("note"), Some("is \"NaN\""));
    }
}
