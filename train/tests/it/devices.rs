//! Training on the devices that cargo features enable.

#![cfg(any(feature = "ndarray", feature = "wgpu"))]

use brevity_model::{Spec, Weights};
use brevity_train::{Control, DeviceKind, Outcome, TrainConfig, TrainError, TrainSetup, run};

fn train(spec: &Spec, device: DeviceKind) -> Result<(Weights, f64), TrainError> {
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
        beside: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let control = Control::none();
    match run(&setup, &data, folder.path(), &control)? {
        Outcome::Finished { weights, metrics } => Ok((weights, metrics.loss)),
        Outcome::Interrupted { .. } => unreachable!("nobody stopped it"),
    }
}

#[cfg(feature = "ndarray")]
#[test]
fn ndarray_and_flex_train_the_same_bits() {
    for spec in [Spec::brevity(16, 2, 2, 32), Spec::lmic(16, 1, 2, 32)] {
        let (flex, _) = train(&spec, DeviceKind::Flex).unwrap();
        let (ndarray, _) = train(&spec, DeviceKind::Ndarray).unwrap();
        for ((info, a), (_, b)) in flex.iter().zip(ndarray.iter()) {
            assert!(
                a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()),
                "{} differs",
                info.name
            );
        }
    }
}

/// On a machine with a GPU, or with a driver that computes on the CPU, the losses are
/// those of the CPU up to rounding. On any other machine the device reports that it
/// cannot be opened.
#[cfg(feature = "wgpu")]
#[test]
fn a_gpu_learns_what_the_cpu_learns_or_says_that_it_is_not_there() {
    for device in [DeviceKind::Wgpu, DeviceKind::Vulkan] {
        for spec in [Spec::brevity(16, 2, 2, 32), Spec::lmic(16, 1, 2, 32)] {
            let (_, cpu) = train(&spec, DeviceKind::Flex).unwrap();
            match train(&spec, device) {
                Ok((_, gpu)) => {
                    println!("{device}: {gpu} bits per byte, flex: {cpu}");
                    assert!((gpu - cpu).abs() < 1e-3, "{device}: {gpu} and {cpu}");
                }
                Err(error) => {
                    let message = error.to_string();
                    assert!(message.contains("cannot be opened"), "{message}");
                    println!("{message}");
                }
            }
        }
    }
}
