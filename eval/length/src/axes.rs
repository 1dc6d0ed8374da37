//! The axes of a sweep: settings by dotted key, in order.

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A value of a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AxisValue {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(String),
    /// Several values, such as the regimes to score.
    List(Vec<AxisValue>),
    /// A table of settings.
    Table(Axes),
}

impl AxisValue {
    /// The number, integer or float.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            AxisValue::Integer(n) => Some(*n as f64),
            AxisValue::Float(x) => Some(*x),
            _ => None,
        }
    }

    /// The integer, if it is not negative.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            AxisValue::Integer(n) => u64::try_from(*n).ok(),
            _ => None,
        }
    }

    /// The string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            AxisValue::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Writes the value as JSON, but strings without quotes.
impl fmt::Display for AxisValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AxisValue::Text(text) => f.write_str(text),
            other => f.write_str(&serde_json::to_string(other).map_err(|_| fmt::Error)?),
        }
    }
}

/// Settings by dotted key, such as `model.width`, in the order of the sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axes(Vec<(String, AxisValue)>);

impl Axes {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&AxisValue> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// Sets a key; a new one is appended.
    pub fn set(&mut self, key: impl Into<String>, value: AxisValue) {
        let key = key.into();
        match self.0.iter_mut().find(|(k, _)| *k == key) {
            Some((_, known)) => *known = value,
            None => self.0.push((key, value)),
        }
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AxisValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// Whether nothing is varied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sorts the keys by `order`; keys that are not in it come last.
    pub fn sort_by(&mut self, order: &[String]) {
        let place = |key: &String| order.iter().position(|k| k == key).unwrap_or(order.len());
        self.0.sort_by_key(|(key, _)| place(key));
    }
}

impl<K: Into<String>> FromIterator<(K, AxisValue)> for Axes {
    fn from_iter<I: IntoIterator<Item = (K, AxisValue)>>(pairs: I) -> Axes {
        let mut axes = Axes::default();
        for (key, value) in pairs {
            axes.set(key, value);
        }
        axes
    }
}

impl Serialize for Axes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Axes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Axes, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Axes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("settings by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Axes, A::Error> {
                let mut axes = Axes::default();
                while let Some((key, value)) = map.next_entry::<String, AxisValue>()? {
                    axes.set(key, value);
                }
                Ok(axes)
            }
        }

        from.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_kinds_of_values_survive_json() {
        let text = r#"{"model.width":16,"a.b":0.5,"name":"x","on":true,"list":[1,"two"],"t":{"z":1,"a":2}}"#;
        let axes: Axes = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&axes).unwrap(), text);
        assert_eq!(axes.get("model.width").unwrap().as_u64(), Some(16));
        assert_eq!(axes.get("a.b").unwrap().as_f64(), Some(0.5));
        assert_eq!(axes.get("name").unwrap().to_string(), "x");
        assert_eq!(axes.get("list").unwrap().to_string(), r#"[1,"two"]"#);
    }
}
