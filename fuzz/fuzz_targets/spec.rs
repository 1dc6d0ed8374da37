#![no_main]
//! Encoded specs.

use brevity_model::Spec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((spec, used)) = Spec::from_bytes(bytes) {
        assert_eq!(spec.to_bytes(), bytes[..used]);
    }
});
