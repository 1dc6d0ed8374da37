//! Compares unusual files with the samples that `flac` decodes from them.
//! `tests/corpus/make.py` made the files and the samples. FLAC of at most 24 bits is
//! decoded with claxon too.

use std::fs;
use std::path::Path;

use super::*;

/// Keeps all samples at their own width.
#[derive(Default)]
struct Keep {
    format: Option<Format>,
    bytes: Vec<u8>,
    samples: Vec<i32>,
}

impl Sink for Keep {
    fn start(&mut self, format: Format) -> Result<()> {
        self.format = Some(format);
        Ok(())
    }

    fn frame(&mut self, frame: &[i32]) -> Result<()> {
        let width = usize::from(self.format.unwrap().bits / 8);
        for sample in frame {
            self.bytes.extend(&sample.to_le_bytes()[..width]);
        }
        self.samples.extend(frame);
        Ok(())
    }
}

fn decoded(name: &str, file: &[u8]) -> Result<Keep> {
    let mut keep = Keep::default();
    read(name, &mut &file[..], &mut keep)?;
    Ok(keep)
}

#[test]
fn samples_are_those_of_other_decoders() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Ok(expected) = fs::read(path.with_file_name(format!("{name}.expected.raw"))) else {
            continue;
        };
        let file = fs::read(&path).unwrap();
        let found = decoded(name, &file).unwrap();
        assert!(found.bytes == expected, "{name}");
        // Claxon does not support tags, blocks of length 0, or 32 bits.
        let odd = ["found_", "block0", "bits32"];
        if name.ends_with(".flac") && !odd.iter().any(|odd| name.starts_with(odd)) {
            let mut other = claxon::FlacReader::new(&file[..]).unwrap();
            let samples: Vec<i32> = other.samples().map(|s| s.unwrap()).collect();
            assert!(found.samples == samples, "{name} and claxon");
        }
        files += 1;
    }
    assert_eq!(files, 29);
}

#[test]
fn no_sound_that_was_cut_or_changed_is_read_as_if_it_were_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    for name in ["bits16.flac", "bits32.flac", "no_md5.flac"] {
        let file = fs::read(folder.join(name)).unwrap();
        for cut in [1, 2, 100, file.len() / 2] {
            assert!(decoded(name, &file[..file.len() - cut]).is_err(), "{name}");
        }
        // After the header, where a checksum covers every byte.
        for at in (100..file.len()).step_by(31) {
            let mut changed = file.clone();
            changed[at] ^= 4;
            assert!(decoded(name, &changed).is_err(), "{name} at {at}");
        }
    }
    for name in ["bits24.wav", "bits16.rifx.wav", "long.w64", "long.rf64"] {
        let file = fs::read(folder.join(name)).unwrap();
        assert!(decoded(name, &file[..file.len() - 3]).is_err(), "{name}");
    }
}

/// When ffmpeg, SoX and GStreamer write to a pipe, they cannot go back to write the
/// length into the header.
#[test]
fn sounds_of_unknown_length_go_on_to_the_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let whole = fs::read(folder.join("bits16.wav")).unwrap();
    let samples = decoded("whole", &whole).unwrap().samples;
    for (file, data) in [(u32::MAX, u32::MAX), (0x7FFF_F024, 0x7FFF_F000), (0, 0)] {
        let mut piped = whole.clone();
        piped[4..8].copy_from_slice(&file.to_le_bytes());
        piped[40..44].copy_from_slice(&data.to_le_bytes());
        assert_eq!(decoded("piped", &piped).unwrap().samples, samples);
        // An incomplete last frame is an error.
        piped.pop();
        assert!(decoded("cut", &piped).is_err());
    }
}

#[test]
fn a_header_that_contradicts_itself_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let whole = fs::read(folder.join("bits24.wav")).unwrap();
    for block in [0u16, 3, 4, 8] {
        let mut lying = whole.clone();
        lying[32..34].copy_from_slice(&block.to_le_bytes());
        let error = decoded("lying", &lying).err().unwrap().to_string();
        assert!(error.contains("contradicts itself"), "{error}");
    }
}
