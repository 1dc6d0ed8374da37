//! Decides what a source refers to on this machine: a path, a pattern, or a set.
//!
//! The rule is the same for every command and config:
//!
//! 1. `-` is standard input; `set:NAME` is a set.
//! 2. A path that exists is that path, even if its name looks like a pattern.
//! 3. A name without a slash may be that of a set: built in, registered or imported. If
//!    it is also the name of a path, it is ambiguous and refused: `./NAME` is the path,
//!    `set:NAME` the set.
//! 4. Text that contains `*`, `?` or `[`, and is not an existing path, is a pattern.

use std::path::{Component, Path, PathBuf};

use crate::error::{DataError, Result};
use crate::generate::Generator;
use crate::listing::{is_reserved, nearest};
use crate::source::Source;
use crate::store::Store;

/// What a source refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Crates,
    Generated(Generator),
    Stdin,
    /// A set of the store, or of the registry and not fetched.
    Set(String),
    /// A path that exists.
    Path(PathBuf),
    Pattern(String),
    /// What several sources mean, one after the other.
    Several(Vec<Source>),
}

impl Meaning {
    /// Applies the rule above.
    ///
    /// # Errors
    /// A name that is ambiguous, or refers to nothing.
    pub fn of(source: &Source, store: &Store) -> Result<Self> {
        match source {
            Source::Stdin => Ok(Self::Stdin),
            Source::Several(sources) => Ok(Self::Several(sources.clone())),
            Source::Set(name) => set(name, store).ok_or_else(|| not_found(name, store)),
            Source::Crates | Source::Generated(_) | Source::Registered(_) => {
                let name = source.to_string();
                let set = set(&name, store).ok_or_else(|| not_found(&name, store))?;
                match exists(Path::new(&name)) {
                    true => Err(DataError::Ambiguous { name }),
                    false => Ok(set),
                }
            }
            Source::Glob(pattern) => Ok(match exists(Path::new(pattern)) {
                true => Self::Path(pattern.into()),
                false => Self::Pattern(pattern.clone()),
            }),
            Source::Path(path) => {
                let named = bare(path).and_then(|name| set(name, store));
                match (exists(path), named) {
                    (true, None) => Ok(Self::Path(path.clone())),
                    (true, Some(_)) => Err(DataError::Ambiguous {
                        name: path.display().to_string(),
                    }),
                    (false, Some(set)) => Ok(set),
                    (false, None) => Err(not_found(&path.display().to_string(), store)),
                }
            }
        }
    }
}

/// Whether a path exists. A dangling link counts as existing, so that the code that reads
/// it reports the error.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The text of a path that is a single name, without a slash.
fn bare(path: &Path) -> Option<&str> {
    let mut components = path.components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(name)), None) if name == path.as_os_str() => name.to_str(),
        _ => None,
    }
}

/// The set of this name.
fn set(name: &str, store: &Store) -> Option<Meaning> {
    if name == "crates" {
        Some(Meaning::Crates)
    } else if let Some(generator) = Generator::by_name(name) {
        Some(Meaning::Generated(generator))
    } else if is_reserved(name) || store.has(name) {
        Some(Meaning::Set(name.to_owned()))
    } else {
        None
    }
}

fn not_found(name: &str, store: &Store) -> DataError {
    DataError::NotFound {
        source_name: name.to_owned(),
        nearest: nearest(name, store),
    }
}
