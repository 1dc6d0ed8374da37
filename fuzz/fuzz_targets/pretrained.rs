#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| brevity_fuzz::pretrained::pretrained(bytes));
