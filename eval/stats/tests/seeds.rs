//! The claims of the fuzz targets on tables and rows, on every seed.

#[path = "../../../fuzz/src/folders.rs"]
mod folders;
#[path = "../../../fuzz/src/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/src/tables.rs"]
mod tables;

use std::path::Path;

#[test]
fn every_seed_keeps_its_claim() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    mutate::every_seed(&seeds, "table", tables::table);
    mutate::every_seed(&seeds, "rows", folders::rows);
}
