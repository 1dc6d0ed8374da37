//! Files, folders and patterns as sources, and their errors.

use std::fs;
use std::path::Path;

use brevity_data::{ByteSet, DataConfig, DataError, Import, Source, Store, import};
use brevity_media::Conversion;

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

/// Tests run in the folder of this crate, which has a folder `src`.
#[test]
fn a_name_with_two_meanings_is_refused_and_both_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::at(dir.path().join("sets"));
    let file = dir.path().join("one");
    fs::write(&file, "one").unwrap();
    let options = Import {
        conversion: Conversion::Bytes,
        name: "src".into(),
        replace: false,
        skip_bad: false,
    };
    import(&[file], &options, &store).unwrap();
    let load = |text: &str| ByteSet::load_from(&Source::from(text), &store);
    let error = load("src").unwrap_err();
    assert!(matches!(error, DataError::Ambiguous { .. }) && error.is_usage());
    let text = error.to_string();
    assert!(
        text.contains("`./src`") && text.contains("`set:src`"),
        "{text}"
    );
    assert!(store.record_of(&Source::from("src")).is_err());
    assert_eq!(load("set:src").unwrap().bytes, b"one");
    assert!(load("./src").unwrap().len() > 1000);
    assert!(load("src/").unwrap().len() > 1000);
    assert!(load("set:nothing").is_err());
    // A name that is not ambiguous needs no prefix.
    let without = Store::at(dir.path().join("none"));
    assert!(
        ByteSet::load_from(&Source::from("src"), &without)
            .unwrap()
            .len()
            > 1000
    );
    let built_in: DataConfig = "set:random,bytes=10".parse().unwrap();
    assert_eq!(built_in.load_from(&store).unwrap().train.len(), 10);
}

#[test]
fn a_file_that_is_called_like_a_pattern_is_itself() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("run1.txt"), "the other").unwrap();
    fs::write(dir.path().join("run[1].txt"), "this one").unwrap();
    let path = dir.path().join("run[1].txt");
    assert_eq!(load(&path).unwrap().bytes, b"this one");
    let store = Store::at(dir.path().join("sets"));
    let options = Import {
        conversion: Conversion::Bytes,
        name: "run".into(),
        replace: false,
        skip_bad: false,
    };
    let imported = import(std::slice::from_ref(&path), &options, &store).unwrap();
    assert_eq!(imported.record.bytes, 8);
    fs::remove_file(&path).unwrap();
    assert_eq!(load(&path).unwrap().bytes, b"the other");
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_files_too() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(OsStr::from_bytes(b"caf\xE9.txt"));
    fs::write(&path, "coffee").unwrap();
    let store = Store::at("/nonexistent");
    let set = ByteSet::load_from(&Source::from(path.as_os_str()), &store).unwrap();
    assert_eq!(set.bytes, b"coffee");
    let config = DataConfig::try_from(path.into_os_string()).unwrap();
    assert_eq!(config.load_from(&store).unwrap().train.bytes, b"coffee");
    assert_eq!(load(dir.path().join("*.txt")).unwrap().bytes, b"coffee");
}
