//! What must hold for any archive of a pretrained model. `pretrained/tests/seeds.rs` runs
//! this claim on each seed.

use brevity_pretrained::Model;
use brevity_pretrained::archive::{Limits, decompress, header};
use std::path::Path;
use std::sync::OnceLock;

/// The model that the seeds were made with.
pub fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let families = concat!(env!("CARGO_MANIFEST_DIR"), "/../pretrained/tests/families");
        Model::load(&Path::new(families).join("llama")).expect("a small model")
    })
}

/// An archive: refused, within its limits, or decoded to as many bytes as its header says.
pub fn pretrained(archive: &[u8]) {
    let limits = Limits {
        bytes: 1 << 12,
        memory: 1 << 28,
    };
    let header = header(archive);
    if let Ok(header) = &header {
        assert!(header.header_bytes() <= archive.len());
    }
    let Ok(content) = decompress(model(), archive, &limits, &|_| true) else {
        return;
    };
    let header = header.expect("what decodes has a header");
    assert_eq!(content.len() as u64, header.bytes);
}
