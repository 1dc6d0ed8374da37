//! Quantisation-aware training: weights on their grid, reproducible, resumable.

use brevity_codec::weights::{self, Plan};
use brevity_codec::{Contexts, Level};
use brevity_model::{Spec, Weights};
use brevity_train::{
    Control, DeviceKind, Outcome, QuantiseConfig, Stop, TrainConfig, TrainSetup, run,
};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

const STEPS: u64 = 12;

/// Learnable data, with a tail shorter than a sequence.
fn data() -> Vec<u8> {
    let words: [&[u8]; 4] = [b"bits ", b"and ", b"bytes, ", b"or less; "];
    (0..900u32)
        .flat_map(|i| words[(i * i / 3 % 4) as usize])
        .copied()
        .collect()
}

fn setup(quantise: QuantiseConfig) -> TrainSetup {
    TrainSetup {
        spec: Spec::brevity(16, 2, 2, 24),
        config: TrainConfig {
            steps: Some(STEPS),
            batch_bytes: 24 * 8,
            checkpoint_seconds: 0.0,
            checkpoint_steps: 1,
            quantise,
            ..TrainConfig::default()
        },
        seed: 7,
        device: DeviceKind::Flex,
        beside: None,
    }
}

/// Setups that take different paths through the quantisation phase.
fn setups() -> Vec<TrainSetup> {
    let automatic = setup(QuantiseConfig {
        share: 0.6,
        bits: None,
    });
    let mut averaged = setup(QuantiseConfig {
        share: 0.4,
        bits: Some(3.0),
    });
    averaged.config.ema = 0.9;
    averaged.config.accumulation = 2;
    vec![automatic, averaged]
}

/// A setup whose quantisation steps become coarser over the first half of the phase.
fn beside() -> TrainSetup {
    let contexts = Contexts::of(&data(), Level::Fast, 1 << 20, &|_| true);
    TrainSetup {
        beside: contexts.map(Arc::new),
        ..setups().remove(0)
    }
}

fn train(setup: &TrainSetup, folder: &Path, kill: u64) -> Weights {
    let stop = Stop::new();
    let control = Control {
        stop: &stop,
        progress: &|p| assert!(p.done != kill, "killed"),
    };
    match run(setup, &data(), folder, &control).unwrap() {
        Outcome::Finished { weights, .. } => weights,
        Outcome::Interrupted { .. } => unreachable!("nobody stopped it"),
    }
}

fn trained(setup: &TrainSetup) -> Weights {
    let folder = tempfile::tempdir().unwrap();
    train(setup, folder.path(), u64::MAX)
}

#[test]
fn the_result_is_stored_without_loss() {
    for setup in setups() {
        let weights = trained(&setup);
        let plan = Plan::lossless(&weights).expect("every tensor has a grid");
        assert_eq!(weights::quantise(&weights, &plan), weights);
        let stored = weights::encode(&weights, &plan);
        assert_eq!(weights::decode(&stored).unwrap(), weights);
    }
    let exact = trained(&setup(QuantiseConfig::default()));
    assert_eq!(Plan::lossless(&exact), None);
}

#[test]
fn threads_and_kills_change_no_bit() {
    for setup in setups().into_iter().chain([beside()]) {
        let undisturbed = trained(&setup);
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let weights = pool.build().unwrap().install(|| trained(&setup));
            assert!(weights == undisturbed, "{threads} threads");
        }
        // Before the phase, at its start, while steps are chosen, after that.
        for kill in [1, 5, 6, 8, 9, 10, 12] {
            let folder = tempfile::tempdir().unwrap();
            let killed = AssertUnwindSafe(|| train(&setup, folder.path(), kill));
            assert!(catch_unwind(killed).is_err());
            train(&setup, folder.path(), u64::MAX);
            let model = fs::read(folder.path().join("model.safetensors")).unwrap();
            assert!(model == undisturbed.to_safetensors(), "killed at {kill}");
        }
    }
}

#[test]
fn bits_a_parameter_are_an_axis() {
    let stored_bits = |bits: f64| {
        let mut setup = setup(QuantiseConfig {
            share: 0.4,
            bits: Some(bits),
        });
        setup.config.steps = Some(120);
        setup.config.checkpoint_steps = 0;
        let weights = trained(&setup);
        let plan = Plan::lossless(&weights).unwrap();
        8.0 * weights::encode(&weights, &plan).len() as f64 / weights.parameters() as f64
    };
    for bits in [2.0, 4.0] {
        let stored = stored_bits(bits);
        assert!((stored - bits).abs() < 0.5, "{bits}: {stored}");
    }
}

#[test]
fn a_table_that_makes_no_sense_is_refused() {
    let error = |text: &str| {
        let config: TrainConfig = toml::from_str(text).unwrap();
        config.validate().unwrap_err().to_string()
    };
    assert_eq!(
        error("quantise.share = 1.0"),
        "train.quantise.share: 1 is not from 0 up to 1"
    );
    assert_eq!(
        error("quantise = { bits = 3.0 }"),
        "train.quantise.bits: it needs `train.quantise.share` above 0, such as 0.3"
    );
    assert_eq!(
        error("quantise = { share = 0.3, bits = 40.0 }"),
        "train.quantise.bits: 40 is not between 0.5 and 16"
    );
}
