//! Selects a model by description length: the one for which model and coded data together
//! are shortest.
//!
//! `cargo run --release --example select -- FILE`; without an argument, the file is this
//! project's README.

use brevity::length::Regime;
use brevity::measure::{StoredModel, measure};
use brevity::train::{DeviceKind, Outcome, run};
use brevity::{Control, Spec, Stop, TrainConfig, TrainSetup};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = match std::env::args_os().nth(1) {
        Some(file) => std::fs::read(file)?,
        None => include_bytes!("../README.md").to_vec(),
    };
    let stop = Stop::new();
    let mut best: Option<(u64, u64)> = None;
    for width in [8, 16, 24] {
        let setup = TrainSetup {
            spec: Spec::aspect(width, 64),
            config: TrainConfig {
                steps: Some(100),
                ..TrainConfig::default()
            },
            seed: 0,
            device: DeviceKind::Flex,
            beside: None,
        };
        let folder = tempfile::tempdir()?;
        let Outcome::Finished { weights, .. } =
            run(&setup, &data, folder.path(), &Control::silent(&stop))?
        else {
            unreachable!("nobody stopped it")
        };
        // In-sample: the model is trained on the bytes that it describes and pays for.
        let model = StoredModel::for_data(weights, &data, &stop)?;
        let bytes = data.len() as u64;
        let found = measure(&model, &data, Regime::InSample, bytes, None, &stop)?;
        let stored = found.code("stored").expect("it is always measured");
        let (coded, total) = (stored.coded_bytes, stored.coded_bytes + stored.model_bytes);
        let parameters = setup.spec.parameters();
        println!("{parameters} parameters: {coded} bytes of data, {total} with the model");
        best = best.into_iter().chain([(total, parameters)]).min();
    }
    let (total, parameters) = best.expect("there are three");
    println!(
        "shortest: {parameters} parameters, {total} of {} bytes",
        data.len()
    );
    Ok(())
}
