//! Archives that must stay readable, and the exact errors of damaged ones.
//!
//! `golden/*.bvy` are decoded, and compared byte for byte with what the program
//! writes today. `golden/damaged.txt` has lines `FILE CHANGE => ERROR`, where the
//! change is `cut LENGTH`, `xor OFFSET HEX` or `add HEX`. After a deliberate
//! change of the format or of the numeric engine, which needs a new version number,
//! `BREVITY_GOLDEN=write cargo test -p brevity-codec --test golden` writes the
//! files again.

use brevity_codec::Method;
use brevity_codec::archive::{Models, Options, Source, compress, decompress};
use brevity_codec::weights::{Plan, Precision};
use brevity_model::{Spec, Weights};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn writing() -> bool {
    std::env::var_os("BREVITY_GOLDEN").is_some_and(|v| v == "write")
}

fn weights(spec: Spec) -> Weights {
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let mut value = |_| (rng.next_u32() >> 16) as f32 / 131_072.0 - 0.25;
    Weights::from_fn(spec, |info| (0..info.len()).map(&mut value).collect()).unwrap()
}

fn text(length: usize) -> Vec<u8> {
    let line = b"Peter Piper picked a peck of pickled peppers; where is the peck? ";
    line.iter().copied().cycle().take(length).collect()
}

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut bytes);
    bytes
}

/// Name, original, archive.
fn archives() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let chunks = weights(Spec::brevity(8, 1, 2, 16));
    let mut stream = Spec::brevity(8, 2, 2, 32);
    stream.window = Some(12);
    let stream = weights(stream);
    let paper = weights(Spec::lmic(4, 1, 1, 16));
    let embedded =
        |weights: &Weights, precision| Source::embedded(weights, &Plan::new(weights, precision));
    let int4 = embedded(&chunks, Precision::Bits(4));
    let cases = [
        ("empty", Vec::new(), Source::none(), 100, None),
        ("raw", noise(40), Source::none(), 100, None),
        ("contexts", text(700), Source::none(), 300, None),
        ("mixed", text(300), int4, 200, None),
        (
            "stream",
            text(150),
            embedded(&stream, Precision::Step(1.0 / 16.0)),
            1000,
            Some(Method::Mixed),
        ),
        (
            "paper",
            text(200),
            embedded(&paper, Precision::Float16),
            1000,
            Some(Method::Mixed),
        ),
    ];
    let pack = |(name, bytes, source, block, method): (_, Vec<u8>, Source, _, _)| {
        let mut out = Vec::new();
        let options = Options {
            block,
            method,
            lanes: None,
        };
        compress(&bytes[..], &mut out, &source, &options, &|_| {}).unwrap();
        (name, bytes, out)
    };
    cases.into_iter().map(pack).collect()
}

#[test]
fn golden_archives_are_written_and_read() {
    for (name, bytes, archive) in archives() {
        let path = folder().join(name).with_extension("bvy");
        if writing() {
            std::fs::write(&path, &archive).unwrap();
        }
        let golden = std::fs::read(&path).unwrap();
        let mut back = Vec::new();
        decompress(&golden[..], &mut back, &Models::default(), &|_| {})
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(back == bytes, "{name} decodes to other bytes");
        assert!(archive == golden, "{name} is written differently");
    }
}

/// Applies `cut LENGTH`, `xor OFFSET HEX` or `add HEX`.
fn damage(mut archive: Vec<u8>, change: &str) -> Vec<u8> {
    let words: Vec<&str> = change.split_whitespace().collect();
    let byte = |hex: &str| u8::from_str_radix(hex, 16).unwrap();
    match words[..] {
        ["cut", length] => archive.truncate(length.parse().unwrap()),
        ["xor", offset, hex] => archive[offset.parse::<usize>().unwrap()] ^= byte(hex),
        ["add", hex] => archive.push(byte(hex)),
        _ => panic!("unknown change {change}"),
    }
    archive
}

#[test]
fn damaged_archives_give_their_errors() {
    let path = folder().join("damaged.txt");
    let cases = std::fs::read_to_string(&path).unwrap();
    let mut found = String::new();
    for line in cases.lines() {
        let (case, _) = line.split_once(" => ").unwrap_or((line, ""));
        let (name, change) = case.split_once(' ').unwrap();
        let archive = std::fs::read(folder().join(name).with_extension("bvy")).unwrap();
        let archive = damage(archive, change);
        let result = decompress(&archive[..], std::io::sink(), &Models::default(), &|_| {});
        let error = result.expect_err(case);
        found += &format!("{case} => {error}\n");
    }
    if writing() {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap());
}
