//! GGUF files: metadata and tensors of one model.
//!
//! The format (`docs/gguf.md` of ggml), versions 2 and 3, little-endian:
//!
//! ```text
//! "GGUF"  version: u32  tensors: u64  pairs: u64
//! pairs times   key: string  kind: u32  value
//! tensors times name: string  dimensions: u32  dimension: u64 ...  kind: u32  offset: u64
//! padding to a multiple of `general.alignment`, 32 if it is not there
//! the tensors' bytes, each from its offset on, a multiple of the alignment
//! ```
//!
//! A string is its length, u64, and its bytes; an array the kind of its elements,
//! u32, their number, u64, and the elements. Dimensions are in the order of the
//! fastest first: a matrix `[rows, cols]` has the dimensions `cols, rows`.
//!
//! Files are hostile: every length is checked against what is there before memory
//! is asked for, and the memory taken is a small multiple of the file's header.

mod read;
#[cfg(test)]
pub(crate) mod tests;
mod value;

pub use value::{Array, Value};

use brevity_kernels::stored::Format;
use std::collections::HashMap;
use std::ops::Range;

/// What is wrong with a GGUF file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("GGUF, byte {offset}: {problem}")]
pub struct GgufError {
    /// Where in the file.
    pub offset: usize,
    /// What is wrong there.
    pub problem: String,
}

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its values in row-major order: rows first, the last dimension the fastest.
    pub shape: Vec<usize>,
    /// How values are stored.
    pub format: Format,
    /// Where in the file.
    pub bytes: Range<usize>,
}

/// The header of a GGUF file.
#[derive(Clone, Debug)]
pub struct Gguf<'a> {
    /// Version of the format.
    pub version: u32,
    metadata: HashMap<&'a str, Value<'a>>,
    tensors: HashMap<&'a str, TensorInfo>,
}

impl<'a> Gguf<'a> {
    /// Reads the header of a file, given all of its bytes.
    ///
    /// # Errors
    /// Anything that is not as the format says, or is not there.
    pub fn parse(file: &'a [u8]) -> Result<Gguf<'a>, GgufError> {
        read::parse(file)
    }

    /// Whether a file begins as GGUF files do.
    pub fn is(file: &[u8]) -> bool {
        file.starts_with(read::MAGIC)
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&Value<'a>> {
        self.metadata.get(key)
    }

    /// A tensor by its name.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.get(name)
    }

    /// The names of all tensors, in no order.
    pub fn tensor_names(&self) -> impl Iterator<Item = &'a str> {
        self.tensors.keys().copied()
    }

    /// Bytes before those of the first tensor: all that is no parameter.
    pub fn header_bytes(&self) -> usize {
        let starts = self.tensors.values().map(|tensor| tensor.bytes.start);
        starts.min().unwrap_or(0)
    }

    /// The number at a key; `None` if it is not there.
    ///
    /// # Errors
    /// A value that is no whole number of zero or more.
    pub fn integer(&self, key: &str) -> Result<Option<u64>, GgufError> {
        self.typed(key, "a whole number", Value::integer)
    }

    /// The number at a key; `None` if it is not there.
    ///
    /// # Errors
    /// A value that is no number.
    pub fn number(&self, key: &str) -> Result<Option<f64>, GgufError> {
        self.typed(key, "a number", Value::number)
    }

    /// The text at a key; `None` if it is not there.
    ///
    /// # Errors
    /// A value that is no text.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, GgufError> {
        self.typed(key, "a text", Value::text)
    }

    /// The truth value at a key; `None` if it is not there.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, GgufError> {
        self.typed(key, "true or false", |value| match value {
            Value::Bool(b) => Some(*b),
            _ => None,
        })
    }

    /// The array at a key; `None` if it is not there.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn array(&self, key: &str) -> Result<Option<&Array<'a>>, GgufError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Array(array)) => Ok(Some(array)),
            Some(_) => Err(wrong_kind(key, "an array")),
        }
    }

    fn typed<T>(
        &self,
        key: &str,
        kind: &str,
        get: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, GgufError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(value) => get(value).map(Some).ok_or_else(|| wrong_kind(key, kind)),
        }
    }
}

fn wrong_kind(key: &str, kind: &str) -> GgufError {
    GgufError {
        offset: 0,
        problem: format!("the value of `{key}` is not {kind}"),
    }
}
