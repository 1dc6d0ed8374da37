//! The claim of the fuzz target on GGUF files, on every seed.

#[path = "../../fuzz/src/gguf.rs"]
mod gguf;
#[path = "../../fuzz/src/mutate.rs"]
mod mutate;

use std::path::Path;

#[test]
fn every_seed_keeps_its_claim() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    mutate::every_seed(&seeds, "gguf", gguf::gguf);
}
