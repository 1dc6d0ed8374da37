//! The list of known data sets.

use serde::Serialize;
use strsim::osa_distance;

use crate::crates::CratesList;
use crate::error::Result;
use crate::generate::Generator;
use crate::registry::Registry;
use crate::store::Store;

/// One known data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// Its name in `data.source`.
    pub name: String,
    /// Whether it is available.
    pub state: State,
    /// Its length, if finite and known.
    pub bytes: Option<u64>,
    /// Licence of the content.
    pub licence: Option<String>,
    /// A one-line description.
    pub about: String,
}

/// Availability of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Built into the program.
    BuiltIn,
    /// In the store.
    Present,
    /// In the registry, not in the store: `brevity data fetch NAME`.
    Fetchable,
}

impl State {
    /// The name in listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Present => "present",
            Self::Fetchable => "fetchable",
        }
    }
}

/// All known sets: built-in, registered, imported.
///
/// # Errors
/// A store that cannot be listed.
pub fn list(store: &Store) -> Result<Vec<Listing>> {
    let mut sets = vec![Listing {
        name: "crates".into(),
        state: State::BuiltIn,
        bytes: Some(CratesList::builtin().bytes),
        licence: Some("MIT, Apache-2.0 and others, by crate".into()),
        about: "Rust source text of this project's own dependencies".into(),
    }];
    sets.extend(Generator::ALL.map(|generator| Listing {
        name: generator.name().into(),
        state: State::BuiltIn,
        bytes: None,
        licence: None,
        about: generator.about().into(),
    }));
    let mut records = store.records()?;
    for entry in &Registry::builtin().sets {
        let here = records
            .iter()
            .position(|r| r.name == entry.name)
            .map(|i| records.remove(i));
        sets.push(Listing {
            name: entry.name.clone(),
            state: if here.is_some() {
                State::Present
            } else {
                State::Fetchable
            },
            bytes: here.map(|r| r.bytes).or(entry.bytes),
            licence: Some(entry.licence.clone()),
            about: entry.about.clone(),
        });
    }
    sets.extend(records.into_iter().map(|record| Listing {
        state: State::Present,
        bytes: Some(record.bytes),
        about: format!(
            "imported as {} from {} files",
            record.convert,
            record.file.len()
        ),
        licence: record.licence,
        name: record.name,
    }));
    Ok(sets)
}

/// Whether a name is reserved and cannot be given to an import.
pub(crate) fn is_reserved(name: &str) -> bool {
    name == "crates"
        || Generator::by_name(name).is_some()
        || Registry::builtin().get(name).is_some()
}

/// The known set whose name is nearest to `name`, if near enough.
pub(crate) fn nearest(name: &str, store: &Store) -> Option<String> {
    let sets = list(store).ok()?;
    let (distance, set) = sets
        .into_iter()
        .map(|s| (osa_distance(name, &s.name), s.name))
        .min()?;
    (distance <= 1 + name.len() / 4).then_some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_every_kind() {
        let store = Store::at(tempfile::tempdir().unwrap().path().join("none"));
        let sets = list(&store).unwrap();
        let state = |name: &str| sets.iter().find(|s| s.name == name).map(|s| s.state);
        assert_eq!(state("crates"), Some(State::BuiltIn));
        assert_eq!(state("synthetic-audio"), Some(State::BuiltIn));
        assert_eq!(state("enwik9"), Some(State::Fetchable));
    }

    #[test]
    fn suggests_what_was_meant() {
        let store = Store::at("/nonexistent");
        assert_eq!(nearest("enwiki8", &store).as_deref(), Some("enwik8"));
        assert_eq!(nearest("crate", &store).as_deref(), Some("crates"));
        assert_eq!(nearest("moby-dick.txt", &store), None);
    }
}
