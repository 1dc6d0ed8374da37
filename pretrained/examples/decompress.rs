//! Decompresses an archive in a process of its own: `decompress MODEL ARCHIVE OUT`.

use brevity_pretrained::Model;
use brevity_pretrained::archive::{Limits, decompress};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, archive, out] = arguments.as_slice() else {
        return Err("decompress MODEL ARCHIVE OUT".into());
    };
    let model = Model::load(Path::new(model))?;
    let archive = std::fs::read(archive)?;
    let start = Instant::now();
    let content = decompress(&model, &archive, &Limits::default(), &|_| true)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{} bytes in {seconds:.2} s", content.len());
    std::fs::write(out, content)?;
    Ok(())
}
