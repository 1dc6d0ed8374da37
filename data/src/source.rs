//! Sources of bytes, as users write them.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::generate::Generator;
use crate::pattern::{expand, is_pattern};
use crate::registry::Registry;

/// A source of bytes. Its text form is used in `data.source` of a config and after
/// `--data`:
///
/// | text | source |
/// |---|---|
/// | `crates` | source text of the project's own dependencies, [`Source::Crates`] |
/// | `random`, `synthetic-image`, `synthetic-audio` | endless seeded bytes, [`Generator`] |
/// | `-` | standard input |
/// | a name of the registry (`enwik8`, ...) | a fetched set |
/// | `set:NAME` | a set, even if a file has the same name |
/// | text with `*`, `?` or `[` | a pattern, its files in sorted order, unless a file has exactly that name |
/// | anything else | a file, a folder (all its files in sorted order), or an imported set |
///
/// In a config, a list of such texts is one source: their bytes in that order. A file
/// called `.gz`, `.zst` or `.xz` that begins accordingly stands for its content.
///
/// A name that belongs to both a path and a set is refused: `./enwik8` is the path, `set:enwik8`
/// the set. Relative paths start at the working directory.
///
/// ```
/// use brevity_data::{Generator, Source};
/// let source: Source = "random".parse().unwrap();
/// assert_eq!(source, Source::Generated(Generator::Random));
/// assert_eq!(Source::from("books/*.txt").to_string(), "books/*.txt");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Text", into = "Text")]
pub enum Source {
    /// The built-in set of source text.
    Crates,
    /// Endless bytes generated from a seed.
    Generated(Generator),
    /// Standard input, read to its end.
    Stdin,
    /// A set of the registry.
    Registered(String),
    /// A set by its name, written `set:NAME`.
    Set(String),
    /// The files that match a pattern, in sorted order.
    Glob(String),
    /// A file, a folder, or the name of an imported set.
    Path(PathBuf),
    /// Files, folders, patterns and stored sets, one after the other.
    Several(Vec<Source>),
}

impl Source {
    /// Whether a file is among those that are read: what is written there would replace
    /// them. Stored sets are not looked at.
    #[must_use]
    pub fn reads(&self, file: &Path) -> bool {
        let Ok(file) = file.canonicalize() else {
            return false;
        };
        // The file itself, or one in the folder.
        let holds = |path: &Path| path.canonicalize().is_ok_and(|path| file.starts_with(path));
        match self {
            Self::Path(path) => holds(path),
            Self::Glob(pattern) => {
                expand(pattern).is_ok_and(|paths| paths.iter().any(|path| holds(path)))
            }
            Self::Several(sources) => sources.iter().any(|source| source.reads(&file)),
            Self::Crates
            | Self::Generated(_)
            | Self::Stdin
            | Self::Registered(_)
            | Self::Set(_) => false,
        }
    }
}

/// As it stands in a config.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Text {
    One(String),
    Several(Vec<String>),
}

impl From<Text> for Source {
    fn from(text: Text) -> Self {
        match text {
            Text::One(text) => Self::from(text),
            Text::Several(texts) => Self::Several(texts.into_iter().map(Self::from).collect()),
        }
    }
}

impl From<Source> for Text {
    fn from(source: Source) -> Self {
        match source {
            Source::Several(sources) => {
                Self::Several(sources.iter().map(Source::to_string).collect())
            }
            one => Self::One(one.to_string()),
        }
    }
}

impl From<&str> for Source {
    fn from(text: &str) -> Self {
        if text == "crates" {
            Self::Crates
        } else if text == "-" {
            Self::Stdin
        } else if let Some(generator) = Generator::by_name(text) {
            Self::Generated(generator)
        } else if Registry::builtin().get(text).is_some() {
            Self::Registered(text.to_owned())
        } else if let Some(name) = text.strip_prefix("set:") {
            Self::Set(name.to_owned())
        } else if is_pattern(text) {
            Self::Glob(text.to_owned())
        } else {
            Self::Path(PathBuf::from(text))
        }
    }
}

impl From<&OsStr> for Source {
    /// Like the conversion from text; a name that is not valid text is a path.
    fn from(name: &OsStr) -> Self {
        match name.to_str() {
            Some(text) => Self::from(text),
            None => Self::Path(PathBuf::from(name)),
        }
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crates => f.write_str("crates"),
            Self::Generated(generator) => f.write_str(generator.name()),
            Self::Stdin => f.write_str("-"),
            Self::Set(name) => write!(f, "set:{name}"),
            Self::Registered(name) | Self::Glob(name) => f.write_str(name),
            Self::Path(path) => path.display().fmt(f),
            Self::Several(sources) => {
                for (i, source) in sources.iter().enumerate() {
                    write!(f, "{}{source}", if i == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for text in [
            "crates",
            "random",
            "synthetic-audio",
            "-",
            "enwik8",
            "a/*.txt",
            "set:crates",
            "./x",
            "dir",
        ] {
            assert_eq!(Source::from(text).to_string(), text);
        }
    }

    #[test]
    fn a_dotted_path_is_never_a_set() {
        assert!(matches!(Source::from("./enwik8"), Source::Path(_)));
        assert!(matches!(Source::from("enwik8"), Source::Registered(_)));
    }
}
