#![no_main]
//! Whole archives.

use brevity_codec::archive::{Models, decompress, inspect};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let inspection = inspect(bytes);
    let mut out = Vec::new();
    if let Ok(summary) = decompress(bytes, &mut out, &Models::default(), &|_| {}) {
        assert_eq!(summary.raw, out.len() as u64);
        assert_eq!(inspection.unwrap().raw(), summary.raw);
    }
});
