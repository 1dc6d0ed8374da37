//! Texts that are compared whole with a file.
//!
//! The crate insta does as much and more, but asks of its dependencies what nothing else
//! asks: tests would then build burn a second time.

use std::path::Path;

/// Asserts that `text` is that of `tests/snapshots/NAME.txt`. With `UPDATE_SNAPSHOTS` in
/// the environment, it is written there.
#[track_caller]
pub fn assert_snapshot(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(&path, text).expect("a file");
    }
    let expected = std::fs::read_to_string(&path).expect("a snapshot");
    assert!(
        text == expected,
        "{name} is no longer what {} says. Expected:\n{expected}\nFound:\n{text}",
        path.display()
    );
}
