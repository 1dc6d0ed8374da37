//! Reading of JSON objects field by field, with errors that name missing, wrong or
//! unknown fields.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt::{self, Display};

/// An error of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    field: String,
    message: String,
}

impl Problem {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem {
            field: field.into(),
            message: message.into(),
        }
    }

    pub fn of(field: &str, error: impl Display) -> Problem {
        Problem::new(field, error.to_string())
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.message)
    }
}

/// The fields of an object that have not been read.
pub(crate) struct Fields {
    left: Map<String, Value>,
    within: String,
}

impl Fields {
    pub fn new(object: Map<String, Value>) -> Fields {
        Fields {
            left: object,
            within: String::new(),
        }
    }

    pub fn names(&self) -> Vec<String> {
        self.left.keys().cloned().collect()
    }

    /// Reads a required field without removing it.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, Problem> {
        let value = self.left.get(key).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| Problem::of(&self.name(key), error))
    }

    /// Removes a field; `None` if it is absent or null.
    pub fn take<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, Problem> {
        match self.left.shift_remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value)
                .map(Some)
                .map_err(|error| Problem::of(&self.name(key), error)),
        }
    }

    /// Removes a required field.
    pub fn need<T: DeserializeOwned>(&mut self, key: &str) -> Result<T, Problem> {
        self.take(key)?.ok_or_else(|| self.missing(key))
    }

    pub fn take_object(&mut self, key: &str) -> Result<Option<Fields>, Problem> {
        let within = self.name(key);
        let object: Option<Map<String, Value>> = self.take(key)?;
        Ok(object.map(|left| Fields { left, within }))
    }

    pub fn need_object(&mut self, key: &str) -> Result<Fields, Problem> {
        self.take_object(key)?.ok_or_else(|| self.missing(key))
    }

    /// Checks that no field is left.
    pub fn finish(self) -> Result<(), Problem> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(key) => Err(Problem::new(self.name(key), "there is no such field")),
        }
    }

    fn missing(&self, key: &str) -> Problem {
        Problem::new(self.name(key), "it is missing")
    }

    fn name(&self, key: &str) -> String {
        match self.within.as_str() {
            "" => key.to_owned(),
            within => format!("{within}.{key}"),
        }
    }
}
