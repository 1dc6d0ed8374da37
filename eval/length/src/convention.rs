//! Conventions by which the bytes of a model are counted.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;

/// The name of a convention by which the bytes of a model are counted. Every number
/// that includes model bytes gives its convention.
///
/// - [`FP16`](Self::FP16): two bytes per parameter, as in "Language Modeling Is
///   Compression"; the data are coded with the weights as trained;
/// - [`STORED`](Self::STORED): the quantised, entropy-coded weights as stored in the
///   archive, header and hashes included; the data are coded with those weights;
/// - `4-bit` and the like ([`bits`](Self::bits)): stored in this many bits per
///   parameter;
/// - [`PREQUENTIAL`](Self::PREQUENTIAL): no weights; the recipe that repeats the
///   learning.
///
/// - `mixed-fp16`, `mixed-stored` and the like ([`mixed`](Self::mixed)): the model counts
///   in the same way, and the data are coded by its mixture with context models, which
///   learn while they code and store nothing.
///
/// Names become parts of file names, so they have at most 40 characters, which are
/// ASCII letters, digits, `-`, `_` and `.`, and do not begin with `.`.
///
/// ```
/// use brevity_length::Convention;
///
/// assert_eq!(Convention::bits(4.5).as_str(), "4.5-bit");
/// assert!(Convention::named("a/../../b").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Convention(String);

/// An invalid name of a convention.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot name a way to count model bytes: a name has 1 to 40 letters, digits, `-`, \
     `_` and `.`, and does not begin with `.`"
)]
pub struct ConventionError(String);

/// Limit on the length of a name.
const LONGEST: usize = 40;

impl Convention {
    /// Two bytes per parameter.
    pub const FP16: &'static str = "fp16";
    /// The weights as stored in the archive.
    pub const STORED: &'static str = "stored";
    /// As many bytes as its user states, for models of other programs.
    pub const STATED: &'static str = "stated";
    /// The recipe of a prequential code.
    pub const PREQUENTIAL: &'static str = "prequential";

    /// Before the name of the way to count the model, where a mixture codes the data.
    const MIXED: &'static str = "mixed-";

    /// Two bytes per parameter.
    #[must_use]
    pub fn fp16() -> Convention {
        Convention(Self::FP16.into())
    }

    /// The weights as stored in the archive.
    #[must_use]
    pub fn stored() -> Convention {
        Convention(Self::STORED.into())
    }

    /// The recipe of a prequential code.
    #[must_use]
    pub fn prequential() -> Convention {
        Convention(Self::PREQUENTIAL.into())
    }

    /// Bytes of the model as its user states them.
    #[must_use]
    pub fn stated() -> Convention {
        Convention(Self::STATED.into())
    }

    /// Stored in this many bits per parameter.
    #[must_use]
    pub fn bits(bits: f64) -> Convention {
        Convention(format!("{bits}-bit"))
    }

    /// The same way to count the model, where the data are coded by a mixture.
    #[must_use]
    pub fn mixed(&self) -> Convention {
        Convention(format!("{}{self}", Self::MIXED))
    }

    /// The convention of this name.
    ///
    /// # Errors
    /// A name that is too long, empty, or has characters that are not allowed.
    pub fn named(name: impl Into<String>) -> Result<Convention, ConventionError> {
        let name = name.into();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty()
            || name.len() > LONGEST
            || name.starts_with('.')
            || !name.chars().all(allowed)
        {
            return Err(ConventionError(name.chars().take(LONGEST).collect()));
        }
        Ok(Convention(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Convention {
    type Error = ConventionError;

    fn try_from(name: String) -> Result<Convention, ConventionError> {
        Convention::named(name)
    }
}

impl From<Convention> for String {
    fn from(convention: Convention) -> String {
        convention.0
    }
}

impl Borrow<str> for Convention {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_a_folder() {
        for name in ["fp16", "stored", "4-bit", "4.5-bit", "a_b"] {
            assert_eq!(Convention::named(name).unwrap().as_str(), name);
        }
        for name in [
            "",
            ".",
            "..",
            ".a",
            "a/b",
            "a\\b",
            "a b",
            "\u{202e}a",
            "a\n",
        ] {
            assert!(Convention::named(name).is_err(), "{name:?}");
        }
        assert!(Convention::named("x".repeat(41)).is_err());
        assert!(serde_json::from_str::<Convention>("\"a/../b\"").is_err());
    }
}
