//! Files, folders, globs, and what can be wrong with them.

use std::fs;
use std::path::Path;

use brevity_data::{ByteSet, DataError, Source, Store};

use crate::chain;

fn load(path: impl AsRef<Path>) -> brevity_data::Result<ByteSet> {
    let source = Source::from(path.as_ref().to_str().unwrap());
    ByteSet::load_from(&source, &Store::at("/nonexistent"))
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("b")).unwrap();
    fs::write(dir.path().join("c.txt"), "3").unwrap();
    fs::write(dir.path().join("b/z.txt"), "2").unwrap();
    fs::write(dir.path().join("a.txt"), "1").unwrap();
    fs::write(dir.path().join("b/y.md"), "x").unwrap();
    dir
}

#[test]
fn folders_and_globs_are_read_in_sorted_order() {
    let dir = folder();
    assert_eq!(load(dir.path()).unwrap().bytes, b"1x23");
    assert_eq!(load(dir.path().join("*.txt")).unwrap().bytes, b"13");
    assert_eq!(load(dir.path().join("**/*.txt")).unwrap().bytes, b"123");
    assert_eq!(load(dir.path().join("b/z.txt")).unwrap().bytes, b"2");
}

#[cfg(unix)]
#[test]
fn a_link_to_the_folder_above_does_not_loop() {
    let dir = folder();
    std::os::unix::fs::symlink(dir.path(), dir.path().join("b/up")).unwrap();
    assert_eq!(load(dir.path()).unwrap().bytes, b"1x23");
}

#[test]
fn two_names_of_one_content_have_one_origin() {
    let dir = folder();
    fs::write(dir.path().join("copy"), "1").unwrap();
    let (a, b) = (
        load(dir.path().join("a.txt")).unwrap(),
        load(dir.path().join("copy")).unwrap(),
    );
    assert_eq!(a.provenance.origin, b.provenance.origin);
    assert_ne!(a.name(), b.name());
}

#[test]
fn bad_sources_are_named() {
    let dir = folder();
    let empty = dir.path().join("empty");
    fs::write(&empty, "").unwrap();
    let hollow = dir.path().join("hollow");
    fs::create_dir(&hollow).unwrap();
    for (path, wanted) in [
        (dir.path().join("missing"), "no file, folder or data set"),
        (empty, "holds no bytes"),
        (hollow, "holds no bytes"),
        (dir.path().join("*.png"), "matches no file"),
        (dir.path().join("[a"), "not a valid pattern"),
    ] {
        let error = load(&path).unwrap_err();
        let text = chain(&error);
        assert!(text.contains(wanted), "{text}");
        assert!(text.contains(&*path.to_string_lossy()), "{text}");
        assert!(error.is_usage());
    }
}

#[test]
fn sets_that_are_not_here_say_how_to_get_them() {
    let text = chain(&load("enwik8").unwrap_err());
    assert!(text.contains("brevity data fetch enwik8"), "{text}");
    let text = chain(&load("enwik88").unwrap_err());
    assert!(text.contains("did you mean `enwik8`"), "{text}");
    let error = load("random").unwrap_err();
    assert!(matches!(error, DataError::Config { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder();
    let path = dir.path().join("a.txt");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads everything.
    if fs::read(&path).is_err() {
        let text = chain(&load(&path).unwrap_err());
        assert!(
            text.contains("cannot read") && text.contains("a.txt"),
            "{text}"
        );
    }
}
