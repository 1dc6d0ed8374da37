//! Compares unusual files with the pixels that other programs decode from them:
//! libjpeg-turbo, libwebp, and Pillow's own readers of PNG and PPM.
//! `tests/corpus/make.py` made the files and the pixels.

use super::decode::decode;
use std::fs;
use std::path::{Path, PathBuf};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// The largest and the mean difference from the recorded pixels.
fn differences(path: &Path) -> (u8, f64) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let expected = path.with_file_name(format!("{name}.expected.png"));
    let decoded = |path: &Path| {
        let pixels = decode(&path.display().to_string(), fs::read(path).unwrap()).unwrap();
        let colours = match pixels.shape.channels {
            1 => pixels.pixels.iter().flat_map(|&v| [v; 3]).collect(),
            _ => pixels.pixels,
        };
        ((pixels.shape.width, pixels.shape.height), colours)
    };
    let (found, wanted) = (decoded(path), decoded(&expected));
    assert_eq!(found.0, wanted.0, "{name}");
    let differences = found.1.iter().zip(&wanted.1).map(|(a, b)| a.abs_diff(*b));
    let sum: u64 = differences.clone().map(u64::from).sum();
    let most = differences.max().unwrap();
    (most, sum as f64 / found.1.len() as f64)
}

#[test]
fn pixels_are_those_of_other_decoders() {
    let mut formats = std::collections::BTreeMap::new();
    for entry in fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let extension = path.extension().unwrap().to_str().unwrap().to_owned();
        // Decoders may round the transforms of JPEG and lossy WebP, and scaled samples,
        // in different ways; everything else is exact.
        let (most, mean) = match &*extension {
            "jpg" => (3, 0.3),
            "webp" if !name.contains("lossless") => (8, 0.6),
            "pgm" => (1, 1.0),
            "ppm" if name.starts_with("ten") => (1, 1.0),
            "png" | "webp" | "ppm" => (0, 0.0),
            _ => continue,
        };
        if name.contains(".expected.") {
            continue;
        }
        let found = differences(&path);
        assert!(found.0 <= most && found.1 <= mean, "{name}: {found:?}");
        *formats.entry(extension).or_insert(0) += 1;
    }
    assert_eq!(formats["jpg"], 31, "{formats:?}");
    assert_eq!(formats["png"], 30, "{formats:?}");
    assert_eq!(formats["webp"], 5, "{formats:?}");
}

#[test]
fn no_file_that_was_cut_or_changed_is_read_as_if_it_were_whole() {
    let refused = |name: &str, file: Vec<u8>| {
        let error = decode(name, file).err();
        assert!(error.is_some(), "{name} was read");
    };
    let read = |name: &str| fs::read(corpus().join(name)).unwrap();
    for name in ["found_ni_2x2.jpg", "progressive.jpg", "grey22.jpg"] {
        let file = read(name);
        for cut in [1, 2, 3, 10, 100] {
            refused(name, file[..file.len() - cut].to_vec());
        }
    }
    for name in ["color2_8.png", "color3_4_interlaced.png"] {
        let file = read(name);
        for cut in [1, 4, 12, 40] {
            refused(name, file[..file.len() - cut].to_vec());
        }
        // Every byte after the signature belongs to a chunk with a checksum.
        for at in (8..file.len()).step_by(7) {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            refused(name, changed);
        }
    }
    for name in ["lossless.webp", "lossy.webp"] {
        let file = read(name);
        refused(name, file[..file.len() - 8].to_vec());
    }
}
