//! The built-in data set `crates`: source text that every machine that built the
//! project has.
//!
//! `crates.toml` lists dependencies of the workspace with their versions. The set is the
//! concatenation of their `src/**/*.rs` as unpacked by cargo, verified by a hash. Files
//! are ordered by the BLAKE3 of `name-version/path`, which is a fixed shuffle. So a
//! prefix of any length is a sample of the whole, not the alphabetically first crates,
//! and a held-out tail has the same distribution.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::error::{DataError, Result};

/// The description of the set, as in `crates.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CratesList {
    /// Length of the set.
    pub bytes: u64,
    /// BLAKE3 of the set, in hex.
    pub blake3: String,
    /// Name and version of each crate; the versions are those of `Cargo.lock`.
    pub packages: std::collections::BTreeMap<String, String>,
}

impl CratesList {
    /// The list of this version of the project.
    pub fn builtin() -> &'static Self {
        static LIST: LazyLock<CratesList> = LazyLock::new(|| {
            toml::from_str(include_str!("../crates.toml")).expect("crates.toml is checked by tests")
        });
        &LIST
    }

    /// Reads the set from cargo's registry folder (`$CARGO_HOME/registry/src`,
    /// else `~/.cargo/registry/src`).
    ///
    /// # Errors
    /// A missing crate (the message says to run `cargo fetch`), a file that cannot be
    /// read, or bytes with another hash.
    pub fn read(&self) -> Result<Vec<u8>> {
        self.read_from(&registry_folders())
    }

    fn read_from(&self, registries: &[PathBuf]) -> Result<Vec<u8>> {
        let bytes = self.concatenate(registries)?;
        let got = blake3::hash(&bytes).to_hex().to_string();
        if got != self.blake3 {
            return Err(DataError::Mismatch {
                what: "data set `crates` (bytes, BLAKE3)".into(),
                expected: format!("{} {}", self.bytes, self.blake3),
                got: format!("{} {got}", bytes.len()),
                remedy: "a dependency was edited in cargo's registry folder, or crates.toml does \
                         not match Cargo.lock"
                    .into(),
            });
        }
        Ok(bytes)
    }

    fn concatenate(&self, registries: &[PathBuf]) -> Result<Vec<u8>> {
        let mut files = Vec::new();
        for (name, version) in &self.packages {
            let package = format!("{name}-{version}");
            let root = registries
                .iter()
                .map(|registry| registry.join(&package))
                .find(|root| root.is_dir())
                .ok_or_else(|| DataError::CrateMissing {
                    package: package.clone(),
                    looked: registries.to_vec(),
                })?;
            collect(&root.join("src"), &format!("{package}/src"), &mut files)?;
        }
        files.sort();
        let mut bytes = Vec::with_capacity(self.bytes as usize);
        for (_, path) in files {
            bytes.extend(fs::read(&path).map_err(DataError::io("read", &path))?);
        }
        Ok(bytes)
    }
}

/// Adds the `.rs` files under `dir` with their sort keys. `name` is the path
/// with forward slashes, the same on every platform.
fn collect(dir: &Path, name: &str, files: &mut Vec<([u8; 32], PathBuf)>) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(DataError::io("list", dir))? {
        let entry = entry.map_err(DataError::io("list", dir))?;
        let path = entry.path();
        let Some(base) = path.file_name().and_then(|n| n.to_str()) else {
            continue;
        };
        let name = format!("{name}/{base}");
        if path.is_dir() {
            collect(&path, &name, files)?;
        } else if base.ends_with(".rs") {
            files.push((*blake3::hash(name.as_bytes()).as_bytes(), path));
        }
    }
    Ok(())
}

/// The unpacked registries of this machine: one folder per registry or mirror.
fn registry_folders() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .filter(|v| !v.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .unwrap_or_default();
    let src = home.join("registry").join("src");
    let mut folders: Vec<_> = fs::read_dir(&src)
        .map(|entries| entries.filter_map(|e| Some(e.ok()?.path())).collect())
        .unwrap_or_default();
    folders.sort();
    if folders.is_empty() {
        // For the error message.
        folders.push(src);
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_the_one_of_cargo_lock() {
        let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"))
            .expect("the workspace has a Cargo.lock");
        for (name, version) in &CratesList::builtin().packages {
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(
                lock.contains(&entry),
                "Cargo.lock has no {name} {version}: update crates.toml"
            );
        }
    }

    #[test]
    fn the_set_is_what_its_hash_says() {
        let list = CratesList::builtin();
        let bytes = list.read().unwrap();
        assert_eq!(bytes.len() as u64, list.bytes);
        assert!(bytes.len() >= 8_000_000);
    }

    #[test]
    fn a_missing_crate_says_cargo_fetch() {
        let empty = tempfile::tempdir().unwrap();
        let error = CratesList::builtin()
            .read_from(&[empty.path().to_owned()])
            .unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("cargo fetch") && message.contains("aho-corasick"),
            "{message}"
        );
    }

    #[test]
    fn an_edited_file_is_noticed() {
        let home = tempfile::tempdir().unwrap();
        let src = home.path().join("a-1.0.0/src/deep");
        fs::create_dir_all(&src).unwrap();
        fs::write(src.join("x.rs"), "fn x() {}").unwrap();
        fs::write(src.join("notes.txt"), "left out").unwrap();
        let list = |blake3: String| CratesList {
            bytes: 9,
            blake3,
            packages: [("a".to_owned(), "1.0.0".to_owned())].into(),
        };
        let good = list(blake3::hash(b"fn x() {}").to_hex().to_string());
        assert_eq!(
            good.read_from(&[home.path().to_owned()]).unwrap(),
            b"fn x() {}"
        );
        let bad = list(blake3::hash(b"other").to_hex().to_string());
        let error = bad.read_from(&[home.path().to_owned()]).unwrap_err();
        assert!(matches!(error, DataError::Mismatch { .. }), "{error}");
    }
}
