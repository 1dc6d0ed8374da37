#![no_main]
//! Stored models.

use brevity_codec::weights;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(weights) = weights::decode(bytes) {
        let values: usize = weights.iter().map(|(_, values)| values.len()).sum();
        assert_eq!(values as u64, weights.parameters());
    }
});
