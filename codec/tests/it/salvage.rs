//! What is recovered of damaged archives.

use crate::archive::{blocks, noise, pack, small, text};
use brevity_codec::archive::{
    self, Error, Models, Options, Source, decompress_range, inspect, salvage,
};
use brevity_codec::weights::{Plan, Precision};
use brevity_codec::{Level, Method};
use std::io::Cursor;

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

/// How many bytes are lost, an index says, or the header of a block whose check holds.
#[test]
fn lengths_that_nothing_confirms_are_told() {
    let bytes = text(1000);
    let archive = pack(&bytes, &Source::none(), blocks(250));
    let second = inspect(&archive[..]).unwrap().blocks[1];
    let mut damaged = archive.clone();
    damaged[(second.offset + second.header + 3) as usize] ^= 1;
    let without_index = damaged[..damaged.len() - 30].to_vec();
    let mut alone = pack(&bytes, &Source::none(), blocks(5000));
    let middle = alone.len() / 2;
    alone[middle] ^= 1;
    for (archive, lost, unconfirmed) in [
        (&archive, 0, false),
        (&damaged, 250, false),
        (&without_index, 250, true),
        (&alone, 1000, true),
    ] {
        let done = salvage(Cursor::new(archive), std::io::sink(), &Models::default()).unwrap();
        assert_eq!((done.lost, done.unconfirmed), (lost, unconfirmed));
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
    // Which of equal blocks was left out, their numbers tell.
    for bytes in [uneven, noise(1000)] {
        let archive = pack(&bytes, &Source::none(), blocks(250));
        for n in 0..4 {
            let (out, done) = cut(n, &archive);
            assert_eq!((done.recovered, done.lost), (750, 250), "{:?}", done.damage);
            let lost = 250 * n..250 * (n + 1);
            assert_eq!(out[lost.clone()], [0; 250]);
            assert_eq!(out[..lost.start], bytes[..lost.start]);
            assert_eq!(out[lost.end..], bytes[lost.end..]);
        }
    }
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

/// The parts of an archive: what is before the blocks, the blocks, what is behind them.
fn parts(archive: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>, Vec<u8>) {
    let found = inspect(archive).unwrap().blocks;
    let start = found[0].offset as usize;
    let mut at = start;
    let mut blocks = Vec::new();
    for block in &found {
        let end = at + (block.header + block.payload) as usize;
        blocks.push(archive[at..end].to_vec());
        at = end;
    }
    (archive[..start].to_vec(), blocks, archive[at..].to_vec())
}

/// Blocks in any order, some twice, are put back, with the index and without.
#[test]
fn blocks_in_another_order_are_told_and_put_back() {
    let orders: [&[usize]; 12] = [
        &[0, 1, 5, 3, 4, 2, 6, 7],
        &[0, 2, 1, 3, 4, 5, 6, 7],
        &[3, 1, 2, 0, 4, 5, 6, 7],
        &[0, 7, 2, 3, 4, 5, 6, 1],
        &[1, 2, 3, 4, 5, 6, 7, 0],
        &[7, 0, 1, 2, 3, 4, 5, 6],
        &[7, 6, 5, 4, 3, 2, 1, 0],
        &[4, 2, 7, 1, 0, 6, 3, 5],
        &[0, 1, 2, 3, 3, 4, 5, 6, 7],
        &[0, 0, 1, 2, 3, 4, 5, 6, 7],
        &[0, 1, 2, 3, 4, 5, 6, 7, 7],
        &[0, 1, 2, 3, 2, 3, 4, 5, 6, 7],
    ];
    // Noise is stored as it is, in blocks of one length; texts have lengths of their own.
    for bytes in [noise(1900), text(1900)] {
        let archive = pack(&bytes, &Source::none(), blocks(250));
        let (front, all, back) = parts(&archive);
        for order in orders {
            for index in [true, false] {
                let mut damaged = front.clone();
                order.iter().for_each(|n| damaged.extend(&all[*n]));
                if index {
                    damaged.extend(&back);
                }
                let case = format!("{order:?}, {index}");
                let mut out = Vec::new();
                let done = salvage(Cursor::new(&damaged), &mut out, &Models::default()).unwrap();
                assert!(out == bytes, "{case}: {:?}", done.damage);
                assert_eq!((done.lost, done.is_original), (0, index), "{case}");
                assert!(!done.damage.is_empty() && done.unread.is_none(), "{case}");
                archive::decompress(&damaged[..], Vec::new(), &Models::default(), &|_| {})
                    .unwrap_err();
                // A range is right or refused.
                for n in 0..8 {
                    let range = 250 * n..(250 * (n + 1)).min(1900);
                    let (cursor, models) = (Cursor::new(&damaged), Models::default());
                    let mut out = Vec::new();
                    let read = range.start as u64..range.end as u64;
                    if decompress_range(cursor, &mut out, &models, read).is_ok() {
                        assert_eq!(out, bytes[range], "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn without_an_index_missing_blocks_are_told() {
    let bytes = text(1900);
    let (front, all, _) = parts(&pack(&bytes, &Source::none(), blocks(250)));
    for missing in [0..1, 0..3, 2..4, 6..7] {
        let mut damaged = front.clone();
        for (n, block) in all.iter().enumerate() {
            if !missing.contains(&n) {
                damaged.extend(block);
            }
        }
        let mut out = Vec::new();
        let done = salvage(Cursor::new(&damaged), &mut out, &Models::default()).unwrap();
        let lost = 250 * missing.start..250 * missing.end;
        assert_eq!(
            done.zeros.first(),
            Some(&(lost.start as u64..lost.end as u64))
        );
        assert_eq!(out.len(), bytes.len());
        assert_eq!(out[..lost.start], bytes[..lost.start]);
        assert_eq!(out[lost.end..], bytes[lost.end..]);
        let told = missing.start as u64..missing.end as u64;
        let is_told = |e: &&Error| matches!(e, Error::BlocksMissing { blocks } if *blocks == told);
        assert_eq!(done.damage.iter().filter(is_told).count(), 1);
    }
    // A few bytes that say that much is missing take no endless zeros.
    let (front, all, _) = parts(&pack(&[0; 100_000], &Source::none(), blocks(5000)));
    for (last, zeros) in [(2, 10_000), (18, 0)] {
        let forged = [&front[..], &all[last]].concat();
        let mut out = Vec::new();
        let done = salvage(Cursor::new(&forged), &mut out, &Models::default()).unwrap();
        assert_eq!((done.recovered, done.lost), (5000, zeros));
        assert!(done.unconfirmed && done.zeros.is_empty() == (zeros == 0));
        assert_eq!(out.len() as u64, 5000 + zeros);
    }
}

/// A block that needs a model has none where a forger puts it.
#[test]
fn a_block_with_a_model_in_an_archive_without_is_damage() {
    let weights = small();
    let plan = Plan::new(&weights, Precision::Bits(6));
    let by = |method| Options {
        method: Some(method),
        ..blocks(250)
    };
    // A byte that the model likes, so that its blocks are not stored as they are.
    let modelled = (0..=255).find_map(|byte| {
        let bytes = vec![byte; 1900];
        let source = Source::embedded(&weights, &plan);
        let (_, all, _) = parts(&pack(&bytes, &source, by(Method::Model)));
        (all[3][0] & 3 == 2).then_some((bytes, all))
    });
    let (bytes, with_model) = modelled.unwrap();
    // Neither has context models, so checks cover the same of the header.
    let (front, all, _) = parts(&pack(&bytes, &Source::none(), by(Method::Raw)));
    // Without an index, the walk comes upon it.
    let forged = [
        &front[..],
        &all[..3].concat(),
        &with_model[3],
        &all[4..].concat(),
    ]
    .concat();
    let mut out = Vec::new();
    let done = salvage(Cursor::new(&forged), &mut out, &Models::default()).unwrap();
    let needs = |e: &Error| e.to_string().contains("needs a model");
    assert!(done.damage.iter().any(needs), "{:?}", done.damage);
    assert_eq!(out, bytes[..750]);
}
