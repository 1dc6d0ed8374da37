//! The page of the format is enough to decode by: a program written from it alone agrees.

use brevity_codec::archive::{Models, decompress};
use std::path::Path;
use std::process::Command;

#[test]
fn a_decoder_written_from_the_page_agrees() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    if Command::new("python3").arg("--version").output().is_err() {
        return;
    }
    for name in ["contexts", "raw", "empty", "mixed", "stream", "paper"] {
        let path = folder
            .join("tests/golden/v1")
            .join(name)
            .with_extension("bvy");
        let program = folder.join("../docs/format_v1.py");
        let ran = Command::new("python3")
            .arg("-B")
            .arg(program)
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{name}: {said}");
        let mut ours = Vec::new();
        let archive = std::fs::read(&path).unwrap();
        decompress(&archive[..], &mut ours, &Models::default(), &|_| {}).unwrap();
        assert_eq!(ran.stdout, ours, "{name}");
    }
}
