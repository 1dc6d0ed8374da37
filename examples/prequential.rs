//! The prequential code of a file: every byte is coded by a model that has learned only
//! from the bytes before it, so that no model bytes are needed.
//!
//! `cargo run --release --example prequential -- FILE`; without an argument, the file is
//! this source file.

use brevity::train::online::{Recipe, prequential};
use brevity::{Control, Progress, Spec, Stop};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = match std::env::args_os().nth(1) {
        Some(file) => std::fs::read(file)?,
        None => include_bytes!("prequential.rs").to_vec(),
    };
    let recipe = Recipe::for_spec(Spec::aspect(32, 256))?;
    let stop = Stop::new();
    let progress = |at: Progress<'_>| {
        eprint!("\r{} of {} steps   ", at.done, at.of);
    };
    let control = Control {
        stop: &stop,
        progress: &progress,
    };
    let length = prequential(&recipe, &data, &control)?.expect("nobody stopped it");
    eprintln!();
    println!(
        "{} bytes at {:.3} bits per byte",
        data.len(),
        length.bits_per_byte()
    );
    println!(
        "the recipe takes {} bytes; rate {:.2}%",
        length.recipe_bytes,
        100.0 * length.rate()
    );
    for point in length
        .curve
        .iter()
        .step_by(length.curve.len().div_ceil(8).max(1))
    {
        let mean = point.bits / point.bytes as f64;
        println!("  the first {} bytes: {mean:.3} bits per byte", point.bytes);
    }
    Ok(())
}
