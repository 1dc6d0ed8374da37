//! Archives that were forged: their lies are found before they cost anything.

use brevity_codec::Method;
use brevity_codec::archive::{
    Error, Index, Limits, Models, Options, Source, compress, decompress, decompress_range, inspect,
    salvage,
};
use brevity_codec::weights::{Plan, Precision};
use brevity_model::{Spec, TensorInfo, Weights};
use std::io::Cursor;
use std::path::Path;

fn hostile(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    std::fs::read(folder.join(name).with_extension("bvy")).unwrap()
}

fn read(archive: &[u8], models: &Models) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    decompress(archive, &mut out, models, &|_| {}).map(|_| out)
}

/// An archive of three blocks of four bytes, with this index.
fn three_blocks(blocks: &[(u64, u64)]) -> Vec<u8> {
    let honest = honest();
    let (start, end) = index_of(&honest);
    let index = Index {
        blocks: blocks.to_vec(),
    };
    [&honest[..start], &index.to_bytes(), &honest[end..]].concat()
}

fn honest() -> Vec<u8> {
    let options = Options {
        block: 4,
        ..Options::default()
    };
    let mut archive = Vec::new();
    let source = Source::none();
    compress(
        &b"aaaabbbbcccc"[..],
        &mut archive,
        &source,
        &options,
        &|_| {},
    )
    .unwrap();
    archive
}

fn index_of(archive: &[u8]) -> (usize, usize) {
    let parts = inspect(archive).unwrap();
    let end = archive.len() - 12;
    (end - parts.index_bytes as usize, end)
}

/// The first block is said to be one byte long.
#[test]
fn an_index_that_lies_is_not_believed() {
    let archive = hostile("lying_index");
    let models = Models::default();
    let mut out = Vec::new();
    let error = decompress_range(Cursor::new(&archive), &mut out, &models, 0..4).unwrap_err();
    assert!(
        error.to_string().contains("does not match the block"),
        "{error}"
    );
    assert_eq!(out, b"");
    assert!(read(&archive, &models).is_err());
    assert!(inspect(&archive[..]).is_err());

    // All of it is there, and that the index is not is said.
    let mut out = Vec::new();
    let done = salvage(Cursor::new(&archive), &mut out, &models).unwrap();
    assert_eq!(out, b"aaaabbbbcccc");
    assert_eq!((done.recovered, done.lost, done.unread), (12, 0, None));
    assert_eq!(done.damage.len(), 1);
}

#[test]
fn a_range_is_checked_against_all_blocks_before_it() {
    let stored = inspect(&honest()[..]).unwrap().blocks[0];
    let stored = stored.header + stored.payload;
    let models = Models::default();
    let part = |archive: &[u8], start, end| {
        let mut out = Vec::new();
        let found = decompress_range(Cursor::new(archive), &mut out, &models, start..end);
        found.map(|()| out)
    };
    let honest = three_blocks(&[(4, stored); 3]);
    assert_eq!(part(&honest, 3, 9).unwrap(), b"abbbbc");
    // Where the block before is longer than it says, all after it lie elsewhere.
    let lying = three_blocks(&[(1, stored), (4, stored), (4, stored)]);
    for (start, end) in [(0, 1), (0, 4), (1, 5), (5, 9)] {
        assert!(part(&lying, start, end).is_err(), "{start}..{end}");
    }
    // A block that is left out, and one that is there twice.
    let fewer = three_blocks(&[(4, stored), (4, 2 * stored)]);
    assert!(part(&fewer, 4, 8).is_err());
    // A damaged block before the range is no lie: the index says how long it was.
    let mut damaged = honest.clone();
    let first = inspect(&honest[..]).unwrap().blocks[0].offset as usize;
    damaged[first] ^= 0x40;
    assert_eq!(part(&damaged, 4, 12).unwrap(), b"bbbbcccc");
    assert!(part(&damaged, 3, 12).is_err());
}

/// An index of 100 kilobytes promises more than a terabyte.
#[test]
fn what_is_lost_is_no_longer_than_its_bytes_can_hold() {
    let honest = honest();
    let first = inspect(&honest[..]).unwrap().blocks[0].offset as usize;
    let header = honest[..first].to_vec();
    let blocks = 20_000;
    let claim = (1 << 26, 15);
    let index = Index {
        blocks: vec![claim; blocks],
    };
    let garbage = vec![0xFF; blocks * 15];
    let archive = [&header[..], &garbage, &index.to_bytes(), &[0; 12]].concat();
    let mut out = 0_u64;
    let counting = Counting(&mut out);
    let done = salvage(Cursor::new(&archive), counting, &Models::default()).unwrap();
    assert_eq!(done.recovered, 0);
    assert!(done.lost < 1 << 20, "{}", done.lost);
    assert_eq!(out, done.lost);
    assert!(!done.damage.is_empty());
}

/// Blocks of four bytes, and an index that has them longer.
#[test]
fn zeros_are_not_recovered() {
    let archive = hostile("i_zero");
    let mut out = 0_u64;
    let done = salvage(
        Cursor::new(&archive),
        Counting(&mut out),
        &Models::default(),
    )
    .unwrap();
    assert_eq!(out, done.recovered + done.lost);
    assert!(out < 366_000 * archive.len() as u64);
    assert!(done.recovered <= archive.len() as u64, "{}", done.recovered);
    assert!(!done.damage.is_empty());
}

struct Counting<'a>(&'a mut u64);

impl std::io::Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        *self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn within(memory: u64) -> Models<'static> {
    Models {
        limits: Limits {
            memory,
            ..Limits::default()
        },
        ..Models::default()
    }
}

/// A window of two, lags of a million, and 2^15 lanes: 32 GiB of bytes that taps see.
#[test]
fn every_buffer_of_a_model_is_counted() {
    let error = read(&hostile("m_lagswin"), &Models::default()).unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");
    assert!(error.to_string().contains("--memory"), "{error}");
    // A window of one keeps 24 positions.
    let archive = hostile("m_window1_b");
    let error = read(&archive, &within(1 << 30)).unwrap_err();
    assert!(
        matches!(error, Error::Memory { needs, .. } if needs > 3 << 30),
        "{error}"
    );
    // Both say so before they are decoded.
    for name in ["m_lagswin", "m_window1_b"] {
        let parts = inspect(&hostile(name)[..]).unwrap();
        let demand = parts.demand(&Models::default()).unwrap().unwrap();
        assert!(demand.memory > 3 << 30, "{name}: {}", demand.memory);
        assert!(parts.admit(&within(1 << 30)).is_err());
    }
}

/// Noise is stored as it is, whatever model there is for it.
#[test]
fn a_model_that_no_block_needs_is_not_unpacked() {
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..3000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let zeros = |info: &TensorInfo| vec![0.0; info.len()];
    let weights = Weights::from_fn(Spec::aspect(64, 64), zeros).unwrap();
    let source = Source::embedded(&weights, &Plan::new(&weights, Precision::Int8));
    let options = Options {
        block: 1000,
        method: Some(Method::Model),
        ..Options::default()
    };
    let mut archive = Vec::new();
    compress(&noise[..], &mut archive, &source, &options, &|_| {}).unwrap();
    let parts = inspect(&archive[..]).unwrap();
    assert!(parts.blocks.iter().all(|block| block.method == Method::Raw));
    let little = within(64 << 10);
    assert_eq!(read(&archive, &little).unwrap(), noise);
    parts.admit(&little).unwrap();
    let mut part = Vec::new();
    decompress_range(Cursor::new(&archive), &mut part, &little, 1500..2500).unwrap();
    assert_eq!(part, noise[1500..2500]);
}

#[test]
fn a_version_is_called_what_it_is() {
    let mut archive = honest();
    for (version, word) in [(0, "never was"), (3, "newer"), (255, "newer")] {
        archive[3] = version;
        let error = read(&archive, &Models::default()).unwrap_err().to_string();
        assert!(error.contains(word), "{version}: {error}");
    }
}
