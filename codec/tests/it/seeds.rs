//! The claims of the fuzz targets on archives, on every seed.

#[path = "../../../fuzz/src/archives.rs"]
mod archives;
#[path = "../../../fuzz/src/mutate.rs"]
mod mutate;

use std::path::Path;

#[test]
fn every_seed_keeps_its_claim() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let try_all = |target, claim| mutate::every_seed(&seeds, target, claim);
    try_all("container", archives::container);
    try_all("decompress", archives::decompress);
    // Archives are archives.
    for target in ["container", "decompress", "seeking"] {
        try_all(target, archives::seeking);
    }
    try_all("round_trip", archives::round_trip);
    try_all("spec", archives::spec);
    try_all("weights", archives::weights);
}
