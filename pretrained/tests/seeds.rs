//! The claims of the fuzz targets on GGUF files and on archives, on every seed.

#[path = "../../fuzz/src/gguf.rs"]
mod gguf;
#[path = "../../fuzz/src/mutate.rs"]
mod mutate;
#[path = "../../fuzz/src/pretrained.rs"]
mod pretrained;

use std::path::{Path, PathBuf};

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds")
}

#[test]
fn every_file_keeps_its_claim() {
    mutate::every_seed(&seeds(), "gguf", gguf::gguf);
}

#[test]
fn every_archive_keeps_its_claim() {
    mutate::every_seed(&seeds(), "pretrained", pretrained::pretrained);
}
