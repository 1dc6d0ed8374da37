//! Training beside context models: reproducible, resumable, and its loss is what the
//! mixture's code pays.

use brevity_codec::archive::{Models, Options, Source, compress, decompress};
use brevity_codec::weights::{self, Plan, Precision};
use brevity_codec::{Contexts, Gates, Level, Method, score_beside};
use brevity_model::{Spec, Weights};
use brevity_train::online::{LearningModel, OnlineConfig, Recipe};
use brevity_train::{
    Control, DeviceKind, Outcome, QuantiseConfig, Stop, TrainConfig, TrainError, TrainSetup, run,
};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Words in an order that is hard to guess, and a tail shorter than a sequence.
fn data() -> Vec<u8> {
    let words = ["bits ", "and ", "bytes, ", "or less; ", "more ", "no\n"];
    let mut state = 1_u32;
    let mut data = Vec::new();
    while data.len() < 24 * 200 + 7 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        data.extend(words[(state >> 24) as usize % words.len()].bytes());
    }
    data.truncate(24 * 200 + 7);
    data
}

fn setup(steps: u64) -> TrainSetup {
    let contexts = Contexts::of(&data(), Level::Default, 1 << 20, &|_| true);
    TrainSetup {
        spec: Spec::brevity(16, 2, 2, 24),
        config: TrainConfig {
            steps: Some(steps),
            batch_bytes: 24 * 40,
            log_steps: 2,
            checkpoint_seconds: 0.0,
            checkpoint_steps: 1,
            quantise: QuantiseConfig {
                share: 0.4,
                bits: None,
            },
            ..TrainConfig::default()
        },
        seed: 7,
        device: DeviceKind::Flex,
        beside: contexts.map(Arc::new),
    }
}

fn train(setup: &TrainSetup, folder: &Path) -> (Weights, f64) {
    let outcome = run(setup, &data(), folder, &Control::none()).unwrap();
    match outcome {
        Outcome::Finished { weights, metrics } => (weights, metrics.loss),
        Outcome::Interrupted { .. } => panic!("nobody stopped it"),
    }
}

#[test]
fn a_run_beside_context_models_repeats_with_any_threads_and_after_a_stop() {
    let setup = setup(6);
    let trained = |threads: usize| {
        let folder = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        let (weights, _) = pool.install(|| train(&setup, folder.path()));
        let file = folder.path().join("model.safetensors");
        assert_eq!(Weights::load(&file).unwrap(), weights);
        (fs::read(file).unwrap(), weights)
    };
    let (one, weights) = trained(1);
    assert!(trained(3).0 == one);
    let gates = weights.gates().expect("gates of the mixture");
    assert!(*gates != Gates::ALONE.values());

    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::new();
    let control = Control {
        stop: &stop,
        progress: &|at| {
            if at.done == 4 {
                stop.set();
            }
        },
    };
    let outcome = run(&setup, &data(), folder.path(), &control).unwrap();
    assert_eq!(outcome, Outcome::Interrupted { step: 4 });

    // Other context models are another run.
    let other = Contexts::of(&data(), Level::Fast, 1 << 20, &|_| true);
    let other = TrainSetup {
        beside: other.map(Arc::new),
        ..setup.clone()
    };
    let error = run(&other, &data(), folder.path(), &Control::none()).unwrap_err();
    assert!(
        error.to_string().contains("`beside.level` is 5 there"),
        "{error}"
    );

    train(&setup, folder.path());
    assert!(fs::read(folder.path().join("model.safetensors")).unwrap() == one);
}

#[test]
fn the_loss_is_what_the_mixture_pays() {
    // Steps over all whole sequences, too small to change anything; at the last one the
    // loss is the mixture's but for a thousandth.
    let mut setup = setup(10);
    setup.config.log_steps = 1;
    setup.config.learning_rate = 1e-12;
    setup.config.batch_bytes = 24 * 200;
    setup.config.quantise.share = 0.0;
    let whole = 24 * 200;
    let data = &data()[..whole];
    let contexts = setup
        .beside
        .as_ref()
        .unwrap()
        .parts(std::iter::once(0..whole));
    setup.beside = Some(Arc::new(contexts));
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(&setup, data, folder.path(), &Control::none()).unwrap();
    let Outcome::Finished { weights, metrics } = outcome else {
        panic!("nobody stopped it")
    };
    let contexts = setup.beside.as_ref().unwrap();
    let paid = score_beside(&weights, data, contexts)
        .unwrap()
        .bits_per_byte();
    // The coder's gate learns on, which is worth something.
    let ratio = paid / metrics.loss;
    assert!((0.9..1.01).contains(&ratio), "{paid} {}", metrics.loss);
}

#[test]
fn a_trained_model_helps_context_models() {
    let mut setup = setup(60);
    setup.config.checkpoint_steps = 0;
    let folder = tempfile::tempdir().unwrap();
    let (weights, _) = train(&setup, folder.path());
    let contexts = setup.beside.as_ref().unwrap();
    let mixed = score_beside(&weights, &data(), contexts).unwrap().bits;
    assert!(mixed < contexts.bits(), "{mixed} {}", contexts.bits());
}

#[test]
fn context_models_of_other_data_are_refused() {
    let mut setup = setup(1);
    let contexts = Contexts::of(b"of something else", Level::Fast, 1 << 20, &|_| true);
    setup.beside = contexts.map(Arc::new);
    let folder = tempfile::tempdir().unwrap();
    let error = run(&setup, &data(), folder.path(), &Control::none()).unwrap_err();
    assert!(
        matches!(error, TrainError::Beside { beside: 17, .. }),
        "{error}"
    );
}

fn recipe(lanes: u32) -> Recipe {
    let online = OnlineConfig {
        lanes,
        window: 8,
        replay: 1,
        batch_bytes: 96,
        floor: 0,
        ..OnlineConfig::default()
    };
    let recipe = Recipe::new(setup(1).spec, 3, &TrainConfig::default(), online);
    recipe.unwrap().beside_contexts()
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(work)
}

/// Archives the data, decodes them with other threads, and returns the archive's length.
fn archived(source: &Source<'_>) -> usize {
    let mut archive = Vec::new();
    let options = Options {
        block: 2900,
        ..Options::default()
    };
    on_threads(1, || {
        compress(&data()[..], &mut archive, source, &options, &|_| {}).unwrap();
    });
    let models = Models {
        recipe: Some(&LearningModel::follow),
        ..Models::default()
    };
    let mut back = Vec::new();
    on_threads(3, || decompress(&archive[..], &mut back, &models, &|_| {})).unwrap();
    assert!(back == data());
    archive.len()
}

#[test]
fn a_model_that_learns_beside_context_models_decodes_on_other_threads() {
    for lanes in [1, 4] {
        let recipe = recipe(lanes);
        let model = LearningModel::new(recipe.clone()).unwrap();
        archived(&Source::recipe(recipe.to_bytes(), Box::new(model)));
    }
}

#[test]
fn a_trained_model_goes_on_learning_while_it_codes() {
    let mut setup = setup(60);
    setup.config.checkpoint_steps = 0;
    let folder = tempfile::tempdir().unwrap();
    let (weights, _) = train(&setup, folder.path());
    let plan = Plan::lossless(&weights).expect("weights trained to be stored");
    let recipe = recipe(1);
    let mut stored = recipe.to_bytes();
    stored.extend(weights::encode(&weights, &plan));
    let gates = *weights.gates().unwrap();
    let start = weights::quantise(&weights, &plan).with_gates(None).unwrap();
    let model = LearningModel::new(recipe.clone()).unwrap();
    let model = model.starting_with(start).unwrap();
    let source = Source::recipe(stored.clone(), Box::new(model)).with_gates(&gates);
    archived(&source);

    // Weights of another spec, and no weights at all.
    let other = Weights::from_fn(Spec::brevity(8, 1, 1, 24), |info| vec![0.0; info.len()]);
    let other = other.unwrap();
    let plan = Plan::new(&other, Precision::Int8);
    let bytes = [recipe.to_bytes(), weights::encode(&other, &plan)].concat();
    let error = LearningModel::follow(&bytes).err().unwrap();
    assert!(error.contains("another one than the recipe's"), "{error}");
    stored.truncate(recipe.to_bytes().len() + 1);
    assert!(LearningModel::follow(&stored).is_err());
}

#[test]
fn a_block_without_context_models_is_refused_by_a_model_that_learns_beside_them() {
    let recipe = recipe(1);
    let model = LearningModel::new(recipe.clone()).unwrap();
    let source = Source::recipe(recipe.to_bytes(), Box::new(model));
    let options = Options {
        method: Some(Method::Model),
        ..Options::default()
    };
    let error = compress(&data()[..], &mut Vec::new(), &source, &options, &|_| {});
    let error = brevity_task::chain(&error.unwrap_err()).to_string();
    assert!(error.contains("learns beside context models"), "{error}");
}
