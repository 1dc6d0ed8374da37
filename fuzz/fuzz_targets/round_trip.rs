#![no_main]
//! Bytes through every way of coding and back: whole, by range, salvaged.

use brevity_codec::Method;
use brevity_codec::archive::{
    Models, Options, Source, compress, decompress, decompress_range, salvage,
};
use brevity_codec::weights::{Plan, Precision};
use brevity_model::{Spec, Weights};
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;
use std::sync::LazyLock;

static MODEL: LazyLock<Weights> = LazyLock::new(|| {
    let value = |i: usize| (i as f32).sin() / 4.0;
    let spec = Spec::aspect(8, 16);
    Weights::from_fn(spec, |info| (0..info.len()).map(value).collect()).unwrap()
});

fuzz_target!(|input: (u16, u8, u16, &[u8])| {
    let (block, how, middle, bytes) = input;
    let options = Options {
        block: usize::from(block).max(1),
        method: [
            None,
            Some(Method::Contexts),
            Some(Method::Model),
            Some(Method::Mixed),
        ][usize::from(how & 3)],
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
    decompress(&archive[..], &mut back, &models, &|_| {}).unwrap();
    assert_eq!(back, bytes);

    let middle = usize::from(middle).min(bytes.len());
    let mut part = Vec::new();
    let range = middle as u64 / 2..middle as u64;
    decompress_range(Cursor::new(&archive), &mut part, &models, range).unwrap();
    assert_eq!(part, bytes[middle / 2..middle]);

    let mut saved = Vec::new();
    salvage(Cursor::new(&archive), &mut saved, &models).unwrap();
    assert_eq!(saved, bytes);
});
