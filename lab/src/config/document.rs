//! A TOML file with the position of each key, and with `--set` values laid over it.

use super::error::{ConfigError, Place, explain};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// A parsed config file with `--set` arguments laid over it.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    file: PathBuf,
    text: String,
    /// Byte range of each key, by its dotted name; for an element of an array, that of
    /// the value.
    places: BTreeMap<String, Range<usize>>,
    /// The `--set` argument that set a key, by the key's dotted name.
    sets: BTreeMap<String, String>,
    table: Table,
}

/// Deepest nesting of a key; tables are walked recursively.
const MOST_LEVELS: usize = 16;

impl Document {
    /// Parses `text`; errors name `file`.
    pub fn parse(file: &Path, text: &str) -> Result<Document, ConfigError> {
        let mut document = Document {
            file: file.to_path_buf(),
            text: text.to_string(),
            places: BTreeMap::new(),
            sets: BTreeMap::new(),
            table: Table::new(),
        };
        let spanned = DeTable::parse(text).map_err(|e| document.toml_error(&e))?;
        collect_places("", spanned.get_ref(), &mut document.places);
        document.table = toml::from_str(text).map_err(|e| document.toml_error(&e))?;
        Ok(document)
    }

    /// The file's name.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values, with every `--set` applied.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The file without `--set`, as a `T`; errors carry exact positions.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        toml::from_str(&self.text).map_err(|e| self.toml_error(&e))
    }

    /// Applies one `--set key=value`.
    pub fn set(&mut self, argument: &str) -> Result<(), ConfigError> {
        let fault = |message: &str| {
            let mut error = ConfigError::new(&self.file, message);
            error.set = Some(argument.to_string());
            error.with_help("write --set table.key=value, the value as in TOML")
        };
        let (key, value) = argument
            .split_once('=')
            .ok_or_else(|| fault("there is no `=`"))?;
        let key = key.trim();
        if key.split('.').any(|part| part.trim().is_empty()) {
            return Err(fault("the key is not a dotted name"));
        }
        let levels = key.split('.').count();
        if levels > MOST_LEVELS {
            return Err(fault(&format!(
                "the key has {levels} levels, and no key of a config has more than {MOST_LEVELS}"
            )));
        }
        let value = parse_value(value.trim()).map_err(|message| fault(&message))?;
        assign(&mut self.table, key, value).map_err(|message| fault(&message))?;
        self.sets.insert(key.to_string(), argument.to_string());
        Ok(())
    }

    /// The keys that `--set` changed, each with its argument.
    pub fn sets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sets.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The value of a dotted key, if it has one.
    pub fn value(&self, key: &str) -> Option<&Value> {
        let mut parts = key.split('.');
        let first = self.table.get(parts.next()?);
        parts.fold(first, |value, part| value?.get(part))
    }

    /// The same document without these keys or tables.
    pub fn without(&self, keys: &[&str]) -> Document {
        let mut document = self.clone();
        for key in keys {
            remove(&mut document.table, key);
        }
        document
    }

    /// An error about `key`, at the position that set its value; at its table when the
    /// key is absent from the file.
    pub fn error(&self, key: &str, message: impl Into<String>) -> ConfigError {
        let mut error = ConfigError::new(&self.file, message).with_key(key);
        // What a `--set` lays over the file hides all that the file has below its key.
        error.set = ancestors(key).find_map(|key| self.sets.get(key).cloned());
        if error.set.is_none() {
            let range = ancestors(key).find_map(|key| self.places.get(key));
            error.place = range.map(|range| Place::of(&self.text, range));
        }
        error
    }

    /// Moves an error about a value to the position that set it.
    pub fn value_error(&self, key: &str, error: &toml::de::Error) -> ConfigError {
        let (message, help) = explain(error.message());
        let mut error = self.error(key, message);
        error.help = help;
        error
    }

    fn toml_error(&self, error: &toml::de::Error) -> ConfigError {
        let (message, help) = explain(error.message());
        let mut place = error.span().filter(|range| !range.is_empty());
        if place.is_none() && !message.starts_with("missing field") {
            place = error.span();
        }
        let mut out = ConfigError::new(&self.file, message);
        out.place = place.map(|range| Place::of(&self.text, &range));
        out.help = help;
        out
    }
}

/// A dotted key, then each table around it, the innermost first.
fn ancestors(key: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(key), |key| {
        key.rsplit_once('.').map(|(table, _)| table)
    })
}

/// A value as `--set` takes it: TOML, or a bare word for a string, because shells
/// remove quotes.
fn parse_value(text: &str) -> Result<Value, String> {
    let error = match toml::from_str::<Table>(&format!("value = {text}")) {
        Ok(mut table) if table.len() == 1 => return Ok(table.remove("value").expect("one key")),
        Ok(_) => "more than one value".to_string(),
        Err(error) => error.message().trim().to_string(),
    };
    let bare = |c: char| c.is_alphanumeric() || "_-./+*?:~".contains(c);
    if !text.is_empty() && text.chars().all(bare) {
        return Ok(Value::String(text.to_string()));
    }
    Err(format!("`{text}` is not a TOML value: {error}"))
}

/// Sets the dotted `key` to `value`, creating tables as needed.
pub(crate) fn assign(table: &mut Table, key: &str, value: Value) -> Result<(), String> {
    match key.split_once('.') {
        None => {
            table.insert(key.to_string(), value);
            Ok(())
        }
        Some((first, rest)) => {
            let next = table
                .entry(first.to_string())
                .or_insert_with(|| Value::Table(Table::new()));
            match next {
                Value::Table(next) => assign(next, rest, value),
                other => Err(format!("`{first}` is a {}, not a table", other.type_str())),
            }
        }
    }
}

/// Removes the dotted `key` if it exists.
fn remove(table: &mut Table, key: &str) {
    match key.split_once('.') {
        None => {
            table.remove(key);
        }
        Some((first, rest)) => {
            if let Some(Value::Table(next)) = table.get_mut(first) {
                remove(next, rest);
            }
        }
    }
}

/// The leaves of a table in order, by dotted name; an empty table has none.
pub(crate) fn leaves(table: &Table) -> Vec<(String, Value)> {
    fn walk(prefix: &str, table: &Table, out: &mut Vec<(String, Value)>) {
        for (key, value) in table {
            let name = join(prefix, key);
            match value {
                Value::Table(inner) => walk(&name, inner, out),
                leaf => out.push((name, leaf.clone())),
            }
        }
    }
    let mut out = Vec::new();
    walk("", table, &mut out);
    out
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_string()
    } else {
        format!("{prefix}.{key}")
    }
}

fn collect_places(prefix: &str, table: &DeTable<'_>, out: &mut BTreeMap<String, Range<usize>>) {
    for (key, value) in table {
        let name = join(prefix, key.get_ref());
        out.insert(name.clone(), key.span());
        collect_inner(&name, value.get_ref(), out);
    }
}

fn collect_inner(name: &str, value: &DeValue<'_>, out: &mut BTreeMap<String, Range<usize>>) {
    match value {
        DeValue::Table(table) => collect_places(name, table, out),
        DeValue::Array(array) => {
            for (index, element) in array.iter().enumerate() {
                let name = format!("{name}.{index}");
                out.insert(name.clone(), element.span());
                collect_inner(&name, element.get_ref(), out);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let text = "name = \"a\"\n[model]\nwidth = 32\n[sweep.grid]\nmodel.width = [16, 24]\n";
        Document::parse(Path::new("a.toml"), text).unwrap()
    }

    #[test]
    fn keys_and_elements_have_places() {
        let document = document();
        let place = |key: &str| {
            let place = document.error(key, "x").place.clone().unwrap();
            (place.line, place.column)
        };
        assert_eq!(place("model.width"), (3, 1));
        assert_eq!(
            place("model.heads"),
            (2, 2),
            "the table of a key that is absent"
        );
        assert_eq!(place("sweep.grid.model.width.1"), (5, 20));
    }

    #[test]
    fn set_takes_toml_and_bare_words() {
        let mut document = document();
        document.set("model.width = 64").unwrap();
        document.set("model.preset=lmic").unwrap();
        document.set("sweep.seeds=[1, 2]").unwrap();
        document.set("data.source=a/b.txt").unwrap();
        let table = document.table();
        assert_eq!(table["model"]["width"].as_integer(), Some(64));
        assert_eq!(table["model"]["preset"].as_str(), Some("lmic"));
        assert_eq!(table["sweep"]["seeds"].as_array().unwrap().len(), 2);
        assert_eq!(table["data"]["source"].as_str(), Some("a/b.txt"));
        for bad in ["width", "=3", "a..b=3", "name.x=3", "model.width=[1,"] {
            let error = document.set(bad).unwrap_err();
            assert_eq!(error.set.as_deref(), Some(bad), "{error}");
        }
    }

    #[test]
    fn broken_toml_is_shown_with_its_line() {
        let error = Document::parse(Path::new("a.toml"), "a = 1\nb = \n").unwrap_err();
        let shown = error.to_string();
        assert!(shown.starts_with("a.toml:2:"), "{shown}");
        assert!(shown.contains("2 | b = "), "{shown}");
    }
}
