#![no_main]
//! Bytes through the context models and back.

use brevity_codec::archive::{Models, Options, Source, compress, decompress};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (block, bytes) = input;
    let options = Options {
        block: usize::from(block).max(1),
        ..Options::default()
    };
    let (mut archive, mut back) = (Vec::new(), Vec::new());
    compress(bytes, &mut archive, &Source::none(), &options, &|_| {}).unwrap();
    decompress(&archive[..], &mut back, &Models::default(), &|_| {}).unwrap();
    assert_eq!(back, bytes);
});
