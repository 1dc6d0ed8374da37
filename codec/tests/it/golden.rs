//! Archives that must stay readable, and the exact errors of damaged ones.
//!
//! `golden/v1/*.bvy` were written in format version 1 and are decoded;
//! `golden/v2/*.bvy` are also compared byte for byte with what is written today, but for
//! those that are brief now: these are decoded, and `golden/v2/brief/*.bvy` compared.
//! `damaged.txt` has lines `FILE CHANGE => ERROR`, where the change is `cut
//! LENGTH`, `xor OFFSET HEX` or `add HEX`. After a deliberate change of the format
//! or of the numeric engine, which takes a new number, `BREVITY_GOLDEN=write cargo
//! test -p brevity-codec --test it golden` writes the files of that version again.

use brevity_codec::archive::{Models, Options, Source, compress, decompress, inspect, salvage};
use brevity_codec::predict::{LstmModel, LstmRecipe};
use brevity_codec::weights::{Plan, Precision};
use brevity_codec::{Level, Method, Words};
use brevity_model::{Spec, Weights};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::io::Cursor;
use std::path::{Path, PathBuf};

fn folder(version: u8) -> PathBuf {
    let folder = format!("tests/golden/v{version}");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
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

/// Sentences of a few words, which become bytes.
fn prose(length: usize) -> Vec<u8> {
    let words = [
        "the", "peck", "of", "pickled", "peppers", "Peter", "where", "été",
    ];
    let mut sentences = Vec::new();
    for byte in noise(length / 4) {
        sentences.extend(words[usize::from(byte) % 8].bytes());
        sentences.extend(if byte > 240 { ".\n" } else { " " }.bytes());
    }
    sentences.truncate(length);
    sentences
}

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut bytes);
    bytes
}

/// Records of 12 bytes: a number that grows, one that does not, a name.
fn records(count: u32) -> Vec<u8> {
    let record = |i: u32| {
        let names = [*b"left", *b"up..", *b"down"];
        let mut record = (1_000_000 + i * 17).to_le_bytes().to_vec();
        record.extend((i.wrapping_mul(2_654_435_761) >> 20).to_le_bytes());
        record.extend(names[i as usize * i as usize % 7 % 3]);
        record
    };
    (0..count).flat_map(record).collect()
}

/// A picture of one bit: rings, 16 bytes a row.
fn rings() -> Vec<u8> {
    let pixel = |x: i32, y: i32| ((x - 64) * (x - 64) + (y - 40) * (y - 40)) / 300 % 4 == 1;
    let byte = |i: i32| (0..8).fold(0, |b, k| b << 1 | u8::from(pixel(i % 16 * 8 + k, i / 16)));
    (0..16 * 80).map(byte).collect()
}

/// A picture of three channels, 20 pixels wide.
fn picture() -> Vec<u8> {
    let grain = noise(20 * 30);
    let pixel = |i: usize| {
        let (x, y) = (i % 20, i / 20);
        let grain = usize::from(grain[i] >> 6);
        [5 * x + y + grain, 4 * x + grain, 90 + y - x + grain].map(|v| v as u8)
    };
    (0..20 * 30).flat_map(pixel).collect()
}

/// Samples of 16 bits.
fn samples() -> Vec<u8> {
    let grain = noise(1500);
    let sample = |i: usize| {
        let wave = (i as i32 % 200 - 100).abs() * 90;
        (wave + i32::from(grain[i] >> 1)).to_le_bytes()[..2].to_vec()
    };
    (0..1500).flat_map(sample).collect()
}

/// A program of calls to four places.
fn program() -> Vec<u8> {
    let code = noise(2400);
    let mut out = Vec::new();
    for i in 0..150 {
        let length = 4 + usize::from(code[i] % 12);
        out.extend(code[16 * i..][..length].iter().map(|byte| byte & 0x77 | 1));
        let distance = (4096 * (1 + i as u32 % 4)).wrapping_sub(out.len() as u32 + 5);
        out.push(0xE8);
        out.extend(distance.to_le_bytes());
    }
    out
}

/// Four channels of 32-bit floats, waves of different lengths.
fn floats() -> Vec<u8> {
    let wave = |i: i32, length: i32| (i % length - length / 2).abs() as f32 / length as f32;
    let row = |i: i32| [23, 57, 91, 130].map(|length| wave(i, length).to_le_bytes());
    (0..600).flat_map(row).flatten().collect()
}

/// 64-bit floats that fall, of which every byte matters: all eight are reversed.
fn quotients() -> Vec<u8> {
    (0..700_u32)
        .flat_map(|i| (1e6 / f64::from(i + 3)).to_le_bytes())
        .collect()
}

/// 64-bit floats that grow, with noise: halves of them are reversed.
fn doubles() -> Vec<u8> {
    let grain = noise(900);
    let number = |i: usize| (1000.0 + 0.37 * i as f64 + f64::from(grain[i]) / 512.0).to_le_bytes();
    (0..900).flat_map(number).collect()
}

/// Samples of 16 bits of two channels that have much in common.
fn stereo() -> Vec<u8> {
    let mono = samples();
    let sample = |i: usize| {
        let left = i16::from_le_bytes([mono[2 * i], mono[2 * i + 1]]);
        let right = left / 2 + (i % 7) as i16;
        [left, right].map(i16::to_le_bytes)
    };
    (0..1500).flat_map(sample).flatten().collect()
}

/// The digits of base64 of a text, with these two as the last of the alphabet.
fn digits_of(text: &[u8], last: [u8; 2]) -> Vec<u8> {
    let mut digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".to_vec();
    digits.extend(last);
    let groups = text.chunks(3).flat_map(|group| {
        let bits = group.iter().fold(0, |bits, &b| bits << 8 | usize::from(b));
        let bits = bits << (8 * (3 - group.len()));
        [18, 12, 6, 0].map(|place| digits[bits >> place & 63])
    });
    groups.collect()
}

/// A line before and after base64 of a text, in lines of 76 digits.
fn base64() -> Vec<u8> {
    let mut out = b"Content-Transfer-Encoding: base64".to_vec();
    for line in digits_of(&text(1200), *b"+/").chunks(76) {
        out.push(b'\n');
        out.extend(line);
    }
    out.extend(b"\n--\n");
    out
}

/// The same in the alphabet for addresses, indented, in lines of 70 digits, without
/// padding.
fn base64_of_addresses() -> Vec<u8> {
    let mut out = b"<data>".to_vec();
    let mut bytes = text(1197);
    bytes.extend([0xFB, 0xEF, 0xBE, 0xFF]);
    let mut digits = digits_of(&bytes, *b"-_");
    assert!(digits.ends_with(b"----_wAA"));
    digits.truncate(digits.len() - 2);
    for line in digits.chunks(70) {
        out.extend(b"\n\t");
        out.extend(line);
    }
    out.extend(b"\n</data>\n");
    out
}

/// A small network.
fn lstm() -> LstmModel {
    let recipe = LstmRecipe {
        cells: 16,
        layers: 2,
        horizon: 8,
        contexts: 0,
        rows_log2: 0,
        rate: 0.01,
    };
    LstmModel::new(recipe).unwrap()
}

/// What an archive is made from, and how.
struct Case<'a> {
    name: &'static str,
    bytes: Vec<u8>,
    source: Source<'a>,
    options: Options,
}

/// Calls `each` with every case; those of version 1 come first.
fn cases(each: &mut dyn FnMut(Case)) {
    let chunks = weights(Spec::brevity(8, 1, 2, 16));
    let mut stream = Spec::brevity(8, 2, 2, 32);
    stream.window = Some(12);
    let stream = weights(stream);
    let paper = weights(Spec::lmic(4, 1, 1, 16));
    let embedded =
        |weights: &Weights, precision| Source::embedded(weights, &Plan::new(weights, precision));
    let mut case = |name, bytes, source, block, method, level| {
        let options = Options {
            block,
            method,
            level,
            lanes: None,
        };
        each(Case {
            name,
            bytes,
            source,
            options,
        });
    };
    let mixed = Some(Method::Mixed);
    let (fast, default, best) = (Level::Fast, Level::Default, Level::Best);
    case("empty", Vec::new(), Source::none(), 100, None, default);
    case("raw", noise(40), Source::none(), 100, None, default);
    case("contexts", text(700), Source::none(), 300, None, default);
    let int4 = embedded(&chunks, Precision::Bits(4));
    case("mixed", text(300), int4, 200, None, default);
    let coarse = embedded(&stream, Precision::Step(1.0 / 16.0));
    case("stream", text(150), coarse, 1000, mixed, default);
    let half = embedded(&paper, Precision::Float16);
    case("paper", text(200), half, 1000, mixed, best);
    // Since version 2.
    case("floats", floats(), Source::none(), 1 << 16, None, default);
    case("doubles", doubles(), Source::none(), 1 << 16, None, best);
    case(
        "quotients",
        quotients(),
        Source::none(),
        1 << 16,
        None,
        default,
    );
    case("stereo", stereo(), Source::none(), 1 << 16, None, default);
    case("base64", base64(), Source::none(), 1 << 16, None, best);
    case(
        "base64-addresses",
        base64_of_addresses(),
        Source::none(),
        1 << 16,
        None,
        best,
    );
    case("fast", text(700), Source::none(), 1000, None, fast);
    case("best", text(700), Source::none(), 1000, None, best);
    case("records", records(90), Source::none(), 4000, None, default);
    case(
        "records-best",
        records(90),
        Source::none(),
        4000,
        None,
        best,
    );
    case("binary", records(9), Source::none(), 60, None, default);
    case("bits", rings(), Source::none(), 4000, None, default);
    case("bits-best", rings(), Source::none(), 4000, None, best);
    case("picture", picture(), Source::none(), 4000, None, default);
    case("picture-best", picture(), Source::none(), 4000, None, best);
    case("samples", samples(), Source::none(), 4000, None, default);
    case("program", program(), Source::none(), 4000, None, default);
    // Too long to be brief.
    case(
        "long-fast",
        text(17_000),
        Source::none(),
        1 << 16,
        None,
        fast,
    );
    let kinds = [records(300), program(), text(500), picture(), base64()].concat();
    case("fast-kinds", kinds, Source::none(), 1 << 16, None, fast);
    let int4 = embedded(&chunks, Precision::Bits(4));
    case("fast-mixed", text(300), int4, 200, mixed, fast);
    case(
        "long-best",
        text(17_000),
        Source::none(),
        1 << 16,
        None,
        best,
    );
    for (name, level) in [
        ("words-fast", fast),
        ("words", default),
        ("words-best", best),
    ] {
        case(name, prose(66_000), Source::none(), 1 << 17, None, level);
    }
    let int4 = embedded(&chunks, Precision::Bits(4));
    let words = Words::of(&prose(66_000), fast);
    let changed = int4.with_words(words);
    case("words-mixed", prose(4000), changed, 1 << 17, mixed, fast);
    let gates = std::array::from_fn(|i| if i % 2 == 0 { 0.875 } else { 0.25 });
    let gated = embedded(&chunks, Precision::Bits(4)).with_gates(&gates);
    case("gated", text(300), gated, 200, mixed, default);
    // Long enough for a network among the context models.
    let kinds = || [text(30_000), program(), prose(9_000)].concat();
    case("network", kinds(), Source::none(), 1 << 17, None, best);
    // Bytes that are changed for a network that learns them, as for context models alone.
    for (name, bytes) in [
        ("lstm", text(700)),
        ("lstm-words", prose(66_000)),
        ("lstm-calls", program()),
        ("lstm-sound", stereo()),
    ] {
        case(name, bytes, Source::lstm(lstm()), 1 << 17, None, default);
    }
    let recipe = LstmRecipe {
        contexts: 0b1_0000_1001,
        rows_log2: 5,
        ..*lstm().recipe()
    };
    let network = Source::lstm(LstmModel::new(recipe).unwrap());
    case("lstm-contexts", text(900), network, 1 << 17, None, default);
    // A model of one lane behind context models with a network.
    each(Case {
        name: "network-gated",
        bytes: kinds(),
        source: embedded(&chunks, Precision::Bits(4)).with_gates(&gates),
        options: Options {
            block: 1 << 17,
            method: mixed,
            level: best,
            lanes: Some(1),
        },
    });
}

/// How many of the cases version 1 has.
const FIRST: usize = 6;

/// How many of the brief ones version 2 has as others, too.
const OLDER: usize = 17;

fn read_back(path: &Path) -> Vec<u8> {
    let golden = std::fs::read(path).unwrap();
    let mut back = Vec::new();
    decompress(&golden[..], &mut back, &Models::default(), &|_| {})
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    back
}

#[test]
fn golden_archives_of_version_1_are_read() {
    let mut count = 0;
    cases(&mut |case| {
        if count < FIRST {
            let path = folder(1).join(case.name).with_extension("bvy");
            assert!(
                read_back(&path) == case.bytes,
                "{} decodes to other bytes",
                case.name
            );
            count += 1;
        }
    });
    assert_eq!(count, FIRST);
}

/// Written before blocks of the best level had networks.
#[test]
fn blocks_of_the_best_level_without_a_network_are_read() {
    let path = folder(2).join("words-best-alone.bvy");
    assert!(read_back(&path) == prose(66_000));
    // They announced less memory, which is found again, too.
    let mut damaged = std::fs::read(path).unwrap();
    damaged[6] ^= 1;
    let mut back = Vec::new();
    let done = salvage(Cursor::new(&damaged), &mut back, &Models::default()).unwrap();
    assert!(done.is_original && back == prose(66_000));
}

#[test]
fn golden_archives_are_written_and_read() {
    let mut older = 0;
    cases(&mut |case| {
        let name = case.name;
        let mut archive = Vec::new();
        compress(
            &case.bytes[..],
            &mut archive,
            &case.source,
            &case.options,
            &|_| {},
        )
        .unwrap();
        let path = folder(2).join(name).with_extension("bvy");
        let brief = inspect(&archive[..]).unwrap().brief;
        let path = if brief {
            // Some were written before archives could be brief.
            if path.exists() {
                assert!(read_back(&path) == case.bytes, "{name} decodes to others");
                older += 1;
            }
            let path = folder(2).join("brief").join(name);
            path.with_extension("bvy")
        } else {
            path
        };
        if writing() {
            std::fs::write(&path, &archive).unwrap();
        }
        assert!(
            read_back(&path) == case.bytes,
            "{name} decodes to other bytes"
        );
        assert!(
            archive == std::fs::read(&path).unwrap(),
            "{name} is written differently"
        );
    });
    assert_eq!(older, OLDER);
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
    damaged(1);
    damaged(2);
}

fn damaged(version: u8) {
    let folder = folder(version);
    let path = folder.join("damaged.txt");
    let cases = std::fs::read_to_string(&path).unwrap();
    let mut found = String::new();
    for line in cases.lines() {
        let (case, _) = line.split_once(" => ").unwrap_or((line, ""));
        let (name, change) = case.split_once(' ').unwrap();
        let archive = std::fs::read(folder.join(name).with_extension("bvy")).unwrap();
        let archive = damage(archive, change);
        let result = decompress(&archive[..], std::io::sink(), &Models::default(), &|_| {});
        let error = result.expect_err(case);
        found += &format!("{case} => {error}\n");
    }
    if writing() && version > 1 {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap());
}
