//! Compresses the first bytes of a file with a pretrained model and decompresses
//! them: `round_trip MODEL FILE BYTES [LANES]`.

use brevity_pretrained::Model;
use brevity_pretrained::archive::{Limits, Settings, compress, decompress};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, file, bytes, lanes @ ..] = arguments.as_slice() else {
        return Err("round_trip MODEL FILE BYTES [LANES]".into());
    };
    let start = Instant::now();
    let model = Model::load(Path::new(model))?;
    println!("loaded in {:.2} s", start.elapsed().as_secs_f64());
    let mut content = std::fs::read(file)?;
    content.truncate(bytes.parse()?);
    let mut settings = Settings::new(&model);
    if let Some(lanes) = lanes.first() {
        settings.lanes = lanes.parse()?;
    }
    let start = Instant::now();
    let out = compress(&model, &settings, &content, &|_| {})?;
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
    let start = Instant::now();
    let back = decompress(&model, &out.archive, &Limits::default(), &|_| {})?;
    println!(
        "{} in {:.2} s",
        if back == content {
            "the same bytes came back"
        } else {
            "OTHER BYTES CAME BACK"
        },
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
