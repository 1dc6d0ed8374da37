//! Sources that are mapped, put together or unpacked, and what is told of them before
//! they are read.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use brevity_data::{ByteSet, DataConfig, Source, Store};

use crate::chain;

/// More than is read into memory.
const LONG: u64 = 70 << 20;

/// A file with holes, and a few bytes at its end.
fn long_file(path: &Path, end: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.set_len(LONG).unwrap();
    file.seek(SeekFrom::Start(LONG - end.len() as u64)).unwrap();
    file.write_all(end).unwrap();
    let then = SystemTime::now() - Duration::from_secs(60);
    file.set_modified(then).unwrap();
}

fn config(source: &str) -> DataConfig {
    toml::from_str(source).unwrap()
}

#[test]
fn a_long_file_is_mapped_and_hashed_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("long");
    long_file(&path, b"the end");
    let store = Store::at(dir.path().join("store"));
    let all = format!("source = {path:?}\nbytes = 1000\nholdout = {{ bytes = 7 }}");
    let all = config(&all);
    let plan = all.plan(&store).unwrap();
    assert_eq!((plan.train, plan.holdout), (Some(1000), 7));
    assert_eq!(plan.unread, LONG);
    let split = all.load_from(&store).unwrap();
    assert_eq!(split.holdout.unwrap().bytes, b"the end");
    assert_eq!(split.train.bytes, [0; 1000]);
    let hash = blake3::hash(&[0; 1000]).to_hex();
    assert_eq!(split.train.blake3(), hash.as_str());
    assert_eq!(all.plan(&store).unwrap().unread, 0);

    // The same bytes in memory have the same origin.
    let bytes = fs::read(&path).unwrap();
    let hash = blake3::hash(&bytes).to_hex().to_string();
    assert_eq!(split.train.provenance.origin, hash);

    // It changes, and so does what is known of it.
    long_file(&path, b"THE END");
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
    assert_eq!(all.plan(&store).unwrap().unread, LONG);
    let split = all.load_from(&store).unwrap();
    assert_eq!(split.holdout.unwrap().bytes, b"THE END");
    assert_ne!(split.train.provenance.origin, hash);
}

#[test]
fn several_sources_are_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("b.txt"), "second").unwrap();
    fs::write(at("a.txt"), "first").unwrap();
    let store = Store::at(at("store"));
    let text = format!("source = [{:?}, {:?}]", at("b.txt"), at("*.txt"));
    let config = config(&text);
    let loaded = config.load_from(&store).unwrap();
    assert_eq!(loaded.train.bytes, b"secondfirstsecond");
    assert_eq!(config.plan(&store).unwrap().train, Some(17));
    // As it was written, so it is kept with a trial.
    let kept: DataConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
    assert_eq!(kept, config);

    long_file(&at("long"), b".");
    let source = Source::Several(vec![Source::Path(at("long")), Source::Path(at("a.txt"))]);
    let set = ByteSet::load_from(&source, &store).unwrap();
    assert_eq!(set.len() as u64, LONG + 5);
    assert_eq!(set.bytes[LONG as usize - 1..], *b".first");
    let again = ByteSet::load_from(&source, &store).unwrap();
    assert_eq!(again.provenance, set.provenance);

    let endless = Source::Several(vec![Source::from("random")]);
    let error = chain(&ByteSet::load_from(&endless, &store).unwrap_err());
    assert!(error.contains("cannot be one of several"), "{error}");
}

#[test]
fn what_a_compressed_file_holds_is_the_source() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let store = Store::at(at("store"));
    let text = b"hold it up sternly, see this it sends back ".repeat(50);
    let pack = |bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    fs::write(at("text"), &text).unwrap();
    fs::write(at("text.gz"), pack(&text)).unwrap();
    let load = |name: &str| ByteSet::load_from(&Source::Path(at(name)), &store);
    let packed = DataConfig::from(Source::Path(at("text.gz")));
    // Its length is known once it has been unpacked.
    assert_eq!(packed.plan(&store).unwrap().train, None);
    let (plain, unpacked) = (load("text").unwrap(), load("text.gz").unwrap());
    assert_eq!(unpacked.bytes, text);
    assert_eq!(unpacked.provenance.origin, plain.provenance.origin);
    let plan = packed.plan(&store).unwrap();
    assert_eq!(plan.train, Some(text.len() as u64));

    // Another content takes the place of the first.
    fs::write(at("text.gz"), pack(b"another")).unwrap();
    assert_eq!(load("text.gz").unwrap().bytes, b"another");
    let kept = fs::read_dir(at("store/.together")).unwrap();
    let kept = kept.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        !name.to_str().unwrap().ends_with(".lock")
    });
    assert_eq!(kept.count(), 1);

    fs::write(at("half.gz"), &pack(&text)[..20]).unwrap();
    let error = chain(&load("half.gz").unwrap_err());
    assert!(
        error.contains("half.gz") && error.contains("cannot be unpacked"),
        "{error}"
    );
    fs::write(at("none.gz"), pack(b"")).unwrap();
    let error = chain(&load("none.gz").unwrap_err());
    assert!(error.contains("holds no bytes"), "{error}");
}

#[test]
fn the_length_of_an_unfetched_set_is_that_of_the_registry() {
    let store = Store::at("/nonexistent");
    let plan = |text: &str| config(text).plan(&store).unwrap();
    let all = plan("source = 'enwik8'\nholdout = { bytes = 1000 }");
    assert_eq!(all.train, Some(100_000_000 - 1000));
    assert_eq!(all.unread, u64::MAX);
    assert_eq!(plan("source = 'set:enwik9'").train, Some(1_000_000_000));
    let much = config("source = 'enwik8'\nbytes = 200_000_000");
    let error = chain(&much.plan(&store).unwrap_err());
    assert!(error.contains("has 100000000 bytes"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_long_pipe_is_read_into_a_file_without_a_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut pipe = File::options().write(true).open(path).unwrap();
            for piece in 0..LONG >> 20 {
                pipe.write_all(&vec![piece as u8; 1 << 20]).unwrap();
            }
        }
    });
    let store = Store::at(dir.path().join("store"));
    let set = ByteSet::load_from(&Source::Path(path), &store).unwrap();
    writer.join().unwrap();
    assert_eq!(set.len() as u64, LONG);
    for piece in 0..LONG >> 20 {
        assert_eq!(set.bytes[piece as usize * (1 << 20) + 5], piece as u8);
    }
    assert_eq!(
        fs::read_dir(dir.path().join("store/.partial"))
            .unwrap()
            .count(),
        0
    );
}
