//! Archives of every kind, whole and damaged.

use brevity_codec::archive::{
    self, Effort, Error, Header, Limits, ModelId, Models, Options, Source, compress, decompress,
    decompress_range, inspect, salvage,
};
use brevity_codec::predict::{Counts, Model, Predictor};
use brevity_codec::weights::{self, Plan, Precision};
use brevity_codec::{Layout, Level, Method, Words};
use brevity_kernels::mixture::GATES;
use brevity_model::{Spec, Weights};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::io::Cursor;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

fn weights(spec: Spec) -> Weights {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut value = |_| (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 0.3;
    Weights::from_fn(spec, |info| (0..info.len()).map(&mut value).collect()).unwrap()
}

pub fn small() -> Weights {
    weights(Spec::brevity(8, 1, 2, 16))
}

pub fn text(length: usize) -> Vec<u8> {
    let words = ["sea ", "shells ", "she ", "sells, ", "shore. ", "\n"];
    let word = |i: usize| words[i * i % 7 % 6].bytes();
    (0..).flat_map(word).take(length).collect()
}

pub fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha8Rng::seed_from_u64(5).fill_bytes(&mut bytes);
    bytes
}

/// Runs on one thread: with inputs this small, others would only cost time.
fn alone<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static POOL: LazyLock<rayon::ThreadPool> = LazyLock::new(|| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
        pool.build().unwrap()
    });
    POOL.install(work)
}

fn pack_here(bytes: &[u8], source: &Source, options: Options) -> Vec<u8> {
    let mut out = Vec::new();
    let summary = compress(bytes, &mut out, source, &options, &|_| {}).unwrap();
    assert_eq!(
        (summary.raw, summary.stored),
        (bytes.len() as u64, out.len() as u64)
    );
    out
}

pub fn pack(bytes: &[u8], source: &Source, options: Options) -> Vec<u8> {
    alone(|| pack_here(bytes, source, options))
}

pub fn unpack(archive: &[u8], models: &Models) -> Result<Vec<u8>, Error> {
    alone(|| {
        let mut out = Vec::new();
        decompress(archive, &mut out, models, &|_| {}).map(|_| out)
    })
}

pub fn blocks(block: usize) -> Options {
    Options {
        block,
        ..Options::default()
    }
}

#[test]
fn every_source_and_method_round_trips() {
    let weights = small();
    let plan = Plan::new(&weights, Precision::Bits(6));
    let external = Models {
        external: Some(&weights),
        ..Models::default()
    };
    for length in [0, 1, 15, 16, 17, 300, 1000] {
        let bytes = text(length);
        for block in [100, 1 << 20] {
            let archive = pack(&bytes, &Source::none(), blocks(block));
            assert_eq!(unpack(&archive, &Models::default()).unwrap(), bytes);
            for method in [Method::Raw, Method::Contexts, Method::Model, Method::Mixed] {
                for lanes in [None, Some(1), Some(7)] {
                    let options = Options {
                        block,
                        method: Some(method),
                        level: Level::Fast,
                        lanes,
                    };
                    let archive = pack(&bytes, &Source::embedded(&weights, &plan), options);
                    assert_eq!(unpack(&archive, &Models::default()).unwrap(), bytes);
                    let archive = pack(&bytes, &Source::external(&weights), options);
                    assert_eq!(unpack(&archive, &external).unwrap(), bytes);
                }
            }
        }
    }
}

/// Bytes of every kind that context models tell apart.
fn of_all_kinds(length: usize) -> [Vec<u8>; 4] {
    let records =
        (0_u32..).flat_map(|i| [9, ((i * i) >> 4) as u8, i as u8, 0, 200, (i >> 8) as u8]);
    let stripes = (0_usize..).map(|i| [0, 0xF0, 0xFF, 0xFF, 0, 0, 0x3C, 0][i % 8] << (i / 64 % 3));
    let binary = noise(length).into_iter().map(|b| b & b.rotate_left(3));
    [
        text(length),
        records.take(length).collect(),
        stripes.take(length).collect(),
        binary.collect(),
    ]
}

#[test]
fn every_kind_and_level_gives_back_the_bytes() {
    let lengths = (0..=100).chain([257, 1000, 5000]);
    for bytes in lengths.flat_map(of_all_kinds) {
        for level in Level::ALL {
            let options = Options {
                level,
                ..Options::default()
            };
            let archive = pack(&bytes, &Source::none(), options);
            assert_eq!(unpack(&archive, &Models::default()).unwrap(), bytes);
            let inspection = inspect(&archive[..]).unwrap();
            let effort = inspection.effort.expect("context models");
            assert_eq!(effort.level, level);
            // Bytes that do not compress cost next to nothing.
            assert!(archive.len() <= bytes.len() + 40);
        }
    }
}

/// Prose of seven words, which become bytes.
fn prose(length: usize) -> Vec<u8> {
    let words = ["the", "wine-dark", "sea", "and", "rosy", "fingered", "dawn"];
    let mut text = Vec::new();
    for byte in noise(length) {
        text.extend(words[usize::from(byte) % 7].bytes());
        text.extend(if byte > 230 { ",\n" } else { " " }.bytes());
        if text.len() >= length {
            break;
        }
    }
    text.truncate(length);
    text
}

#[test]
fn words_are_changed_and_come_back() {
    let bytes = prose(150_000);
    for level in Level::ALL {
        let options = Options {
            level,
            ..blocks(1 << 16)
        };
        let archive = pack(&bytes, &Source::none(), options);
        assert_eq!(unpack(&archive, &Models::default()).unwrap(), bytes);
        let mut part = Vec::new();
        let input = Cursor::new(&archive);
        decompress_range(input, &mut part, &Models::default(), 65_000..70_000).unwrap();
        assert_eq!(part, bytes[65_000..70_000]);
    }
}

#[test]
fn a_model_knows_bytes_that_words_have_changed() {
    // The last block is binary, and stays as it is.
    let bytes = [prose(70_000), noise(600)].concat();
    let words = Words::of(&bytes[..70_000], Level::Fast).expect("prose");
    let weights = small();
    let plan = Plan::new(&weights, Precision::Bits(6));
    let gates = [0.5; GATES];
    for lanes in [Some(1), Some(3)] {
        for (method, gated) in [
            (Method::Mixed, false),
            (Method::Mixed, true),
            (Method::Model, false),
        ] {
            let options = Options {
                block: 70_000,
                method: Some(method),
                level: Level::Fast,
                lanes,
            };
            let source = || {
                let source = Source::embedded(&weights, &plan);
                match gated {
                    true => source.with_gates(&gates),
                    false => source,
                }
            };
            let archive = pack(&bytes, &source().with_words(Some(words.clone())), options);
            assert_eq!(unpack(&archive, &Models::default()).unwrap(), bytes);
            let unchanged = pack(&bytes, &source(), options);
            assert_eq!(unchanged != archive, method == Method::Mixed);
        }
    }
}

#[test]
fn less_memory_than_blocks_take_is_found_before_it_is_taken() {
    let mut archive = pack(&text(20_000), &Source::none(), Options::default());
    archive[6..8].copy_from_slice(&0_u16.to_le_bytes());
    let error = unpack(&archive, &Models::default()).unwrap_err();
    let claim = "take more memory than the header announces";
    assert!(error.to_string().contains(claim), "{error}");
}

#[test]
fn blocks_have_the_lanes_they_are_given() {
    let weights = small();
    let source = Source::external(&weights);
    let lanes_log2 = |lanes| {
        let options = Options {
            lanes,
            ..Options::default()
        };
        let archive = pack(&text(1000), &source, options);
        archive[inspect(&archive[..]).unwrap().blocks[0].offset as usize] >> 4
    };
    assert_eq!([Some(1), Some(7), Some(64)].map(lanes_log2), [0, 2, 6]);
    assert!(lanes_log2(None) >= 3);
}

struct Learner;

impl Model for Learner {
    fn unit(&self) -> usize {
        1
    }

    fn lanes(&self) -> usize {
        1
    }

    fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a> {
        Box::new(Counts::new(2, layout.lanes()))
    }
}

#[test]
fn a_recipe_is_followed_or_missed() {
    let bytes = text(500);
    let source = Source::recipe(b"counts 2".to_vec(), Box::new(Learner));
    let archive = pack(&bytes, &source, Options::default());
    let follow = |recipe: &[u8]| -> Result<Box<dyn Model>, String> {
        match recipe {
            b"counts 2" => Ok(Box::new(Learner)),
            _ => Err("unknown".into()),
        }
    };
    let models = Models {
        recipe: Some(&follow),
        ..Models::default()
    };
    assert_eq!(unpack(&archive, &models).unwrap(), bytes);
    let error = unpack(&archive, &Models::default()).unwrap_err();
    assert!(matches!(error, Error::Recipe { .. }));
}

#[test]
fn overhead_is_small() {
    let weights = small();
    let external = Source::external(&weights);
    let archive = pack(
        &text(1024),
        &external,
        Options {
            method: Some(Method::Model),
            ..blocks(1 << 20)
        },
    );
    let inspection = inspect(&archive[..]).unwrap();
    assert!(inspection.overhead() < 40, "{}", inspection.overhead());
    assert_eq!(inspection.raw(), 1024);
    for source in [Source::none(), external] {
        let archive = pack(&noise(1 << 16), &source, Options::default());
        assert!(archive.len() <= (1 << 16) + 64, "{}", archive.len());
    }
    // Overhead of a few bytes per block for any data.
    let archive = pack(&noise(10_000), &Source::none(), blocks(1000));
    assert!(archive.len() < 10_000 + 10 * 14 + 40, "{}", archive.len());
}

#[test]
fn the_wrong_model_is_named() {
    let weights = small();
    let other = self::weights(Spec::brevity(8, 1, 1, 16));
    let archive = pack(&text(99), &Source::external(&weights), Options::default());
    let error = unpack(&archive, &Models::default()).unwrap_err();
    assert!(matches!(error, Error::ModelMissing(id) if id == ModelId::of(&weights)));
    let models = Models {
        external: Some(&other),
        ..Models::default()
    };
    let error = unpack(&archive, &models).unwrap_err();
    assert!(matches!(error, Error::ModelMismatch { given, .. } if given == ModelId::of(&other)));
}

#[test]
fn threads_do_not_change_an_archive() {
    let weights = weights(Spec::brevity(16, 2, 2, 32));
    let bytes = text(5000);
    let archives: Vec<Vec<u8>> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let mut all = pack_here(&bytes, &Source::none(), blocks(900));
                all.extend(pack_here(&bytes, &Source::external(&weights), blocks(2000)));
                all
            })
        })
        .collect();
    assert!(archives.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Blocks of one lane are decoded side by side, blocks of several one after another, and
/// stored ones among them.
#[test]
fn threads_and_memory_do_not_change_what_is_decoded() {
    let weights = small();
    let plan = Plan::new(&weights, Precision::Bits(6));
    let mut bytes = text(3000);
    bytes[700..1300].copy_from_slice(&noise(600));
    for lanes in [1, 2, 8] {
        let options = Options {
            level: Level::Fast,
            lanes: Some(lanes),
            ..blocks(300)
        };
        let archive = pack(&bytes, &Source::embedded(&weights, &plan), options);
        let whole = inspect(&archive[..]).unwrap();
        for threads in [1, 2, 3, 16] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            let demand = pool.install(|| whole.demand(&Models::default()));
            let needs = demand.unwrap().unwrap().memory;
            for memory in [needs, 2 * needs, u64::MAX] {
                let models = Models {
                    limits: Limits {
                        memory,
                        ..Limits::default()
                    },
                    ..Models::default()
                };
                let done = AtomicU64::new(0);
                let mut out = Vec::new();
                pool.install(|| {
                    let progress = |more| {
                        done.fetch_add(more, Ordering::Relaxed);
                    };
                    decompress(&archive[..], &mut out, &models, &progress).unwrap()
                });
                assert_eq!(out, bytes, "{lanes} lanes, {threads} threads");
                assert_eq!(done.into_inner(), 3000);
            }
        }
        // What precedes a damaged block is written.
        let mut damaged = archive.clone();
        let fourth = whole.blocks[3].offset as usize;
        damaged[fourth + 20] ^= 1;
        let mut out = Vec::new();
        let error = decompress(&damaged[..], &mut out, &Models::default(), &|_| {});
        assert!(matches!(error, Err(Error::BlockCheck { block: 3, .. })));
        assert_eq!(out, bytes[..900]);
    }
}

#[test]
fn ranges_are_parts_of_the_whole() {
    let bytes = text(2500);
    for block in [300, 1 << 20] {
        let archive = pack(&bytes, &Source::none(), blocks(block));
        for range in [
            0..0,
            0..1,
            299..301,
            17..1800,
            2499..2500,
            0..2500,
            2500..2500,
        ] {
            let mut out = Vec::new();
            let input = Cursor::new(&archive);
            let wanted = range.start as u64..range.end as u64;
            decompress_range(input, &mut out, &Models::default(), wanted).unwrap();
            assert_eq!(out, bytes[range]);
        }
        let mut out = Vec::new();
        let error = decompress_range(Cursor::new(&archive), &mut out, &Models::default(), 5..2501);
        assert!(matches!(error, Err(Error::Range { length: 2500, .. })));
    }
}

/// Truncated anywhere, or with any bit flipped, an archive is refused: no panic,
/// no wrong bytes. (A flip in an unused field would be found here.)
#[test]
fn damage_is_always_noticed() {
    let bytes = text(400);
    let weights = small();
    let plan = Plan::new(&weights, Precision::Bits(3));
    let archives = [
        pack(&bytes, &Source::none(), blocks(150)),
        pack(
            &bytes[..200],
            &Source::embedded(&weights, &plan),
            Options::default(),
        ),
    ];
    for archive in &archives {
        for length in 0..archive.len() {
            let error = unpack(&archive[..length], &Models::default()).unwrap_err();
            let ends = matches!(error, Error::Truncated { offset, .. } if offset == length as u64);
            assert!(ends, "{length}: {error}");
            assert!(inspect(&archive[..length]).is_err());
        }
        let mut longer = archive.clone();
        longer.push(0);
        assert!(unpack(&longer, &Models::default()).is_err());
        // Every bit of the first archive; of the second, every bit outside the model
        // and one bit of each byte of the model.
        let model = inspect(&archive[..]).unwrap();
        let model = model.header_bytes as usize..(model.header_bytes + model.model_bytes) as usize;
        for bit in 0..8 * archive.len() {
            if model.contains(&(bit / 8)) && bit % 8 != bit / 8 % 8 {
                continue;
            }
            let mut damaged = archive.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(unpack(&damaged, &Models::default()).is_err(), "bit {bit}");
            let _ = inspect(&damaged[..]);
            let mut sink = Vec::new();
            let _ = salvage(Cursor::new(&damaged), &mut sink, &Models::default());
            let _ = decompress_range(Cursor::new(&damaged), &mut sink, &Models::default(), 9..99);
        }
    }
}

/// Length fields at their extremes, with bytes that may follow.
#[test]
fn claims_take_no_memory_and_no_time() {
    let effort = Effort {
        level: Level::Best,
        memory: 1 << 10,
    };
    let front = &Header::Plain.to_bytes(Some(effort))[..];
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let terabyte = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40];
    let most = [0x80, 0x80, 0x80, 0x20];
    let mut cases: Vec<Vec<u8>> = Vec::new();
    for length in [&huge[..], &terabyte, &most] {
        for tag in 0..=255 {
            cases.push([front, &[tag], length, &[5, 1, 2, 3, 4, 5, 6, 7, 8]].concat());
        }
        for kind in [0x12, 0x32] {
            cases.push([&front[..4], &[kind, 0], length, &[1, 2, 3, 4, 5]].concat());
        }
    }
    for case in cases {
        let error = unpack(&case, &Models::default()).unwrap_err();
        let named = matches!(error, Error::Malformed { .. } | Error::Truncated { .. });
        assert!(named, "{error}");
    }
}

/// A header of a few bytes that claims a billion parameters, and matches its check.
#[test]
fn a_claimed_billion_of_parameters_takes_no_memory() {
    let spec = Spec::brevity(4096, 5, 32, 256);
    assert!(spec.parameters() > 1_000_000_000);
    let mut model = spec.to_bytes();
    model.extend([0x5a; 1000]);
    let error = weights::decode(&model).unwrap_err().to_string();
    let claim = "the model spec claims 1007739296 parameters, more than 1013 bytes of weights";
    assert!(error.contains(claim), "{error}");

    // A block that needs it, taken from another archive.
    let other = pack(&text(300), &Source::external(&small()), blocks(300));
    let first = inspect(&other[..]).unwrap().blocks[0].offset as usize;
    let effort = Effort {
        level: Level::default(),
        memory: u16::from_le_bytes([other[6], other[7]]),
    };
    let mut archive = Header::Embedded(model).to_bytes(Some(effort));
    archive.extend(&other[first..]);
    let unbounded = Models {
        limits: Limits::NONE,
        ..Models::default()
    };
    let error = unpack(&archive, &unbounded).unwrap_err();
    assert!(matches!(error, Error::Model { .. }), "{error}");
    let bounded = Models {
        limits: Limits {
            memory: 1 << 30,
            ..Limits::default()
        },
        ..Models::default()
    };
    let error = unpack(&archive, &bounded).unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");
}

#[test]
fn foreign_and_newer_files_are_named() {
    let unpack = |bytes: &[u8]| unpack(bytes, &Models::default()).unwrap_err();
    assert!(matches!(unpack(b"\x1f\x8b\x08\0\0"), Error::Foreign));
    assert!(matches!(unpack(&[]), Error::Truncated { offset: 0, .. }));
    let mut newer = Header::Plain.to_bytes(None);
    newer[3] = 3;
    assert!(matches!(unpack(&newer), Error::Version(3)));
    newer[3] = 0;
    assert!(matches!(unpack(&newer), Error::VersionZero));
    newer[3] = archive::VERSION;
    newer[4] = 9;
    assert!(matches!(unpack(&newer), Error::Engine(9)));
}
