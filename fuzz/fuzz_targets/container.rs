#![no_main]
//! Fields of an archive, and the readers that seek.

use brevity_codec::archive::{Models, decompress_range, inspect, salvage};
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(inspection) = inspect(bytes) {
        assert_eq!(inspection.stored, bytes.len() as u64);
    }
    let models = Models::default();
    let _ = decompress_range(Cursor::new(bytes), std::io::sink(), &models, 3..77);
    let _ = salvage(Cursor::new(bytes), std::io::sink(), &models);
});
