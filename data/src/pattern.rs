//! Expands patterns of paths. Unlike the directory walk of the `glob` crate, it
//! also finds names that are not UTF-8.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::error::{DataError, Result};

/// Whether a text contains wildcards. (The caller checks for a file of that
/// name.)
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The paths that match, sorted. `**` stands for any number of folders.
pub(crate) fn expand(pattern: &str) -> Result<Vec<PathBuf>> {
    let mut paths = vec![PathBuf::new()];
    for component in Path::new(pattern).components() {
        let mut next = Vec::new();
        match component.as_os_str().to_str() {
            Some("**") => {
                for path in paths {
                    folders(&path, &mut next)?;
                }
            }
            Some(name) if matches!(component, Component::Normal(_)) && is_pattern(name) => {
                let matcher = Pattern::new(name).map_err(|e| DataError::Config {
                    field: "data.source",
                    message: format!("`{pattern}` is not a valid pattern: {e}"),
                })?;
                for path in paths {
                    for name in names(&path)? {
                        if matches(&matcher, &name) {
                            next.push(path.join(name));
                        }
                    }
                }
            }
            _ => {
                next.extend(paths.into_iter().map(|path| path.join(component)));
                next.retain(|path| fs::symlink_metadata(path).is_ok());
            }
        }
        paths = next;
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// The part of a pattern before its first wildcard component.
pub(crate) fn root(pattern: &str) -> PathBuf {
    Path::new(pattern)
        .components()
        .take_while(|c| !is_pattern(&c.as_os_str().to_string_lossy()))
        .collect()
}

/// Whether a name matches. Bytes that are not UTF-8 match as one unknown
/// character each.
fn matches(matcher: &Pattern, name: &OsStr) -> bool {
    matcher.matches_with(&name.to_string_lossy(), MatchOptions::new())
}

/// The names in a folder; none if the path is not a folder or cannot be listed.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    if !here.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(here).map_err(DataError::io("list", here))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(DataError::io("list", here))?.file_name());
    }
    Ok(names)
}

/// Collects the folder and all folders below it, except those behind links.
fn folders(path: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    found.push(path.to_owned());
    for name in names(path)? {
        let inner = path.join(name);
        if fs::symlink_metadata(&inner).is_ok_and(|meta| meta.is_dir()) {
            folders(&inner, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_a_shell_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b/c")).unwrap();
        for name in [
            "a/1.txt",
            "a/b/2.txt",
            "a/b/c/3.txt",
            "a/.hidden.txt",
            "4.md",
        ] {
            fs::write(at(name), "x").unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            let pattern = at(pattern);
            let paths = expand(pattern.to_str().unwrap()).unwrap();
            let short = |p: &PathBuf| p.strip_prefix(folder.path()).unwrap().display().to_string();
            paths.iter().map(short).collect()
        };
        assert_eq!(found("a/*.txt"), ["a/.hidden.txt", "a/1.txt"]);
        assert_eq!(found("a/b/?.txt"), ["a/b/2.txt"]);
        assert_eq!(found("*/b/[0-9].txt"), ["a/b/2.txt"]);
        let deep = found("a/**/*.txt");
        assert_eq!(
            deep,
            ["a/.hidden.txt", "a/1.txt", "a/b/2.txt", "a/b/c/3.txt"]
        );
        assert!(found("none/*").is_empty());
        assert!(expand("a[").is_err());
        assert_eq!(root("x/y/*.txt"), Path::new("x/y"));
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_are_found() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(OsStr::from_bytes(b"caf\xE9.txt"));
        fs::write(&path, "x").unwrap();
        let pattern = folder.path().join("caf*.txt");
        assert_eq!(expand(pattern.to_str().unwrap()).unwrap(), [path]);
    }
}
