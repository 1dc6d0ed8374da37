//! Values of metadata.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A whole number of any width.
    Integer(i128),
    /// A number of 32 or 64 bits.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// Bytes that should be text.
    Text(&'a [u8]),
    /// Several values of one kind.
    Array(Array<'a>),
}

/// Values of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Array<'a> {
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Numbers.
    Numbers(Vec<f32>),
    /// Bytes that should be text.
    Texts(Vec<&'a [u8]>),
    /// Something that no model needs, passed over.
    Other,
}

impl<'a> Value<'a> {
    /// A whole number of zero or more.
    pub fn integer(&self) -> Option<u64> {
        match self {
            Value::Integer(n) => u64::try_from(*n).ok(),
            _ => None,
        }
    }

    /// Any number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Integer(n) => Some(*n as f64),
            Value::Number(x) => Some(*x),
            _ => None,
        }
    }

    /// Text.
    pub fn text(&self) -> Option<&'a str> {
        match self {
            Value::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}
