//! Imports end as sets of the store, complete or not at all.

use std::fs;
use std::path::Path;

use brevity_data::{
    ByteSet, Conversion, DataError, Source, State, Store, default_name, import, list,
};

use crate::chain;

fn png(path: &Path, grey: u8) {
    let file = fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, 64, 32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&[grey; 2048])
        .unwrap();
}

struct Place {
    dir: tempfile::TempDir,
    store: Store,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("pictures")).unwrap();
    png(&dir.path().join("pictures/b.png"), 2);
    png(&dir.path().join("pictures/a.PNG"), 1);
    fs::write(dir.path().join("pictures/notes.txt"), "not a picture").unwrap();
    let store = Store::at(dir.path().join("sets"));
    Place { dir, store }
}

impl Place {
    fn source(&self, name: &str) -> Source {
        Source::from(self.dir.path().join(name).to_str().unwrap())
    }
}

#[test]
fn a_folder_becomes_a_set_that_is_a_source() {
    let p = place();
    let record = import(
        &p.source("pictures"),
        Conversion::GrayPatches,
        "mine",
        false,
        &p.store,
    )
    .unwrap();
    assert_eq!((record.bytes, record.file.len()), (4096, 2));
    assert_eq!(p.store.record("mine").unwrap().unwrap(), record);
    let set = ByteSet::load_from(&Source::from("mine"), &p.store).unwrap();
    assert_eq!((set.bytes[0], set.bytes[2048]), (1, 2));
    let listed = list(&p.store).unwrap();
    assert!(
        listed
            .iter()
            .any(|s| s.name == "mine" && s.state == State::Present)
    );
}

#[test]
fn bytes_take_every_file() {
    let p = place();
    let record = import(
        &p.source("pictures/*.txt"),
        Conversion::Bytes,
        "text",
        false,
        &p.store,
    )
    .unwrap();
    assert_eq!(record.bytes, 13);
    assert_eq!(record.file[0].sha256, record.sha256);
}

#[test]
fn what_is_there_is_replaced_only_when_asked() {
    let p = place();
    let from = |name: &str, force| import(&p.source(name), Conversion::Bytes, "s", force, &p.store);
    from("pictures/notes.txt", false).unwrap();
    assert!(matches!(
        from("pictures/a.PNG", false),
        Err(DataError::Exists { .. })
    ));
    let record = from("pictures/a.PNG", true).unwrap();
    assert_eq!(p.store.record("s").unwrap().unwrap(), record);
}

#[test]
fn a_failed_import_leaves_nothing() {
    let p = place();
    fs::write(p.dir.path().join("pictures/c.png"), "damaged").unwrap();
    let error = import(
        &p.source("pictures"),
        Conversion::GrayPatches,
        "mine",
        false,
        &p.store,
    )
    .unwrap_err();
    assert!(chain(&error).contains("c.png"), "{error}");
    assert!(!p.store.set_dir("mine").exists());
    let left: Vec<_> = fs::read_dir(p.store.root().join(".partial"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, ["mine.lock"]);
}

#[test]
fn what_a_killed_process_left_is_cleared_away() {
    let p = place();
    let scraps = p.store.root().join(".partial/s~Xy12");
    fs::create_dir_all(&scraps).unwrap();
    fs::write(scraps.join("data"), "half of it").unwrap();
    import(
        &p.source("pictures/notes.txt"),
        Conversion::Bytes,
        "s",
        false,
        &p.store,
    )
    .unwrap();
    assert!(!scraps.exists());
}

#[test]
fn bad_imports_are_refused() {
    let p = place();
    let try_import = |source: Source, conversion, name: &str| {
        let error = import(&source, conversion, name, false, &p.store).unwrap_err();
        assert!(error.is_usage(), "{error}");
        chain(&error)
    };
    let text = p.source("pictures/notes.txt");
    assert!(try_import(text.clone(), Conversion::Bytes, "enwik8").contains("choose another"));
    for name in ["", "../x", "a/b", ".hidden", "--force"] {
        assert!(try_import(text.clone(), Conversion::Bytes, name).contains("--name"));
    }
    assert!(try_import("random".into(), Conversion::Bytes, "x").contains("not a file"));
    assert!(try_import(p.source("pictures"), Conversion::Pcm8, "x").contains("pcm8"));
    assert!(try_import(p.source("nothing"), Conversion::Bytes, "x").contains("nothing"));
    // A file that is named must decode, whatever it is called.
    let error = import(&text, Conversion::GrayPatches, "x", false, &p.store).unwrap_err();
    assert!(matches!(error, DataError::Decode { .. }), "{error}");
}

#[test]
fn names_come_from_the_path() {
    let p = place();
    assert_eq!(
        default_name(&p.source("pictures")).as_deref(),
        Some("pictures")
    );
    assert_eq!(
        default_name(&p.source("pictures/a.PNG")).as_deref(),
        Some("a")
    );
    assert_eq!(
        default_name(&p.source("pictures/*.png")).as_deref(),
        Some("pictures")
    );
    assert_eq!(default_name(&Source::Stdin), None);
}
