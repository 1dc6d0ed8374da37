//! What must hold for any archive, stored model and spec, whatever is in it.
//! `codec/tests/it/seeds.rs` runs these claims on each seed.

use brevity_codec::archive::{
    Limits, Models, Options, Source, compress, decompress_range, inspect, salvage,
};
use brevity_codec::weights::{Plan, Precision};
use brevity_codec::{Level, Method, archive, weights};
use brevity_model::{Spec, Weights};
use std::io::Cursor;
use std::sync::LazyLock;

/// Memory and work are bounded as for strangers' archives, only lower.
fn models() -> Models<'static> {
    Models {
        limits: Limits {
            memory: 1 << 29,
            operations: 1e9,
        },
        ..Models::default()
    }
}

/// An archive's fields.
pub fn container(archive: &[u8]) {
    if let Ok(inspection) = inspect(archive) {
        assert_eq!(inspection.stored, archive.len() as u64);
        let _ = inspection.demand(&models());
    }
}

/// The readers that seek, against the one that does not: a range is that part of the
/// whole, and a salvage of an archive that is accepted is the whole. What is recovered
/// and lost is what was written.
pub fn seeking(archive: &[u8]) {
    let models = models();
    let mut whole = Vec::new();
    let accepted = archive::decompress(archive, &mut whole, &models, &|_| {}).is_ok();
    for (start, end) in [(0, 4), (3, 77), (100, 1000)] {
        let mut part = Vec::new();
        let range = start as u64..end as u64;
        let found = decompress_range(Cursor::new(archive), &mut part, &models, range);
        if accepted {
            assert_eq!(found.is_ok(), end <= whole.len());
        }
        if accepted && found.is_ok() {
            assert_eq!(part, whole[start..end]);
        }
    }
    let mut saved = Vec::new();
    if let Ok(done) = salvage(Cursor::new(archive), &mut saved, &models) {
        assert_eq!(done.recovered + done.lost, saved.len() as u64);
        // An index is believed that announces up to twice what there is.
        assert!(done.lost <= 2 * 366_000 * archive.len() as u64);
        if accepted {
            assert!(done.damage.is_empty() && saved == whole);
        }
        // Bytes behind an archive are refused, and no damage.
        if done.damage.is_empty() && done.surplus == 0 {
            assert!(accepted);
        }
    }
}

/// A whole archive: if accepted, it has the length that `inspect` reports.
pub fn decompress(archive: &[u8]) {
    let inspection = inspect(archive);
    let mut out = Vec::new();
    if let Ok(summary) = archive::decompress(archive, &mut out, &models(), &|_| {}) {
        assert_eq!(summary.raw, out.len() as u64);
        assert_eq!(inspection.unwrap().raw(), summary.raw);
    }
}

/// Bytes through every way of coding and back: whole, by range, salvaged. The
/// first five bytes choose the way: block size (2, little endian) and level, method, model
/// and lanes (1), range (2).
pub fn round_trip(input: &[u8]) {
    static MODEL: LazyLock<Weights> = LazyLock::new(|| {
        let value = |i: usize| (i as f32).sin() / 4.0;
        let spec = Spec::aspect(8, 16);
        Weights::from_fn(spec, |info| (0..info.len()).map(value).collect()).unwrap()
    });
    let Some((&[b0, b1, how, m0, m1], bytes)) = input.split_first_chunk() else {
        return;
    };
    let options = Options {
        block: usize::from(u16::from_le_bytes([b0, b1])).max(1),
        method: [
            None,
            Some(Method::Contexts),
            Some(Method::Model),
            Some(Method::Mixed),
        ][usize::from(how & 3)],
        level: Level::ALL[usize::from(b0 % 3)],
        lanes: Some(1 << (how >> 2 & 7)),
    };
    let source = match how >> 5 {
        0..=3 if options.method.is_none_or(|m| !m.needs_model()) => Source::none(),
        4..=5 => Source::external(&MODEL),
        _ => Source::embedded(&MODEL, &Plan::new(&MODEL, Precision::Bits(3))),
    };
    let models = Models {
        external: Some(&MODEL),
        ..Models::default()
    };
    let (mut archive, mut back) = (Vec::new(), Vec::new());
    compress(bytes, &mut archive, &source, &options, &|_| {}).unwrap();
    archive::decompress(&archive[..], &mut back, &models, &|_| {}).unwrap();
    assert_eq!(back, bytes);

    let middle = usize::from(u16::from_le_bytes([m0, m1])).min(bytes.len());
    let mut part = Vec::new();
    let range = middle as u64 / 2..middle as u64;
    decompress_range(Cursor::new(&archive), &mut part, &models, range).unwrap();
    assert_eq!(part, bytes[middle / 2..middle]);

    let mut saved = Vec::new();
    salvage(Cursor::new(&archive), &mut saved, &models).unwrap();
    assert_eq!(saved, bytes);
}

/// An encoded spec: if accepted, it is encoded to the same bytes again.
pub fn spec(encoded: &[u8]) {
    if let Ok((spec, used)) = Spec::from_bytes(encoded) {
        assert_eq!(spec.to_bytes(), encoded[..used]);
    }
}

/// A stored model: if accepted, it has the spec's shapes.
pub fn weights(model: &[u8]) {
    if let Ok(weights) = weights::decode(model) {
        let values: usize = weights.iter().map(|(_, values)| values.len()).sum();
        assert_eq!(values as u64, weights.parameters());
    }
}
