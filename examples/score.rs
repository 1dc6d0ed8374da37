//! What a file takes under a trained model: exact code length, and the bytes of an
//! archive that was decoded again.
//!
//! `cargo run --release --example score -- MODEL.safetensors FILE`; without arguments, a
//! small model is trained for some steps on this very source file.

use brevity::length::Regime;
use brevity::measure::{Archives, InProcess, StoredModel, measure};
use brevity::train::{DeviceKind, MODEL, run};
use brevity::{Control, Spec, Stop, TrainConfig, TrainSetup, Weights};
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (model, data) = match (arguments.next(), arguments.next()) {
        (Some(model), Some(file)) => (model, std::fs::read(file)?),
        _ => {
            let data = include_bytes!("score.rs").to_vec();
            let config = TrainConfig {
                steps: Some(100),
                ..TrainConfig::default()
            };
            let spec = Spec::aspect(16, 64);
            let setup = TrainSetup {
                spec,
                config,
                seed: 0,
                device: DeviceKind::Flex,
            };
            run(&setup, &data, folder.path(), &Control::none())?;
            (folder.path().join(MODEL), data)
        }
    };
    let stop = Stop::new();
    let stored = StoredModel::for_data(Weights::load(&model)?, &data, &stop)?;
    let decoder = InProcess::default();
    let name = "score";
    let archives = Archives {
        folder: folder.path(),
        name,
        model: &model,
        decoder: &decoder,
    };
    // Nothing is known of what the model has seen.
    let trained_on = data.len() as u64;
    let found = measure(
        &stored,
        &data,
        Regime::Overlap,
        trained_on,
        Some(&archives),
        &stop,
    )?;
    println!(
        "{} bytes at {:.3} bits a byte",
        data.len(),
        found.bits_per_byte()
    );
    for code in found.codes() {
        let (coded, model) = (code.coded_bytes, code.model_bytes);
        println!(
            "{}: {coded} bytes coded, {model} of the model",
            code.convention
        );
    }
    println!(
        "archives were decoded to the same bytes: {}",
        found.is_decoded()
    );
    Ok(())
}
