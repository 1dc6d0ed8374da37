//! Whole training runs: reproducible, resumable, and consistent with the scores.

use brevity_kernels::simd::InstructionSet;
use brevity_model::{Activation, Norm, Placement, Position, Spec, Transformer, Weights};
use brevity_train::{
    Control, DeviceKind, OptimizerKind, Order, Outcome, ScheduleKind, Stop, TrainConfig,
    TrainError, TrainSetup, checkpoint_path, evaluate, run,
};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

const STEPS: u64 = 6;

/// Learnable data, with a tail shorter than a sequence.
fn data() -> Vec<u8> {
    let words: [&[u8]; 4] = [b"bits ", b"and ", b"bytes, ", b"or less; "];
    (0..300u32)
        .flat_map(|i| words[(i * i / 3 % 4) as usize])
        .copied()
        .collect()
}

/// Tiny specs that cover every variant.
fn specs() -> Vec<(&'static str, Spec)> {
    let brevity = Spec::brevity(16, 2, 2, 24);
    let lmic = Spec::lmic(16, 2, 2, 24);
    vec![
        ("brevity", brevity.clone()),
        (
            "window, swiglu, biases",
            Spec {
                window: Some(10),
                activation: Activation::Swiglu,
                mlp_bias: true,
                attention_bias: true,
                ..brevity.clone()
            },
        ),
        (
            "learned positions, layer norm, untied, erf",
            Spec {
                position: Position::Learned,
                norm: Norm::Layer,
                activation: Activation::GeluErf,
                tied: false,
                output_bias: false,
                qk_norm: false,
                ..brevity.clone()
            },
        ),
        (
            "lags",
            Spec {
                lags: vec![7, 8, 20],
                ..brevity
            },
        ),
        ("lmic", lmic.clone()),
        (
            "post rms, rope",
            Spec {
                position: Position::Rope,
                norm: Norm::Rms,
                placement: Placement::Post,
                ..lmic
            },
        ),
    ]
}

fn setup(spec: &Spec) -> TrainSetup {
    TrainSetup {
        spec: spec.clone(),
        config: TrainConfig {
            steps: Some(STEPS),
            batch_bytes: 24 * 8,
            learning_rate: 0.01,
            log_steps: 2,
            checkpoint_seconds: 0.0,
            checkpoint_steps: 1,
            ..TrainConfig::default()
        },
        seed: 7,
        device: DeviceKind::Flex,
        beside: None,
    }
}

fn train(setup: &TrainSetup, folder: &Path) -> Result<Outcome, TrainError> {
    let control = Control::none();
    run(setup, &data(), folder, &control)
}

/// The bytes of the model file at the end of a run.
fn model(setup: &TrainSetup) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let outcome = train(setup, folder.path()).unwrap();
    let Outcome::Finished { weights, .. } = outcome else {
        panic!("nobody stopped it")
    };
    let path = folder.path().join("model.safetensors");
    assert_eq!(Weights::load(&path).unwrap(), weights);
    assert!(!checkpoint_path(folder.path()).exists());
    fs::read(path).unwrap()
}

fn on_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(f)
}

/// Every variant with each optimizer, with hyperparameters that take different paths
/// through the code.
fn setups() -> Vec<(String, TrainSetup)> {
    let mut setups = Vec::new();
    for (name, spec) in specs() {
        let plain = setup(&spec);
        let muon = TrainConfig {
            optimizer: OptimizerKind::Muon,
            ema: 0.9,
            order: Order::Random,
            ..plain.config.clone()
        };
        let adamw = TrainConfig {
            optimizer: OptimizerKind::Adamw,
            schedule: ScheduleKind::Cosine,
            accumulation: 2,
            dropout: 0.2,
            ..plain.config.clone()
        };
        let normuon = TrainConfig {
            optimizer: OptimizerKind::Normuon,
            clip: 0.1,
            ..plain.config.clone()
        };
        for (optimizer, config) in [("muon", muon), ("adamw", adamw), ("normuon", normuon)] {
            let setup = TrainSetup {
                config,
                ..plain.clone()
            };
            setups.push((format!("{optimizer}: {name}"), setup));
        }
    }
    setups
}

/// The golden hashes of these models. They change only if the arithmetic or the random
/// numbers change, which needs a line in the changelog.
#[test]
fn threads_and_instructions_change_no_bit_and_no_golden_hash() {
    let mut hashes = String::new();
    for (name, mut setup) in setups() {
        // Enough rows for several parts: 960, in 40 sequences.
        setup.config.batch_bytes = 24 * 40;
        setup.config.steps = Some(2);
        let one = on_threads(1, || model(&setup));
        for threads in [2, 8] {
            assert!(
                on_threads(threads, || model(&setup)) == one,
                "{name}: {threads} threads"
            );
        }
        let chosen = InstructionSet::current();
        InstructionSet::Portable.select();
        let portable = on_threads(2, || model(&setup));
        chosen.select();
        assert!(portable == one, "{name}: portable");
        hashes += &format!("{} {name}\n", blake3::hash(&one).to_hex());
    }
    assert_eq!(hashes, include_str!("golden/models.txt"));
}

#[test]
fn a_killed_run_ends_like_an_undisturbed_one() {
    for (which, (name, setup)) in setups().into_iter().enumerate() {
        let undisturbed = model(&setup);
        // Interrupt one variant at each step, the others at one step.
        let some = 1 + which as u64 % STEPS;
        let kills = if name.ends_with("lmic") {
            1..=STEPS
        } else {
            some..=some
        };
        for kill in kills {
            let folder = tempfile::tempdir().unwrap();
            let stop = Stop::new();
            let control = Control {
                stop: &stop,
                progress: &|p| assert!(p.done != kill, "killed"),
            };
            let killed = catch_unwind(AssertUnwindSafe(|| {
                run(&setup, &data(), folder.path(), &control)
            }));
            assert!(killed.is_err());
            train(&setup, folder.path()).unwrap();
            let model = fs::read(folder.path().join("model.safetensors")).unwrap();
            assert!(model == undisturbed, "{name}: killed at {kill}");
            let metrics = fs::read_to_string(folder.path().join("metrics.jsonl")).unwrap();
            assert_eq!(metrics.lines().count(), 3, "{metrics}");
        }
    }
}

#[test]
fn a_run_that_is_told_to_stop_continues_later() {
    let (_, spec) = specs().swap_remove(0);
    let mut setup = setup(&spec);
    setup.config.checkpoint_steps = 0;
    let undisturbed = model(&setup);
    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::new();
    let control = Control {
        stop: &stop,
        progress: &|p| {
            if p.done == 3 {
                stop.set();
            }
        },
    };
    let outcome = run(&setup, &data(), folder.path(), &control).unwrap();
    assert_eq!(outcome, Outcome::Interrupted { step: 3 });

    // A checkpoint of another run is refused.
    let mut other = setup.clone();
    other.config.learning_rate = 0.5;
    let error = train(&other, folder.path()).unwrap_err().to_string();
    let expected = "belongs to another run: `train.learning_rate` is 0.01 there and 0.5 here";
    assert!(error.contains(expected), "{error}");
    let mut other = setup.clone();
    other.spec.layers = 3;
    let error = train(&other, folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("`model.layers` is 2 there and 3 here"),
        "{error}"
    );

    // The checkpoint interval may change.
    setup.config.checkpoint_steps = 4;
    train(&setup, folder.path()).unwrap();
    let model = fs::read(folder.path().join("model.safetensors")).unwrap();
    assert!(model == undisturbed);
}

#[test]
fn a_damaged_checkpoint_is_named() {
    let (_, spec) = specs().swap_remove(0);
    let setup = setup(&spec);
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_path(folder.path());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, b"not a checkpoint, but long enough to look at").unwrap();
    let error = train(&setup, folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("state.bin") && error.contains("delete it"),
        "{error}"
    );
}

#[test]
fn scoring_agrees_with_the_loss() {
    for (name, spec) in specs() {
        let setup = TrainSetup {
            spec: Spec {
                window: None,
                ..spec
            },
            ..setup(&Spec::brevity(16, 2, 2, 24))
        };
        let folder = tempfile::tempdir().unwrap();
        let Outcome::Finished { weights, .. } = train(&setup, folder.path()).unwrap() else {
            panic!("nobody stopped it")
        };
        let data = data();
        let loss = evaluate(&weights, DeviceKind::Flex, &data).unwrap();
        let model = Transformer::new(&weights);
        let mut state = model.state(1);
        let inputs: Vec<u8> = (0..data.len())
            .map(|at| if at % 24 == 0 { 0 } else { data[at - 1] })
            .collect();
        let mut logits = vec![0.0; data.len() * 256];
        model
            .forward(&mut state, &inputs, data.len(), &mut logits)
            .unwrap();
        let nats: f64 = logits
            .chunks_exact(256)
            .zip(&data)
            .map(|(row, &target)| {
                let max = row.iter().fold(f32::MIN, |a, &b| a.max(b));
                let sum: f64 = row.iter().map(|&x| f64::from(x - max).exp()).sum();
                sum.ln() - f64::from(row[usize::from(target)] - max)
            })
            .sum();
        let bits = nats / data.len() as f64 / std::f64::consts::LN_2;
        assert!((loss - bits).abs() < 1e-5, "{name}: {loss} {bits}");
    }
}

#[test]
fn every_variant_learns() {
    for (name, spec) in specs() {
        let mut setup = setup(&spec);
        setup.config.steps = Some(40);
        setup.config.checkpoint_steps = 0;
        let folder = tempfile::tempdir().unwrap();
        let Outcome::Finished { metrics, .. } = train(&setup, folder.path()).unwrap() else {
            panic!("nobody stopped it")
        };
        assert!(metrics.loss < 4.0, "{name}: {}", metrics.loss);
    }
}

#[test]
fn bad_runs_are_refused() {
    let spec = Spec::brevity(16, 2, 2, 4096);
    let folder = tempfile::tempdir().unwrap();
    let error = train(&setup(&spec), folder.path()).unwrap_err();
    assert!(matches!(error, TrainError::TooShort { context: 4096, .. }));

    let (_, spec) = specs().swap_remove(0);
    let mut wild = setup(&spec);
    wild.config.learning_rate = 1e30;
    wild.config.clip = 0.0;
    let error = train(&wild, folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("diverged") || error.contains("holds"),
        "{error}"
    );
}

/// The oldest golden run. It was recorded before a thread took its rows through whole
/// layers.
#[test]
fn the_golden_run_has_its_hash() {
    let (_, spec) = specs().swap_remove(0);
    let mut setup = setup(&spec);
    setup.config.optimizer = OptimizerKind::Muon;
    let hash = blake3::hash(&model(&setup));
    assert_eq!(
        hash.to_hex().as_str(),
        "fdc4c2040a1602aa0e9835e1ede7a6a8b177ee83a3e5bf48927a236456ceb7c4"
    );
}
