//! The length of a file under a trained model: the exact code length, and the bytes of a
//! decoded archive.
//!
//! `cargo run --release --example score -- MODEL.safetensors FILE`; without arguments, a
//! small model is trained for some steps on this source file.

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
                beside: None,
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
    // The training bytes of the model are not known here, so the model is charged to
    // these bytes alone.
    let regime = Regime::Unknown;
    let found = measure(&stored, &data, regime, 0, Some(&archives), &stop)?;
    println!(
        "{} bytes at {:.3} bits per byte",
        found.scored().bytes,
        found.bits_per_byte()
    );
    for code in found.codes() {
        let name = code.convention.as_str();
        println!(
            "{name}: {} bytes of data, {} of model, adjusted rate {:.2}%",
            code.coded_bytes,
            code.model_bytes,
            100.0 * found.adjusted_rate(name).unwrap_or_default()
        );
    }
    println!("decoded: {}", found.is_decoded());
    Ok(())
}
