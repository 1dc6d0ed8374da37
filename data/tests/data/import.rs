//! Imports end as sets of the store, complete or not at all.

use std::fs;
use std::path::Path;

use brevity_data::{
    ByteSet, DataError, Select, Source, State, Store, default_name, export, import, list,
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
    assert!(matches!(error, DataError::Media(_)), "{error}");
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
        import(&p.source("colour"), conversion, name, false, &p.store).unwrap();
        let out = p.dir.path().join("out");
        let files = export(name, Select::ALL, &out, &p.store).unwrap();
        assert_eq!(files, [out.join("00000-a.png")]);
        assert_eq!(pixels(&files[0]), (70, 40, colours.clone()));
    }
    let patches = Conversion::GrayPatches;
    import(&p.source("colour"), patches, "grey", false, &p.store).unwrap();
    let files = export("grey", Select::ALL, p.dir.path(), &p.store).unwrap();
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
    let sound = p.source("sound");
    for conversion in [
        Conversion::Pcm16,
        Conversion::Pcm16Planes,
        Conversion::Pcm16Deltas,
        Conversion::Bytes,
    ] {
        let name = conversion.name();
        import(&sound, conversion, name, false, &p.store).unwrap();
        let files = export(name, Select::ALL, &p.dir.path().join(name), &p.store).unwrap();
        assert!(fs::read(&files[0]).unwrap() == stereo, "{name}");
        assert!(fs::read(&files[1]).unwrap() == mono, "{name}");
        // One of them alone.
        let one: Select = "1".parse().unwrap();
        let files = export(name, one, &p.dir.path().join("one"), &p.store).unwrap();
        assert!(files.len() == 1 && fs::read(&files[0]).unwrap() == mono);
    }
    import(&sound, Conversion::Pcm8, "speech", false, &p.store).unwrap();
    let files = export("speech", Select::ALL, p.dir.path(), &p.store).unwrap();
    // A file of 8-bit samples with a mean of channels imports as itself.
    let source = Source::from(files[0].to_str().unwrap());
    let again = import(&source, Conversion::Pcm8, "again", false, &p.store).unwrap();
    assert_eq!(again.bytes, 1500);
}

#[test]
fn what_cannot_be_exported_is_said() {
    let p = place();
    let out = p.dir.path().join("out");
    let error = export("nothing", Select::ALL, &out, &p.store).unwrap_err();
    assert!(error.is_usage(), "{error}");
    let text = p.source("pictures/notes.txt");
    import(&text, Conversion::Bytes, "s", false, &p.store).unwrap();
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
    let pictures = p.source("pictures");
    import(&pictures, Conversion::GrayPatches, "pics", false, &p.store).unwrap();
    import(&pictures, Conversion::Rgb, "colours", false, &p.store).unwrap();
    let of = |text: &str| p.store.geometry(&Source::from(text)).unwrap();
    assert_eq!(of("pics"), Some(Geometry::PATCHES));
    assert_eq!(of("colours"), Some(Geometry::Rgb { width: 64 }));
    assert_eq!(of("synthetic-audio"), Some(Geometry::SPEECH));
    assert_eq!(of("crates"), None);
    assert_eq!(of("nothing-of-that-name"), None);
}
