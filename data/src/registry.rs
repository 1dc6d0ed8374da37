//! The registry of data sets that can be fetched, as in `registry.toml`.

use std::path::Path;
use std::sync::LazyLock;

use brevity_media::Conversion;
use serde::Deserialize;

use crate::error::{DataError, Result};

/// A list of fetchable sets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The sets, in the order of the file.
    #[serde(rename = "set")]
    pub sets: Vec<Entry>,
}

/// One fetchable set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name in `data.source`.
    pub name: String,
    /// A one-line description.
    pub about: String,
    /// Licence of the content.
    pub licence: String,
    /// Web page about it.
    pub page: String,
    /// Length of the set, after unpacking and conversion.
    pub bytes: Option<u64>,
    /// SHA-256 of the set, in hex.
    pub sha256: Option<String>,
    /// The format of a downloaded file.
    pub unpack: Unpack,
    /// The conversion of each file, or member of an archive.
    pub convert: Conversion,
    /// The files to download; the set is their content in this order.
    #[serde(rename = "file")]
    pub files: Vec<RemoteFile>,
}

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteFile {
    /// Its address.
    pub url: String,
    /// Its length.
    pub bytes: Option<u64>,
    /// Its SHA-256, in hex. Without it the first download is trusted and
    /// recorded.
    pub sha256: Option<String>,
}

/// The format of a downloaded file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Unpack {
    /// The content itself.
    #[serde(rename = "raw")]
    Raw,
    /// One gzip stream.
    #[serde(rename = "gz")]
    Gz,
    /// A zip archive, stored or deflated.
    #[serde(rename = "zip")]
    Zip,
    /// A tar archive in a gzip stream.
    #[serde(rename = "tar.gz")]
    TarGz,
}

impl Registry {
    /// The registry of this version of the project.
    pub fn builtin() -> &'static Self {
        static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
            Registry::parse(include_str!("../registry.toml"), "registry.toml".as_ref())
                .expect("registry.toml is checked by tests")
        });
        &REGISTRY
    }

    /// Parses a registry; errors name `path`.
    ///
    /// # Errors
    /// Text that is not TOML, lacks a field or has an unknown one.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        toml::from_str(text).map_err(|source| DataError::Toml {
            path: path.into(),
            source,
        })
    }

    /// The set of this name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.sets.iter().find(|set| set.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_complete_and_distinct() {
        let sets = &Registry::builtin().sets;
        for (i, set) in sets.iter().enumerate() {
            assert!(
                sets[..i].iter().all(|other| other.name != set.name),
                "{}",
                set.name
            );
            assert!(
                !set.files.is_empty() && !set.licence.is_empty(),
                "{}",
                set.name
            );
            let hashes = set
                .files
                .iter()
                .filter_map(|f| f.sha256.as_ref())
                .chain(&set.sha256);
            for hash in hashes {
                assert!(
                    hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
                    "{hash}"
                );
                assert_eq!(*hash, hash.to_lowercase());
            }
            // Every set has a hash of its content or of its files.
            assert!(set.sha256.is_some() || set.files.iter().all(|f| f.sha256.is_some()));
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let error = Registry::parse("[[set]]\nnmae = 'x'\n", "r.toml".as_ref()).unwrap_err();
        assert!(error.to_string().contains("r.toml"));
    }
}
