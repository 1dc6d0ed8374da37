//! Config errors with file, line, column, the line itself, and the valid name nearest
//! to a misspelt one.

use std::fmt;
use std::ops::{Deref, DerefMut, Range};
use std::path::PathBuf;

use strsim::osa_distance;

/// A config that cannot be used. Its parts are those of [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Box<Fault>);

/// The error in a config, with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, or a name used in its place.
    pub file: PathBuf,
    /// The position in the file, if known.
    pub place: Option<Place>,
    /// The `--set` argument at fault, if any.
    pub set: Option<String>,
    /// Dotted name of the key at fault, if it is one key.
    pub key: Option<String>,
    /// The axes of the trial that the error is about.
    pub trial: Option<String>,
    /// What is wrong.
    pub message: String,
    /// A hint on how to fix it.
    pub help: Option<String>,
}

/// A position in a config file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The text of the line.
    pub text: String,
    /// Number of characters to mark, at least 1.
    pub width: usize,
}

impl Place {
    /// The position of a byte range of `text`.
    pub fn of(text: &str, range: &Range<usize>) -> Place {
        let start = floor_boundary(text, range.start);
        let end = floor_boundary(text, range.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[line_start..line_end].trim_end_matches('\r');
        Place {
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            text: line.to_string(),
            width: text[start..end.min(line_end)].chars().count().max(1),
        }
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl ConfigError {
    /// An error about a whole file.
    pub fn new(file: impl Into<PathBuf>, message: impl Into<String>) -> ConfigError {
        ConfigError(Box::new(Fault {
            file: file.into(),
            place: None,
            set: None,
            key: None,
            trial: None,
            message: message.into(),
            help: None,
        }))
    }

    /// The same error with the key at fault.
    pub fn with_key(mut self, key: impl Into<String>) -> ConfigError {
        self.key = Some(key.into());
        self
    }

    /// The same error with a hint.
    pub fn with_help(mut self, help: impl Into<String>) -> ConfigError {
        self.help = Some(help.into());
        self
    }
}

impl Deref for ConfigError {
    type Target = Fault;

    fn deref(&self) -> &Fault {
        &self.0
    }
}

impl DerefMut for ConfigError {
    fn deref_mut(&mut self) -> &mut Fault {
        &mut self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.set, &self.place) {
            (Some(set), _) => write!(f, "--set {set}: ")?,
            (None, Some(place)) => {
                let file = self.file.display();
                write!(f, "{file}:{}:{}: ", place.line, place.column)?;
            }
            (None, None) => write!(f, "{}: ", self.file.display())?,
        }
        match &self.key {
            Some(key) => write!(f, "{key}: {}", self.message)?,
            None => write!(f, "{}", self.message)?,
        }
        if let (None, Some(place)) = (&self.set, &self.place) {
            let number = place.line.to_string();
            let gutter = " ".repeat(number.len());
            // Tabs are kept so that the carets stand under the text.
            let indent: String = place
                .text
                .chars()
                .take(place.column - 1)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            write!(
                f,
                "\n {gutter} |\n {number} | {}\n {gutter} | {indent}{}",
                place.text,
                "^".repeat(place.width)
            )?;
        }
        if let Some(trial) = &self.trial {
            write!(f, "\n  in the trial with {trial}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Splits serde's message about an invalid value into our message and a hint with the
/// nearest valid name.
pub(crate) fn explain(message: &str) -> (String, Option<String>) {
    let message = message.trim_end();
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (kind, names) = match names.split_first() {
        Some((name, valid)) if message.starts_with("unknown field") => (("key", *name), valid),
        Some((name, valid)) if message.starts_with("unknown variant") => (("value", *name), valid),
        _ => return (in_plain_words(message), None),
    };
    let (kind, name) = kind;
    let help = match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`? Valid here: {}", names.join(", ")),
        None if names.is_empty() => "nothing is valid here".to_string(),
        None => format!("valid here: {}", names.join(", ")),
    };
    (format!("unknown {kind} `{name}`"), Some(help))
}

/// A message about a value of the wrong type, without the names of Rust's types.
fn in_plain_words(message: &str) -> String {
    let parts = || {
        let (kind, rest) = message.split_once(": ")?;
        let (given, expected) = rest.rsplit_once(", expected ")?;
        kind.starts_with("invalid ")
            .then(|| format!("{kind}: {}, expected {}", plain(given), plain(expected)))
    };
    parts().unwrap_or_else(|| message.to_owned())
}

/// What a file holds, by the name that serde has for it.
fn plain(name: &str) -> &str {
    match name {
        // A TOML integer is never too large for these two.
        "u64" | "usize" => "a whole number of at least 0",
        "u32" => "a whole number from 0 to 4294967295",
        "u16" => "a whole number from 0 to 65535",
        "u8" => "a whole number from 0 to 255",
        "i64" | "i32" | "i16" | "i8" | "isize" => "a whole number",
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "map" | "a map" => "a table",
        "sequence" | "a sequence" => "an array",
        _ if name.starts_with("struct ") => "a table",
        _ => name,
    }
}

/// The candidate nearest to `name`, if any is near enough to be a misspelling of it.
fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let most = (name.chars().count() / 3).max(1) + 1;
    candidates
        .iter()
        .map(|candidate| (osa_distance(&name, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, candidate)| *distance <= most && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_name() {
        let names = ["width", "layers", "heads", "hidden", "context"];
        assert_eq!(nearest("widht", &names), Some("width"));
        assert_eq!(nearest("Layer", &names), Some("layers"));
        assert_eq!(nearest("contxet", &names), Some("context"));
        assert_eq!(nearest("temperature", &names), None);
        assert_eq!(nearest("x", &["d"]), None);
    }

    #[test]
    fn places_count_characters_and_survive_the_end_of_the_text() {
        let text = "a = 1\r\nβ = 2\n";
        let at = text.find('2').unwrap();
        let place = Place::of(text, &(at..at + 1));
        assert_eq!((place.line, place.column, place.width), (2, 5, 1));
        assert_eq!(place.text, "β = 2");
        let place = Place::of(text, &(1000..1001));
        assert_eq!((place.line, place.column, place.width), (3, 1, 1));
    }

    #[test]
    fn serde_messages_become_hints() {
        let (message, help) =
            explain("unknown field `widht`, expected one of `width`, `layers`, `heads`");
        assert_eq!(message, "unknown key `widht`");
        assert_eq!(
            help.unwrap(),
            "did you mean `width`? Valid here: width, layers, heads"
        );
        let (message, help) = explain("missing field `data`");
        assert_eq!((&message[..], help), ("missing field `data`", None));
    }

    #[test]
    fn types_have_no_names_of_rust() {
        for (message, plain) in [
            (
                "invalid type: string \"a, expected b\", expected usize",
                "invalid type: string \"a, expected b\", expected a whole number of at least 0",
            ),
            (
                "invalid value: integer `-5`, expected u64",
                "invalid value: integer `-5`, expected a whole number of at least 0",
            ),
            (
                "invalid value: integer `5000000000`, expected u32",
                "invalid value: integer `5000000000`, expected a whole number from 0 to 4294967295",
            ),
            (
                "invalid type: map, expected f64",
                "invalid type: a table, expected a number",
            ),
            (
                "invalid type: integer `3`, expected struct DataConfig",
                "invalid type: integer `3`, expected a table",
            ),
        ] {
            assert_eq!(explain(message), (plain.to_owned(), None));
        }
    }
}
