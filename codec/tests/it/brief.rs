//! Archives of few bytes: no field that can be done without, and one check.

use brevity_codec::archive::{
    BRIEF, Error, Limits, Models, Options, Source, compress, compress_decoding, decompress,
    decompress_range, entropy, inspect, salvage,
};
use brevity_codec::{Level, Method};
use std::io::Cursor;

fn pack(bytes: &[u8], options: Options) -> Vec<u8> {
    let mut archive = Vec::new();
    compress(bytes, &mut archive, &Source::none(), &options, &|_| {}).unwrap();
    archive
}

fn unpack(archive: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    decompress(archive, &mut out, &Models::default(), &|_| {}).map(|_| out)
}

fn text(length: usize) -> Vec<u8> {
    let line = b"Round the rough and rugged rock the ragged rascal ran. ";
    line.iter().copied().cycle().take(length).collect()
}

/// Bytes, and the levels and methods by which they are coded.
fn cases(each: &mut dyn FnMut(&[u8], Vec<u8>)) {
    let noise: Vec<u8> = (1..40_u32).map(|i| ((i.pow(3) * 77) >> 4) as u8).collect();
    for level in Level::ALL {
        for method in [None, Some(Method::Raw)] {
            for bytes in [&b""[..], b"a", &noise, &text(90)] {
                let options = Options {
                    level,
                    method,
                    ..Options::default()
                };
                each(bytes, pack(bytes, options));
            }
        }
    }
}

#[test]
fn few_bytes_cost_little_more() {
    cases(&mut |bytes, archive| {
        assert!(archive.len() <= bytes.len() + 11, "{}", bytes.len());
        assert_eq!(unpack(&archive).unwrap(), bytes);
        let told = inspect(&archive[..]).unwrap();
        assert!(told.brief && told.digest.is_none());
        assert_eq!(told.raw(), bytes.len() as u64);
        let half = bytes.len() as u64 / 2;
        let mut part = Vec::new();
        let archive = Cursor::new(archive);
        decompress_range(archive, &mut part, &Models::default(), half..).unwrap();
        assert_eq!(part, bytes[half as usize..]);
    });
}

#[test]
fn every_changed_bit_and_every_missing_byte_is_noticed() {
    cases(&mut |_, archive| {
        for at in 0..archive.len() {
            assert!(unpack(&archive[..at]).is_err(), "cut {at}");
            for bit in 0..8 {
                let mut changed = archive.clone();
                changed[at] ^= 1 << bit;
                assert!(unpack(&changed).is_err(), "byte {at} bit {bit}");
            }
        }
        assert!(unpack(&[&archive[..], b"\0"].concat()).is_err());
    });
}

#[test]
fn a_damaged_header_is_restored_and_other_damage_is_told() {
    cases(&mut |bytes, archive| {
        for at in 0..archive.len() {
            // The tag of the block has few values: all are tried.
            let flips: Vec<u8> = match at {
                5 => (1..=255).collect(),
                _ => vec![1, 0x10, 0x80, 0xFF],
            };
            for flip in flips {
                let mut changed = archive.clone();
                changed[at] ^= flip;
                let mut out = Vec::new();
                let done = salvage(Cursor::new(&changed), &mut out, &Models::default());
                if at < 5 {
                    let done = done.unwrap();
                    assert!(out == bytes && done.is_original, "byte {at}");
                    assert_eq!((done.lost, done.damage.len()), (0, 1), "byte {at}");
                } else {
                    let done = done.unwrap();
                    assert!(!done.is_original && !done.damage.is_empty(), "byte {at}");
                    assert_eq!(done.recovered, 0);
                }
            }
        }
        let twice = [&archive[..], &archive[..]].concat();
        let mut out = Vec::new();
        let done = salvage(Cursor::new(&twice), &mut out, &Models::default()).unwrap();
        assert!(out == bytes && done.is_original);
        assert_eq!(done.surplus, archive.len() as u64);
    });
}

/// A range of an archive of one block, which has no index, says what is wrong with it.
#[test]
fn ranges_of_archives_that_do_not_fit_say_so() {
    for block in [1 << 20, 600] {
        let options = Options {
            block,
            ..Options::default()
        };
        let archive = pack(&text(600), options);
        let mut wrong = vec![[&archive[..], &archive[..]].concat()];
        wrong.extend([1, 5, 30].map(|cut| archive[..archive.len() - cut].to_vec()));
        for wrong in wrong {
            let whole = unpack(&wrong).unwrap_err().to_string();
            let mut out = Vec::new();
            let ranged = decompress_range(Cursor::new(&wrong), &mut out, &Models::default(), 0..5);
            let ranged = ranged.unwrap_err().to_string();
            assert!(whole.starts_with(&ranged), "{ranged} or {whole}");
            assert!(out.is_empty());
        }
    }
}

/// A range that a damaged header does not have is no wrong range.
#[test]
fn a_range_is_not_compared_with_a_damaged_length() {
    for block in [1 << 20, 600] {
        let options = Options {
            block,
            ..Options::default()
        };
        let mut archive = pack(&text(600), options);
        let part = |archive: &[u8]| {
            let models = Models::default();
            let ranged = decompress_range(Cursor::new(archive), std::io::sink(), &models, 0..700);
            ranged.unwrap_err()
        };
        assert!(matches!(part(&archive), Error::Range { length: 600, .. }));
        let mut damaged = 0;
        for at in 4..archive.len() {
            archive[at] ^= 1;
            let error = part(&archive);
            assert!(
                !matches!(error, Error::Range { length, .. } if length != 600),
                "byte {at}: {error}"
            );
            damaged += u32::from(matches!(error, Error::BlockCheck { block: 0, .. }));
            archive[at] ^= 1;
        }
        assert!(damaged > 10);
    }
}

#[test]
fn limits_hold_for_a_damaged_brief_archive() {
    let mut archive = pack(&text(900), Options::default());
    // Level 9 in place of 5.
    archive[4] ^= 12;
    let models = Models {
        limits: Limits {
            memory: 1 << 16,
            ..Limits::default()
        },
        ..Models::default()
    };
    let done = salvage(Cursor::new(&archive), std::io::sink(), &models);
    assert!(
        matches!(done, Err(Error::Memory { block: 0, .. })),
        "{done:?}"
    );
}

/// What is longer, has several blocks or might have, has all fields.
#[test]
fn longer_archives_have_all_fields() {
    let is_brief = |length: usize, block: usize| {
        let options = Options {
            block,
            level: Level::Fast,
            ..Options::default()
        };
        let archive = pack(&text(length), options);
        assert_eq!(unpack(&archive).unwrap(), text(length));
        inspect(&archive[..]).unwrap().brief
    };
    assert!(is_brief(BRIEF, 1 << 20));
    assert!(!is_brief(BRIEF + 1, 1 << 20));
    assert!(is_brief(99, 100));
    assert!(!is_brief(100, 100));
    assert!(!is_brief(250, 100));
}

#[test]
fn a_brief_archive_is_verified_as_it_is_written() {
    let bytes = text(900);
    let mut archive = Vec::new();
    let options = Options::default();
    let source = Source::none();
    let written = compress_decoding(&bytes[..], &mut archive, &source, &options, &|_| {}).unwrap();
    assert!(written.is(&archive[..]).unwrap());
    archive[20] ^= 1;
    assert!(!written.is(&archive[..]).unwrap());
    let told = entropy(&archive[..], &Models::default(), &|_| {});
    assert!(
        matches!(told, Err(Error::BlockCheck { block: 0, .. })),
        "{told:?}"
    );
}
