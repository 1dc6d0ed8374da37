//! The properties of the fuzz targets, on every seed.

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::Path;

#[test]
fn every_seed_keeps_its_claim() {
    try_all("container", targets::container);
    try_all("decompress", targets::decompress);
    try_all("round_trip", targets::round_trip);
    try_all("spec", targets::spec);
    try_all("weights", targets::weights);
}

fn try_all(target: &str, claim: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let files: Vec<_> = fs::read_dir(seeds.join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(!files.is_empty(), "{target} has no seeds");
    for file in files {
        println!("{}", file.display());
        claim(&fs::read(&file).unwrap());
    }
}
