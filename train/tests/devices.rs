//! Training on the devices that cargo features add.

#![cfg(feature = "ndarray")]

use brevity_model::{Spec, Weights};
use brevity_train::{Control, DeviceKind, Outcome, TrainConfig, TrainSetup, run};
use std::sync::atomic::AtomicBool;

fn train(spec: &Spec, device: DeviceKind) -> Weights {
    let data = b"the same kernels run under both of burn's CPU backends; ".repeat(20);
    let setup = TrainSetup {
        spec: spec.clone(),
        config: TrainConfig {
            steps: Some(6),
            batch_bytes: 128,
            ..TrainConfig::default()
        },
        seed: 3,
        device,
    };
    let folder = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let control = Control {
        stop: &stop,
        progress: &|_| {},
    };
    match run(&setup, &data, folder.path(), &control).unwrap() {
        Outcome::Finished { weights, .. } => weights,
        Outcome::Interrupted { .. } => unreachable!("nobody stopped it"),
    }
}

#[test]
fn ndarray_and_flex_train_the_same_bits() {
    for spec in [Spec::brevity(16, 2, 2, 32), Spec::lmic(16, 1, 2, 32)] {
        let flex = train(&spec, DeviceKind::Flex);
        let ndarray = train(&spec, DeviceKind::Ndarray);
        for ((info, a), (_, b)) in flex.iter().zip(ndarray.iter()) {
            assert!(
                a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()),
                "{} differs",
                info.name
            );
        }
    }
}
