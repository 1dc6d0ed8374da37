//! The claims of the fuzz targets on pictures and sounds, on every seed.

#[path = "../../../fuzz/src/media.rs"]
mod media;
#[path = "../../../fuzz/src/mutate.rs"]
mod mutate;

use std::path::Path;

#[test]
fn every_seed_keeps_its_claim() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    mutate::every_seed(&seeds, "picture", media::picture);
    mutate::every_seed(&seeds, "sound", media::sound);
}
