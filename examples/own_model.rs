//! Compresses a file with a model trained on it, if that is shorter.
//!
//! `cargo run --release --example own_model -- FILE`; without an argument, bytes are
//! generated in which each follows from the byte five places before, and a small model is
//! requested.

use brevity::codec::archive::Options;
use brevity::pack::{Budget, OwnModel, Verdict, compress_with_own_model, decompress};
use brevity::{Control, Progress, Stop};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = OwnModel::default();
    let data = match std::env::args_os().nth(1) {
        Some(file) => std::fs::read(file)?,
        None => {
            let archive = Options {
                block: 1 << 20,
                ..options.archive
            };
            let budget = Budget::Epochs(2.0);
            options = OwnModel {
                size: Some(4000),
                budget,
                archive,
                ..options
            };
            let mut data = b"ABCDE".to_vec();
            while data.len() < 60_000 {
                let five_back = data[data.len() - 5] - b'A';
                let noise = u8::from(data.len().is_multiple_of(17));
                data.push(b'A' + (five_back * 5 + 7 + noise) % 32);
            }
            data
        }
    };
    let folder = tempfile::tempdir()?;
    let stop = Stop::new();
    let progress = |at: Progress<'_>| eprint!("\r{} {} of {}   ", at.what, at.done, at.of);
    let control = Control {
        stop: &stop,
        progress: &progress,
    };
    let training = folder.path().join("training");
    let packed = compress_with_own_model(&data, &training, &options, &control, &|_| {})?
        .expect("nobody stopped it");
    assert_eq!(decompress(&packed.archive)?, data);
    eprintln!();
    println!("{} bytes without a model", packed.plain.stored);
    match &packed.verdict {
        Verdict::Trained { summary, parts, .. } => {
            println!(
                "{} bytes with one, which takes {}",
                summary.stored, parts.model_bytes
            );
        }
        _ => println!("no model was expected to pay"),
    }
    println!("{} bytes to {}", data.len(), packed.archive.len());
    Ok(packed.forget_training()?)
}
