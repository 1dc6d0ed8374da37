//! Fetching from a server that cuts connections, sends wrong ranges and omits
//! validators.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use brevity_data::{
    ByteSet, Client, DataError, Entry, Generator, RemoteFile, Result, SetRecord, Source, Store,
    Unpack,
};
use brevity_media::Conversion;
use indicatif::ProgressBar;

use crate::chain;
use crate::server::{Reply, Server};

fn body() -> Vec<u8> {
    Generator::Random.bytes(5, 0..300_000)
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// A set of one file whose length and hash are known.
fn entry(server: &Server, content: &[u8]) -> Entry {
    Entry {
        name: "probe".into(),
        about: String::new(),
        licence: "none".into(),
        page: String::new(),
        bytes: None,
        sha256: None,
        unpack: Unpack::Raw,
        convert: Conversion::Bytes,
        files: vec![RemoteFile {
            url: server.url(),
            bytes: Some(content.len() as u64),
            sha256: Some(sha256(content)),
        }],
    }
}

/// An entry without length and hash of the file.
fn unknown(server: &Server) -> Entry {
    let mut entry = entry(server, b"");
    (entry.files[0].bytes, entry.files[0].sha256) = (None, None);
    entry
}

struct Place {
    dir: tempfile::TempDir,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path().join("sets"));
        Self { dir, store }
    }

    fn fetch(&self, entry: &Entry) -> Result<SetRecord> {
        self.fetch_with(entry, false)
    }

    fn fetch_with(&self, entry: &Entry, force: bool) -> Result<SetRecord> {
        let client = Client {
            attempts: 3,
            pause: Duration::from_millis(1),
            ..Client::default()
        };
        client.fetch(entry, force, &self.store, &ProgressBar::hidden())
    }

    /// The bytes of the set, if the store has it.
    fn set(&self) -> Option<Vec<u8>> {
        fs::read(self.store.data_path("probe")).ok()
    }

    fn received(&self) -> usize {
        let path = self.store.root().join(".partial/probe/0.part");
        fs::metadata(path).map_or(0, |m| m.len() as usize)
    }
}

#[test]
fn a_good_server_is_asked_once() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(&body, &[]);
    let entry = entry(&server, &body);
    let record = place.fetch(&entry).unwrap();
    assert_eq!(place.set().unwrap(), body);
    assert_eq!(record.sha256, sha256(&body));
    assert_eq!(record.licence.as_deref(), Some("none"));
    // The second call finds the set, and no partial files are left.
    assert_eq!(place.fetch(&entry).unwrap(), record);
    assert_eq!(server.ranges(), [None]);
    assert!(!place.store.root().join(".partial/probe").exists());
    // The set can be used as a source now.
    let set = ByteSet::load_from(&Source::from("probe"), &place.store).unwrap();
    assert_eq!(set.bytes, body);
}

#[test]
fn cut_connections_are_resumed_where_they_broke() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(
        &body,
        &[Reply::Cut(100_000), Reply::Cut(0), Reply::Cut(50_000)],
    );
    place.fetch(&entry(&server, &body)).unwrap();
    assert_eq!(place.set().unwrap(), body);
    assert_eq!(
        server.ranges(),
        [None, Some(100_000), Some(100_000), Some(150_000)]
    );
}

#[test]
fn what_was_received_serves_the_next_call() {
    let (body, place) = (body(), Place::new());
    let script = [
        Reply::Cut(200_000),
        Reply::Status(503),
        Reply::Cut(0),
        Reply::Status(503),
    ];
    let server = Server::new(&body, &script);
    let error = place.fetch(&entry(&server, &body)).unwrap_err();
    assert!(
        chain(&error).contains("200000 bytes received are kept"),
        "{error}"
    );
    assert_eq!((place.set(), place.received()), (None, 200_000));
    place.fetch(&entry(&server, &body)).unwrap();
    assert_eq!(place.set().unwrap(), body);
    assert_eq!(server.ranges().last(), Some(&Some(200_000)));
}

#[test]
fn a_complete_download_is_not_asked_for_again() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(&body, &[]);
    let folder = place.store.root().join(".partial/probe");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("0.part"), &body).unwrap();
    place.fetch(&entry(&server, &body)).unwrap();
    assert!(server.ranges().is_empty());
    // The length is not known, so the server must report that nothing is
    // missing.
    let mut entry = entry(&server, &body);
    entry.files[0].bytes = None;
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("0.part"), &body).unwrap();
    place.fetch_with(&entry, true).unwrap();
    assert_eq!(server.ranges(), [Some(300_000)]);
    assert_eq!(place.set().unwrap(), body);
}

#[test]
fn a_server_that_ignores_ranges_starts_over() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(&body, &[Reply::Cut(1000), Reply::IgnoreRange]);
    place.fetch(&entry(&server, &body)).unwrap();
    assert_eq!(place.set().unwrap(), body);
    assert_eq!(server.ranges(), [None, Some(1000)]);
}

#[test]
fn a_server_that_never_gets_further_is_given_up() {
    let (body, place) = (body(), Place::new());
    let replies = vec![Reply::Cut(10_000); 20];
    let server = Server::new(&body, &replies);
    server.forget_etag();
    let mut entry = unknown(&server);
    entry.files[0].bytes = Some(body.len() as u64);
    let error = place.fetch(&entry).unwrap_err();
    assert!(matches!(error, DataError::Http { .. }), "{error}");
    // Without hash and validator, parts are never joined.
    assert!(server.ranges().iter().all(Option::is_none));
    assert_eq!(server.ranges().len(), 4);
    assert_eq!(place.set(), None);
}

#[test]
fn a_range_that_was_not_asked_for_is_thrown_away() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(&body, &[Reply::Cut(1000), Reply::OtherRange]);
    place.fetch(&entry(&server, &body)).unwrap();
    assert_eq!(place.set().unwrap(), body);
    assert_eq!(server.ranges(), [None, Some(1000), None]);
}

#[test]
fn wrong_bytes_are_refused_and_deleted() {
    let (body, place) = (body(), Place::new());
    let mut wrong = body.clone();
    wrong[123_456] ^= 1;
    let server = Server::new(&wrong, &[]);
    let error = place.fetch(&entry(&server, &body)).unwrap_err();
    let text = chain(&error);
    assert!(
        text.contains(&sha256(&body)) && text.contains(&sha256(&wrong)),
        "{text}"
    );
    assert_eq!((place.set(), place.received()), (None, 0));
}

#[test]
fn two_versions_glued_together_get_a_second_chance() {
    let (body, place) = (body(), Place::new());
    let old = vec![7; body.len()];
    // No validator, but a hash: the resumed file is wrong, the next one right.
    let server = Server::new(&old, &[Reply::Cut(5000), Reply::Status(404)]);
    server.forget_etag();
    place.fetch(&entry(&server, &body)).unwrap_err();
    server.replace(&body, "");
    place.fetch(&entry(&server, &body)).unwrap();
    assert_eq!(place.set().unwrap(), body);
    assert_eq!(server.ranges(), [None, Some(5000), Some(5000), None]);
}

#[test]
fn a_changed_validator_starts_over() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(
        &vec![7; body.len()],
        &[Reply::Cut(5000), Reply::Status(404)],
    );
    place.fetch(&unknown(&server)).unwrap_err();
    server.replace(&body, "\"v2\"");
    place.fetch(&unknown(&server)).unwrap();
    assert_eq!(place.set().unwrap(), body);
}

#[test]
fn wrong_lengths_are_refused() {
    let (body, place) = (body(), Place::new());
    for reply in [Reply::Longer(1), Reply::Longer(100_000)] {
        let server = Server::new(&body, &[reply]);
        let error = place.fetch(&entry(&server, &body)).unwrap_err();
        assert!(chain(&error).contains("bytes: expected 300000"), "{error}");
        assert_eq!((place.set(), place.received()), (None, 0));
    }
    // The file is longer than the registry says, and the server sends no
    // length.
    let server = Server::new(&body, &[Reply::NoLength]);
    let mut entry = entry(&server, &body);
    entry.files[0].bytes = Some(1000);
    let error = place.fetch(&entry).unwrap_err();
    assert!(matches!(error, DataError::Mismatch { .. }), "{error}");
    assert_eq!((place.set(), place.received()), (None, 0));
    // The set itself has a length, too.
    let server = Server::new(&body, &[Reply::NoLength]);
    let mut entry = unknown(&server);
    entry.bytes = Some(299_999);
    let error = place.fetch(&entry).unwrap_err();
    assert!(
        chain(&error).contains("expected 299999, got more"),
        "{error}"
    );
    assert_eq!(place.set(), None);
}

#[test]
fn a_missing_file_is_final() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(&body, &[Reply::Status(404)]);
    let error = place.fetch(&entry(&server, &body)).unwrap_err();
    let text = chain(&error);
    assert!(
        text.contains("404") && text.contains(&server.url()),
        "{text}"
    );
    assert_eq!(server.ranges().len(), 1);
}

#[test]
fn a_server_that_is_away_is_named() {
    let place = Place::new();
    let mut entry = entry(&Server::new(b"x", &[]), b"x");
    // Port 1 of this machine: nobody listens.
    entry.files[0].url = "http://127.0.0.1:1/file".into();
    let error = place.fetch(&entry).unwrap_err();
    assert!(chain(&error).contains("127.0.0.1:1"), "{error}");
}

#[test]
fn the_first_download_is_trusted_and_later_ones_held_to_it() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(&body, &[]);
    let record = place.fetch(&unknown(&server)).unwrap();
    assert_eq!(record.file[0].sha256, sha256(&body));
    server.replace(&body[..1000], "\"v2\"");
    let error = place.fetch_with(&unknown(&server), true).unwrap_err();
    assert!(matches!(error, DataError::Mismatch { .. }), "{error}");
    // The previous set is still there.
    assert_eq!(place.set().unwrap(), body);
}

#[test]
fn another_fetch_of_the_same_set_is_refused() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(&body, &[]);
    fs::create_dir_all(place.store.root().join(".partial")).unwrap();
    let lock = fs::File::create(place.store.root().join(".partial/probe.lock")).unwrap();
    lock.lock().unwrap();
    let error = place.fetch(&entry(&server, &body)).unwrap_err();
    assert!(matches!(error, DataError::Busy { .. }), "{error}");
    drop(lock);
    place.fetch(&entry(&server, &body)).unwrap();
}

#[test]
fn a_store_that_cannot_be_written_is_named() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(&body, &[]);
    let file = place.dir.path().join("sets");
    fs::write(&file, "a file where the folder should be").unwrap();
    let error = place.fetch(&entry(&server, &body)).unwrap_err();
    assert!(chain(&error).contains(&*file.to_string_lossy()), "{error}");
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated);
        out.start_file(*name, options).unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn tar_gz(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        // By hand: the builder itself refuses names that leave the folder.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        out.append(&header, *bytes).unwrap();
    }
    gz(&out.into_inner().unwrap())
}

fn archived(unpack: Unpack, archive: &[u8], place: &Place) -> Result<SetRecord> {
    let server = Server::new(archive, &[]);
    place.fetch(&Entry {
        unpack,
        ..entry(&server, archive)
    })
}

#[test]
fn archives_open() {
    let (a, b) = (body(), b"second".to_vec());
    let both = [a.clone(), b.clone()].concat();
    // A name that would leave the folder has no effect; only the content of the
    // member is used.
    let members: [(&str, &[u8]); 2] = [("../../a", &a), ("deep/b", &b)];
    for (unpack, archive) in [
        (Unpack::Gz, gz(&both)),
        (Unpack::Zip, zip(&members)),
        (Unpack::TarGz, tar_gz(&members)),
    ] {
        let place = Place::new();
        archived(unpack, &archive, &place).unwrap();
        assert!(place.set().unwrap() == both, "{unpack:?}");
        let around: Vec<_> = fs::read_dir(place.dir.path()).unwrap().collect();
        assert_eq!(around.len(), 1, "{unpack:?} wrote outside of the store");
    }
}

#[test]
fn damaged_archives_leave_nothing() {
    let body = body();
    let members: [(&str, &[u8]); 1] = [("a", &body)];
    for (unpack, archive) in [
        (Unpack::Gz, gz(&body)),
        (Unpack::Zip, zip(&members)),
        (Unpack::TarGz, tar_gz(&members)),
    ] {
        let mut flipped = archive.clone();
        flipped[150_000] ^= 0x10;
        for broken in [&archive[..archive.len() / 2], &flipped, b"no archive", b""] {
            let place = Place::new();
            let error = archived(unpack, broken, &place).unwrap_err();
            let text = chain(&error);
            assert!(
                text.contains("damaged archive") && text.contains("/file"),
                "{unpack:?}: {text}"
            );
            assert_eq!(place.set(), None);
        }
    }
}

#[test]
fn members_that_the_conversion_cannot_read_are_passed_over() {
    let archive = tar_gz(&[("README.txt", b"hello")]);
    let place = Place::new();
    let server = Server::new(&archive, &[]);
    let entry = Entry {
        unpack: Unpack::TarGz,
        convert: Conversion::Pcm8,
        ..entry(&server, &archive)
    };
    let error = place.fetch(&entry).unwrap_err();
    assert!(matches!(error, DataError::NoMatch { .. }), "{error}");
}

#[test]
fn sets_of_many_files_keep_their_order() {
    let place = Place::new();
    let servers = [
        Server::new(b"first ", &[]),
        Server::new(b"second", &[Reply::Cut(3)]),
    ];
    let files = servers.iter().map(|s| RemoteFile {
        url: s.url(),
        bytes: None,
        sha256: None,
    });
    let entry = Entry {
        files: files.collect(),
        ..unknown(&servers[0])
    };
    let record = place.fetch(&entry).unwrap();
    assert_eq!(place.set().unwrap(), b"first second");
    assert_eq!(record.file.len(), 2);
    assert!(
        Path::new(&place.store.set_dir("probe"))
            .join("set.toml")
            .is_file()
    );
}

#[test]
fn a_set_that_was_tampered_with_is_noticed() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(&body, &[]);
    place.fetch(&entry(&server, &body)).unwrap();
    let load = || ByteSet::load_from(&Source::from("probe"), &place.store);
    let mut bytes = body.clone();
    bytes[0] ^= 1;
    fs::write(place.store.data_path("probe"), &bytes).unwrap();
    assert!(matches!(load(), Err(DataError::Mismatch { .. })));
    fs::write(place.store.data_path("probe"), &bytes[1..]).unwrap();
    assert!(chain(&load().unwrap_err()).contains("fetch or import it again"));
    // Fetching repairs the set without `force`.
    place.fetch(&entry(&server, &body)).unwrap();
    assert_eq!(load().unwrap().bytes, body);
}

#[test]
fn a_redirect_into_the_users_network_is_refused() {
    let (body, place) = (body(), Place::new());
    let inside = Server::new(&body, &[]);
    for to in [inside.url(), "http://169.254.169.254/latest".into()] {
        let server = Server::new(&body, &[Reply::Redirect(to)]);
        let error = chain(&place.fetch(&entry(&server, &body)).unwrap_err());
        assert!(error.contains("private address"), "{error}");
    }
    assert_eq!(inside.ranges(), []);
    // On the host that was asked for, a redirect is followed.
    let server = Server::new(&body, &[]);
    let moved = Server::new(&body, &[Reply::Redirect("/elsewhere".into())]);
    place.fetch(&entry(&moved, &body)).unwrap();
    assert_eq!(server.ranges(), []);
}

#[test]
fn a_connection_that_stalls_is_given_up() {
    let (body, place) = (body(), Place::new());
    let stall = || Reply::Stall(1000);
    let server = Server::new(
        &body,
        &[stall(), stall(), stall(), stall(), stall(), stall()],
    );
    let client = Client {
        attempts: 2,
        pause: Duration::from_millis(1),
        patience: Duration::from_millis(1500),
        ..Client::default()
    };
    let bar = ProgressBar::hidden();
    let error = client.fetch(&entry(&server, &body), false, &place.store, &bar);
    let error = chain(&error.unwrap_err());
    assert!(error.contains("fewer than 1000 bytes a second"), "{error}");
    // What came is kept.
    assert!(place.received() >= 1000);
}

#[test]
fn a_mirror_has_the_files_by_their_last_names() {
    let (body, place) = (body(), Place::new());
    let server = Server::new(&body, &[]);
    let mut entry = entry(&server, &body);
    entry.files[0].url = "https://example.invalid/far/away/file".into();
    let client = Client {
        mirror: Some(server.url().trim_end_matches("file").into()),
        ..Client::default()
    };
    let bar = ProgressBar::hidden();
    let record = client.fetch(&entry, false, &place.store, &bar).unwrap();
    assert_eq!(place.set().unwrap(), body);
    // What was promised of the far address was kept by the mirror.
    assert_eq!(record.file[0].origin, entry.files[0].url);
    // A mirror with something else is found out.
    server.replace(b"something else", "\"v2\"");
    let error = client.fetch(&entry, true, &place.store, &bar).unwrap_err();
    assert!(matches!(error, DataError::Mismatch { .. }), "{error}");
}

#[test]
fn unpacking_stops_where_the_set_should_end() {
    let place = Place::new();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        gz.write_all(&[0; 1 << 20]).unwrap();
    }
    let bomb = gz.finish().unwrap();
    let server = Server::new(&bomb, &[]);
    let mut entry = entry(&server, &bomb);
    entry.unpack = Unpack::Gz;
    entry.bytes = Some(1000);
    let error = chain(&place.fetch(&entry).unwrap_err());
    assert!(error.contains("expected 1000, got more"), "{error}");
    assert!(place.set().is_none());
}
