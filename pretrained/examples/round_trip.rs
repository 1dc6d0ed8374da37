//! Compresses the first bytes of a file with a pretrained model and decompresses
//! them: `round_trip MODEL FILE BYTES [LANES [CONTEXT [ARCHIVE]]]`.

use brevity_pretrained::archive::{Limits, Settings, compress, compress_mixed, decompress};
use brevity_pretrained::{Contexts, Model};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, file, bytes, rest @ ..] = arguments.as_slice() else {
        return Err("round_trip MODEL FILE BYTES [LANES [CONTEXT [ARCHIVE]]]".into());
    };
    let start = Instant::now();
    let model = Model::load(Path::new(model))?;
    print!("{}", model.describe());
    println!("loaded in {:.2} s", start.elapsed().as_secs_f64());
    let mut content = std::fs::read(file)?;
    content.truncate(bytes.parse()?);
    let mut settings = Settings::new(&model);
    if let Some(lanes) = rest.first() {
        settings.lanes = lanes.parse()?;
    }
    if let Some(tokens) = rest.get(1) {
        settings.contexts = Contexts::new(tokens.parse()?);
    }
    let start = Instant::now();
    let out = compress(&model, &settings, &content, &|_| true)?;
    println!(
        "{} bytes, {} items, {} escaped: {:.1} bytes of entropy, {} in the archive ({:.2}%), {:.2} s",
        content.len(),
        out.items,
        out.escaped,
        out.bits / 8.0,
        out.archive.len(),
        100.0 * out.archive.len() as f64 / content.len() as f64,
        start.elapsed().as_secs_f64()
    );
    if settings.can_mix() {
        let mixed = compress_mixed(&model, &settings, &content, &|_| true)?;
        println!("{} bytes mixed with context models", mixed.archive.len());
        if decompress(&model, &mixed.archive, &Limits::default(), &|_| true)? != content {
            return Err("other bytes came back from the mixture".into());
        }
        println!("the same bytes came back from the mixture");
    }
    if let Some(path) = rest.get(2) {
        std::fs::write(path, &out.archive)?;
    }
    let start = Instant::now();
    let back = decompress(&model, &out.archive, &Limits::default(), &|_| true)?;
    let seconds = start.elapsed().as_secs_f64();
    match back == content {
        true => println!("the same bytes came back in {seconds:.2} s"),
        false => return Err("other bytes came back".into()),
    }
    Ok(())
}
