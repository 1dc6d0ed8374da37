//! Archives of every kind, whole and damaged.

use brevity_codec::archive::{
    self, Effort, Error, Header, Limits, ModelId, Models, Options, Source, compress, decompress,
    decompress_range, inspect, salvage,
};
use brevity_codec::predict::{Counts, Model, Predictor};
use brevity_codec::weights::{self, Plan, Precision};
use brevity_codec::{Layout, Level, Method};
use brevity_model::{Spec, Weights};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::io::Cursor;
use std::sync::LazyLock;

fn weights(spec: Spec) -> Weights {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut value = |_| (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 0.3;
    Weights::from_fn(spec, |info| (0..info.len()).map(&mut value).collect()).unwrap()
}

fn small() -> Weights {
    weights(Spec::brevity(8, 1, 2, 16))
}

fn text(length: usize) -> Vec<u8> {
    let words = ["sea ", "shells ", "she ", "sells, ", "shore. ", "\n"];
    let word = |i: usize| words[i * i % 7 % 6].bytes();
    (0..).flat_map(word).take(length).collect()
}

fn noise(length: usize) -> Vec<u8> {
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

fn pack(bytes: &[u8], source: &Source, options: Options) -> Vec<u8> {
    alone(|| pack_here(bytes, source, options))
}

fn unpack(archive: &[u8], models: &Models) -> Result<Vec<u8>, Error> {
    alone(|| {
        let mut out = Vec::new();
        decompress(archive, &mut out, models, &|_| {}).map(|_| out)
    })
}

fn blocks(block: usize) -> Options {
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

#[test]
fn less_memory_than_blocks_take_is_found_before_it_is_taken() {
    let mut archive = pack(&text(1000), &Source::none(), Options::default());
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

#[test]
fn what_is_intact_is_salvaged() {
    let bytes = text(1000);
    let archive = pack(&bytes, &Source::none(), blocks(250));
    let second = inspect(&archive[..]).unwrap().blocks[1];
    for (at, flip) in [
        (second.offset + second.header + 3, 1),
        (second.offset + 1, 0x40),
    ] {
        let mut damaged = archive.clone();
        damaged[at as usize] ^= flip;
        let mut out = Vec::new();
        let done = salvage(Cursor::new(&damaged), &mut out, &Models::default()).unwrap();
        assert_eq!(
            (done.recovered, done.lost, done.damage.len()),
            (750, 250, 1)
        );
        assert_eq!(out[..250], bytes[..250]);
        assert_eq!(out[250..500], [0; 250]);
        assert_eq!(out[500..], bytes[500..]);
    }
    // Without the index, the lengths in headers locate the next block.
    let mut damaged = archive[..archive.len() - 30].to_vec();
    damaged[(second.offset + second.header + 3) as usize] ^= 1;
    let mut out = Vec::new();
    let done = salvage(Cursor::new(&damaged), &mut out, &Models::default()).unwrap();
    assert_eq!((done.lost, done.unread), (250, None));
    assert_eq!(out[250..500], [0; 250]);
    assert_eq!(out[500..750], bytes[500..750]);
    // Nothing can be read after an invalid header.
    damaged[second.offset as usize] |= 8;
    let mut out = Vec::new();
    let done = salvage(Cursor::new(&damaged), &mut out, &Models::default()).unwrap();
    assert_eq!((done.recovered, done.unread), (250, Some(second.offset)));
    assert_eq!(out, bytes[..250]);
    // The start of a truncated archive is still readable.
    let mut out = Vec::new();
    let cut = &archive[..archive.len() - 30];
    let done = salvage(Cursor::new(cut), &mut out, &Models::default()).unwrap();
    assert_eq!(out[..750], bytes[..750]);
    assert!(done.recovered >= 750);
    // Bytes behind a whole archive are no damage.
    for block in [250, 5000] {
        for surplus in [0, 1, 40] {
            let mut longer = pack(&bytes, &Source::none(), blocks(block));
            longer.resize(longer.len() + surplus, 0);
            let mut out = Vec::new();
            let done = salvage(Cursor::new(&longer), &mut out, &Models::default()).unwrap();
            assert_eq!(out, bytes);
            assert!(done.damage.is_empty(), "{:?}", done.damage);
            assert_eq!((done.lost, done.surplus), (0, surplus as u64));
        }
    }
}

/// A damaged byte of the header costs nothing: the first block, and the model, tell what it
/// was.
#[test]
fn a_damaged_header_is_restored() {
    let weights = small();
    let plan = Plan::new(&weights, Precision::Bits(6));
    let bytes = text(1000);
    let noise = noise(300);
    let mut cases: Vec<(&[u8], Source, Options)> = Level::ALL
        .map(|level| {
            let options = Options {
                level,
                ..blocks(400)
            };
            (&bytes[..], Source::none(), options)
        })
        .into();
    cases.push((&noise, Source::none(), blocks(400)));
    for method in [Method::Mixed, Method::Model] {
        let options = Options {
            method: Some(method),
            ..blocks(400)
        };
        cases.push((&bytes, Source::embedded(&weights, &plan), options));
        cases.push((&bytes, Source::external(&weights), options));
    }
    let models = Models {
        external: Some(&weights),
        ..Models::default()
    };
    for (original, source, options) in cases {
        let archive = pack(original, &source, options);
        let first = inspect(&archive[..]).unwrap().blocks[0].offset as usize;
        for at in 0..first.min(8) {
            for flip in [1, 0x10, 0x80, 0xFF] {
                // Of an archive at level 0 these are another field.
                if at >= 6 && archive[5] == 0 {
                    continue;
                }
                let mut damaged = archive.clone();
                damaged[at] ^= flip;
                let mut out = Vec::new();
                let done = salvage(Cursor::new(&damaged), &mut out, &models).unwrap();
                assert_eq!(out, original, "byte {at}");
                assert_eq!((done.lost, done.damage.len()), (0, 1), "byte {at}");
                assert!(done.is_original);
                let text = done.damage[0].to_string();
                assert!(text.contains(&format!("at byte {at}:")), "{text}");
            }
        }
    }
    let foreign = salvage(Cursor::new(&bytes), std::io::sink(), &Models::default());
    assert!(matches!(foreign, Err(Error::Foreign)));
    let archive = pack(&bytes, &Source::none(), blocks(400));
    for cut in 0..8 {
        let done = salvage(
            Cursor::new(&archive[..cut]),
            std::io::sink(),
            &Models::default(),
        );
        assert!(
            matches!(done, Err(Error::Truncated { .. })),
            "{cut}: {done:?}"
        );
    }
}

/// Bytes that were inserted or left out cost the block where they were.
#[test]
fn blocks_behind_inserted_bytes_are_salvaged() {
    let bytes = text(1000);
    let archive = pack(&bytes, &Source::none(), blocks(250));
    let second = inspect(&archive[..]).unwrap().blocks[1];
    let at = (second.offset + second.header + 3) as usize;
    let mut inserted = archive.clone();
    inserted.splice(at..at, [7, 8, 9]);
    let mut cut = archive.clone();
    cut.drain(at..at + 2);
    for damaged in [inserted, cut] {
        let mut out = Vec::new();
        let done = salvage(Cursor::new(&damaged), &mut out, &Models::default()).unwrap();
        let found = (done.recovered, done.lost, done.unread, done.damage.len());
        assert_eq!(found, (750, 250, None, 1), "{:?}", done.damage);
        let zeros = done.zeros.first().cloned();
        assert_eq!((zeros, done.zeros.len()), (Some(250..500), 1));
        assert!(!done.is_original);
        assert_eq!(out[..250], bytes[..250]);
        assert_eq!(out[500..], bytes[500..]);
    }
    // Between blocks, nothing is lost.
    let blocks_of = inspect(&archive[..]).unwrap().blocks;
    let ends = blocks_of.iter().map(|b| b.offset + b.header + b.payload);
    for at in std::iter::once(blocks_of[0].offset).chain(ends) {
        let mut inserted = archive.clone();
        inserted.splice(at as usize..at as usize, [1, 2, 3]);
        let mut out = Vec::new();
        let done = salvage(Cursor::new(&inserted), &mut out, &Models::default()).unwrap();
        assert_eq!(out, bytes);
        assert_eq!((done.lost, done.damage.len()), (0, 1), "{:?}", done.damage);
        assert!(done.is_original);
    }
    // A block that was left out.
    let cut = |n: usize, archive: &[u8]| {
        let block = inspect(archive).unwrap().blocks[n];
        let start = block.offset as usize;
        let mut cut = archive.to_vec();
        cut.drain(start..start + (block.header + block.payload) as usize);
        let mut out = Vec::new();
        let done = salvage(Cursor::new(&cut), &mut out, &Models::default()).unwrap();
        (out, done)
    };
    // Blocks of different lengths.
    let mut uneven = noise(1000);
    for (n, block) in uneven.chunks_mut(250).enumerate() {
        block[250 - 40 * n..].fill(0);
    }
    for n in 0..4 {
        let (out, done) = cut(n, &pack(&uneven, &Source::none(), blocks(250)));
        assert_eq!((done.recovered, done.lost), (750, 250), "{:?}", done.damage);
        let lost = 250 * n..250 * (n + 1);
        assert_eq!(out[lost.clone()], [0; 250]);
        assert_eq!(out[..lost.start], uneven[..lost.start]);
        assert_eq!(out[lost.end..], uneven[lost.end..]);
    }
    // Which of equal blocks was left out, nothing tells: it is not guessed.
    let even = noise(1000);
    let (out, done) = cut(1, &pack(&even, &Source::none(), blocks(250)));
    assert_eq!(out[..250], even[..250]);
    assert!(
        done.damage
            .iter()
            .any(|e| e.to_string().contains("two places"))
    );
}

/// Of archives one behind the other, the first is read: the index at the end is not its own.
#[test]
fn the_first_of_two_archives_is_salvaged() {
    let bytes = [text(1000), noise(600)];
    for block in [250, 5000] {
        let first = pack(&bytes[0], &Source::none(), blocks(block));
        let options = Options {
            level: Level::Fast,
            ..blocks(200)
        };
        let second = pack(&bytes[1], &Source::none(), options);
        let both = [&first[..], &second].concat();
        let mut out = Vec::new();
        let done = salvage(Cursor::new(&both), &mut out, &Models::default()).unwrap();
        assert_eq!(out, bytes[0]);
        assert!(done.damage.is_empty() && done.is_original, "{done:?}");
        assert_eq!(done.surplus, second.len() as u64);
    }
    // Nor if its own index is damaged.
    let first = pack(&bytes[0], &Source::none(), blocks(250));
    let mut both = first.clone();
    let end = both.len();
    both[end - archive::DIGEST - 6] ^= 1;
    both.extend(pack(&bytes[1], &Source::none(), blocks(200)));
    let mut out = Vec::new();
    let done = salvage(Cursor::new(&both), &mut out, &Models::default()).unwrap();
    assert_eq!(out, bytes[0]);
    assert!(!done.is_original && !done.damage.is_empty());
}

/// An index may not announce what the file cannot hold.
#[test]
fn an_index_of_nothing_is_not_believed() {
    let archive = pack(&noise(1000), &Source::none(), blocks(500));
    let first = inspect(&archive[..]).unwrap().blocks[0].offset as usize;
    let mut forged = archive[..first].to_vec();
    let index = archive::Index {
        blocks: vec![(1 << 26, 184); 1000],
    };
    forged.extend(index.to_bytes());
    forged.extend([0; archive::DIGEST]);
    let mut out = Vec::new();
    let done = salvage(Cursor::new(&forged), &mut out, &Models::default()).unwrap();
    assert!(out.len() < 1 << 20, "{} bytes", out.len());
    assert!(!done.damage.is_empty());
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
