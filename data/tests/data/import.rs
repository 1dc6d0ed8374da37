//! An import makes a complete set in the store, or none.

use std::fs;
use std::path::{Path, PathBuf};

use brevity_data::{
    ByteSet, DataError, Import, Imported, Select, Source, State, Store, default_name, export,
    import, list, passed_over,
};
use brevity_media::{Conversion, Geometry};

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
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn import(
        &self,
        path: &str,
        conversion: Conversion,
        name: &str,
    ) -> Result<Imported, DataError> {
        import(&[self.path(path)], &options(conversion, name), &self.store)
    }
}

fn options(conversion: Conversion, name: &str) -> Import {
    Import {
        conversion,
        name: name.into(),
        replace: false,
        skip_bad: false,
    }
}

#[test]
fn a_folder_becomes_a_set_that_is_a_source() {
    let p = place();
    let record = p
        .import("pictures", Conversion::GrayPatches, "mine")
        .unwrap()
        .record;
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
    let record = p
        .import("pictures/*.txt", Conversion::Bytes, "text")
        .unwrap()
        .record;
    assert_eq!(record.bytes, 13);
    assert_eq!(record.file[0].sha256, record.sha256);
}

#[test]
fn what_is_there_is_replaced_only_when_asked() {
    let p = place();
    let from = |name: &str, replace| {
        let options = Import {
            replace,
            ..options(Conversion::Bytes, "s")
        };
        import(&[p.path(name)], &options, &p.store)
    };
    from("pictures/notes.txt", false).unwrap();
    assert!(matches!(
        from("pictures/a.PNG", false),
        Err(DataError::Exists { .. })
    ));
    let record = from("pictures/a.PNG", true).unwrap().record;
    assert_eq!(p.store.record("s").unwrap().unwrap(), record);
}

#[test]
fn a_failed_import_leaves_nothing() {
    let p = place();
    fs::write(p.dir.path().join("pictures/c.png"), "damaged").unwrap();
    let error = p
        .import("pictures", Conversion::GrayPatches, "mine")
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
    p.import("pictures/notes.txt", Conversion::Bytes, "s")
        .unwrap();
    assert!(!scraps.exists());
}

#[test]
fn bad_imports_are_refused() {
    let p = place();
    let try_import = |path: &str, conversion, name: &str| {
        let error = import(&[path.into()], &options(conversion, name), &p.store).unwrap_err();
        assert!(error.is_usage(), "{error}");
        chain(&error)
    };
    let text = p.path("pictures/notes.txt");
    let text = text.to_str().unwrap();
    assert!(try_import(text, Conversion::Bytes, "enwik8").contains("choose another"));
    for name in ["", "../x", "a/b", ".hidden", "--force"] {
        assert!(try_import(text, Conversion::Bytes, name).contains("--name"));
    }
    assert!(try_import("random", Conversion::Bytes, "x").contains("is a data set"));
    let pictures = p.path("pictures");
    assert!(try_import(pictures.to_str().unwrap(), Conversion::Pcm8, "x").contains("pcm8"));
    assert!(try_import("nothing-here", Conversion::Bytes, "x").contains("nothing-here"));
    // A file that the user names must decode, whatever its extension.
    let error = p
        .import("pictures/notes.txt", Conversion::GrayPatches, "x")
        .unwrap_err();
    assert!(matches!(error, DataError::Media(_)), "{error}");
}

#[test]
fn names_come_from_the_path() {
    let p = place();
    assert_eq!(
        default_name(&[p.path("pictures")]).as_deref(),
        Some("pictures")
    );
    assert_eq!(
        default_name(&[p.path("pictures/a.PNG")]).as_deref(),
        Some("a")
    );
    assert_eq!(
        default_name(&[p.path("pictures/*.png")]).as_deref(),
        Some("pictures")
    );
    let both = [p.path("pictures/a.PNG"), p.path("pictures/b.png")];
    assert_eq!(default_name(&both).as_deref(), Some("pictures"));
    assert_eq!(default_name(&[both[0].clone(), p.path("pictures")]), None);
    assert_eq!(default_name(&["-".into()]), None);
}

fn wav(path: &Path, channels: u16, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(16_000u32.to_le_bytes());
    file.extend((32_000 * u32::from(channels)).to_le_bytes());
    file.extend((2 * channels).to_le_bytes());
    file.extend(16u16.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    fs::write(path, &file).unwrap();
    file
}

/// Pixels of a PNG file.
fn pixels(path: &Path) -> (u32, u32, Vec<u8>) {
    let file = std::io::BufReader::new(fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height, pixels)
}

#[test]
fn pictures_come_back() {
    let p = place();
    let folder = p.dir.path().join("colour");
    fs::create_dir(&folder).unwrap();
    let colours: Vec<u8> = (0..70 * 40 * 3).map(|i| (i % 251) as u8).collect();
    let ppm = [b"P6 70 40 255\n", &colours[..]].concat();
    fs::write(folder.join("a.ppm"), &ppm).unwrap();
    for conversion in [Conversion::Rgb, Conversion::RgbPlanar] {
        let name = conversion.name();
        p.import("colour", conversion, name).unwrap();
        let out = p.path("out").join(name);
        let files = export(name, Select::ALL, &out, &p.store).unwrap();
        assert_eq!(files, [out.join("00000-a.png")]);
        assert_eq!(pixels(&files[0]), (70, 40, colours.clone()));
    }
    let patches = Conversion::GrayPatches;
    p.import("colour", patches, "grey").unwrap();
    let files = export("grey", Select::ALL, &p.path("grey"), &p.store).unwrap();
    let (width, height, grey) = pixels(&files[0]);
    assert_eq!((width, height), (64, 32));
    let mean = |i: usize| (colours[i..i + 3].iter().map(|&v| u16::from(v)).sum::<u16>() / 3) as u8;
    assert_eq!(grey[64 * 7 + 5], mean(3 * (70 * 7 + 5)));
}

#[test]
fn sounds_and_bytes_come_back_as_they_were() {
    let p = place();
    let folder = p.dir.path().join("sound");
    fs::create_dir(&folder).unwrap();
    let samples: Vec<i16> = (0..3001).map(|i| (i * 57) as i16).collect();
    let mono = wav(&folder.join("b.wav"), 1, &samples);
    let stereo = wav(&folder.join("a.wav"), 2, &samples[..3000]);
    for conversion in [
        Conversion::Pcm16,
        Conversion::Pcm16Planes,
        Conversion::Pcm16Deltas,
        Conversion::Bytes,
    ] {
        let name = conversion.name();
        p.import("sound", conversion, name).unwrap();
        let files = export(name, Select::ALL, &p.dir.path().join(name), &p.store).unwrap();
        assert!(fs::read(&files[0]).unwrap() == stereo, "{name}");
        assert!(fs::read(&files[1]).unwrap() == mono, "{name}");
        // Export of a single item.
        let one: Select = "1".parse().unwrap();
        let files = export(name, one, &p.path("one").join(name), &p.store).unwrap();
        assert!(files.len() == 1 && fs::read(&files[0]).unwrap() == mono);
    }
    p.import("sound", Conversion::Pcm8, "speech").unwrap();
    let files = export("speech", Select::ALL, &p.path("speech"), &p.store).unwrap();
    // An exported file of 8-bit samples gives the same bytes when it is
    // imported again.
    let again = import(&files[..1], &options(Conversion::Pcm8, "again"), &p.store).unwrap();
    assert_eq!(again.record.bytes, 1500);
}

#[test]
fn what_cannot_be_exported_is_said() {
    let p = place();
    let out = p.dir.path().join("out");
    let error = export("nothing", Select::ALL, &out, &p.store).unwrap_err();
    assert!(error.is_usage(), "{error}");
    let error = export("crates", Select::ALL, &out, &p.store).unwrap_err();
    assert!(matches!(error, DataError::NoItems { .. }), "{error}");
    let error = export("enwik8", Select::ALL, &out, &p.store).unwrap_err();
    assert!(matches!(error, DataError::NotFetched { .. }), "{error}");
    p.import("pictures/notes.txt", Conversion::Bytes, "s")
        .unwrap();
    let far: Select = "3-5".parse().unwrap();
    let error = export("s", far, &out, &p.store).unwrap_err();
    assert!(error.to_string().contains("items 0 to 0"), "{error}");
    let record = p.store.set_dir("s").join("set.toml");
    let good = fs::read_to_string(&record).unwrap();
    let lying =
        good.replace("bytes = 13\n", "bytes = 14\n")
            .replacen("bytes = 14", "bytes = 13", 1);
    fs::write(&record, lying).unwrap();
    let error = export("s", Select::ALL, &out, &p.store).unwrap_err();
    assert!(matches!(error, DataError::Mismatch { .. }), "{error}");
    let old = good.split("[[item]]").next().unwrap();
    fs::write(&record, old).unwrap();
    let error = export("s", Select::ALL, &out, &p.store).unwrap_err();
    assert!(error.to_string().contains("import it again"), "{error}");
    assert!("5-3".parse::<Select>().is_err() && "x".parse::<Select>().is_err());
}

#[test]
fn sets_know_what_they_are() {
    let p = place();
    p.import("pictures", Conversion::GrayPatches, "pics")
        .unwrap();
    p.import("pictures", Conversion::Rgb, "colours").unwrap();
    let of = |text: &str| p.store.geometry(&Source::from(text)).unwrap();
    assert_eq!(of("pics"), Some(Geometry::PATCHES));
    assert_eq!(of("colours"), Some(Geometry::Rgb { width: 64 }));
    assert_eq!(of("synthetic-audio"), Some(Geometry::SPEECH));
    assert_eq!(of("crates"), None);
    assert_eq!(of("nothing-of-that-name"), None);
}

#[test]
fn files_are_told_by_what_is_in_them_and_what_is_left_out_is_said() {
    let p = place();
    let folder = p.path("pictures");
    let whole = fs::read(folder.join("b.png")).unwrap();
    for name in ["c.jfif", "d", "e.png.bak"] {
        fs::write(folder.join(name), &whole).unwrap();
    }
    fs::write(folder.join("f.bmp"), b"BM\x46\0\0\0\0\0\0\0").unwrap();
    fs::write(folder.join("g.pbm"), b"P4 8 1\n\xFF").unwrap();
    fs::write(folder.join("h"), b"").unwrap();
    let imported = p.import("pictures", Conversion::Rgb, "set").unwrap();
    assert_eq!(imported.record.item.len(), 5);
    let left: Vec<String> = imported.passed_over.iter().map(|p| p.why.clone()).collect();
    assert_eq!(
        left,
        [
            "a BMP picture",
            "a PBM picture of black and white",
            "an empty file",
            "no PNG, JPEG, WebP or PPM picture"
        ]
    );
}

#[test]
fn files_may_be_named_one_by_one() {
    let p = place();
    let files = [p.path("pictures/b.png"), p.path("pictures/a.PNG")];
    let imported = import(&files, &options(Conversion::Rgb, "both"), &p.store).unwrap();
    // In the order in which they were named.
    let origins: Vec<_> = imported.record.item.iter().map(|i| &i.origin).collect();
    assert!(origins[0].ends_with("b.png") && origins[1].ends_with("a.PNG"));
}

#[test]
fn bad_files_are_left_out_when_asked_and_listed() {
    let p = place();
    fs::write(p.path("pictures/c.png"), "damaged").unwrap();
    let whole = fs::read(p.path("pictures/b.png")).unwrap();
    fs::write(p.path("pictures/d.png"), &whole[..whole.len() - 9]).unwrap();
    let skipping = Import {
        skip_bad: true,
        ..options(Conversion::Rgb, "set")
    };
    let imported = import(&[p.path("pictures")], &skipping, &p.store).unwrap();
    assert_eq!(imported.record.bytes, 2 * 64 * 32 * 3);
    let left: Vec<_> = imported.passed_over.iter().map(|p| &p.path).collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left[1].ends_with("c.png") && left[2].ends_with("d.png"));
    // The bytes are those of an import without them.
    fs::remove_file(p.path("pictures/c.png")).unwrap();
    fs::remove_file(p.path("pictures/d.png")).unwrap();
    let clean = p.import("pictures", Conversion::Rgb, "clean").unwrap();
    assert_eq!(clean.record.blake3, imported.record.blake3);
}

#[test]
fn an_export_writes_into_no_folder_that_holds_something() {
    let p = place();
    p.import("pictures", Conversion::Rgb, "set").unwrap();
    let before = fs::read_dir(p.path("pictures")).unwrap().count();
    let error = export("set", Select::ALL, &p.path("pictures"), &p.store).unwrap_err();
    assert!(
        error.is_usage() && error.to_string().contains("--out"),
        "{error}"
    );
    assert_eq!(fs::read_dir(p.path("pictures")).unwrap().count(), before);
    fs::create_dir(p.path("empty")).unwrap();
    let files = export("set", Select::ALL, &p.path("empty"), &p.store).unwrap();
    assert_eq!(files.len(), 2);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_passed_over_and_said() {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    let p = place();
    let folder = p.path("pictures");
    let _socket = UnixListener::bind(folder.join("socket")).unwrap();
    symlink("nowhere", folder.join("broken")).unwrap();
    symlink("..", folder.join("up")).unwrap();
    symlink("/dev/zero", folder.join("zero")).unwrap();
    pipe(&folder.join("pipe"));
    let imported = p.import("pictures", Conversion::Rgb, "set").unwrap();
    assert_eq!(imported.record.item.len(), 2);
    let source = Source::Path(folder.clone());
    let mut found: Vec<String> = passed_over(&source, &p.store)
        .unwrap()
        .iter()
        .map(|one| {
            one.to_string()
                .replace(&format!("{}/", folder.display()), "")
        })
        .collect();
    found.sort();
    let wanted = [
        "broken: a link to nothing",
        "pipe: a named pipe",
        "socket: a socket",
        "up: a link to a folder",
        "zero: a device",
    ];
    assert_eq!(found, wanted);
    let set = ByteSet::load_from(&source, &p.store).unwrap();
    assert!(set.len() > 13);
    // Named by the user, sockets and devices are refused, and a pipe is read as
    // a stream.
    for name in ["socket", "zero"] {
        let error = ByteSet::load_from(&Source::Path(folder.join(name)), &p.store).unwrap_err();
        assert!(error.is_usage(), "{error}");
    }
    let path = folder.join("pipe");
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, "through the pipe").unwrap()
    });
    let set = ByteSet::load_from(&Source::Path(path), &p.store).unwrap();
    writer.join().unwrap();
    assert_eq!(set.bytes, b"through the pipe");
    // Files of the kernel do not have their length in the metadata.
    if Path::new("/proc/version").exists() {
        let set = ByteSet::load_from(&Source::from("/proc/version"), &p.store).unwrap();
        assert!(set.bytes.starts_with(b"Linux"));
    }
}

#[cfg(unix)]
fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}
