//! The online learner gives the same code in every way of computing it.

use brevity_codec::archive::{Models, Options, Source, compress, decompress, inspect};
use brevity_codec::predict::{Model, Predictor, Priced};
use brevity_codec::{Frequencies, Layout, Method};
use brevity_data::Generator;
use brevity_model::Spec;
use brevity_train::online::{
    LearningModel, OnlineConfig, PrequentialLength, Recipe, blockwise, fixed, prequential,
};
use brevity_train::{Control, DeviceKind, Stop, TrainConfig, TrainSetup};
use std::path::Path;

fn recipe() -> Recipe {
    let online = OnlineConfig {
        lanes: 4,
        window: 16,
        replay: 1,
        batch_bytes: 256,
        ..OnlineConfig::default()
    };
    let train = TrainConfig {
        ema: 0.9,
        ..TrainConfig::default()
    };
    Recipe::new(Spec::brevity(16, 1, 1, 32), 3, &train, online).unwrap()
}

fn text(length: usize) -> Vec<u8> {
    let words = ["sea ", "shells ", "she ", "sells, ", "shore. ", "\n"];
    (0_usize..)
        .flat_map(|i| words[i * i % 7 % 6].bytes())
        .take(length)
        .collect()
}

fn length(recipe: &Recipe, bytes: &[u8]) -> PrequentialLength {
    let control = Control::none();
    let length = prequential(recipe, bytes, &control).unwrap();
    length.expect("nobody stopped it")
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(work)
}

/// Like a decoder: one step at a time; each byte is known only after its price.
fn step_by_step(predictor: &mut dyn Predictor, bytes: &[u8], layout: &Layout) -> Vec<Priced> {
    let lanes = layout.lanes();
    let mut out = vec![Priced::default(); bytes.len()];
    let mut next = vec![Frequencies::default(); lanes];
    for step in 0..layout.steps() {
        predictor.predict(&mut next).unwrap();
        let mut column = vec![0; lanes];
        for lane in 0..layout.active(step) {
            let at = layout.range(lane).start + step;
            column[lane] = bytes[at];
            out[at] = Priced::new(&next[lane], bytes[at]);
        }
        predictor.update(&column).unwrap();
    }
    out
}

/// Like an encoder: slices of any length, with all bytes known.
fn in_slices(
    predictor: &mut dyn Predictor,
    bytes: &[u8],
    layout: &Layout,
    slice: usize,
) -> Vec<Priced> {
    let mut out = vec![Priced::default(); bytes.len()];
    let mut first = 0;
    while first < layout.steps() {
        let steps = slice.min(layout.steps() - first);
        let mut column = Vec::new();
        for lane in 0..layout.lanes() {
            let known = &bytes[layout.range(lane)];
            column.extend((first..first + steps).map(|s| known.get(s).copied().unwrap_or(0)));
        }
        let mut priced = vec![Priced::default(); column.len()];
        predictor.price(&column, steps, &mut priced).unwrap();
        for lane in 0..layout.lanes() {
            let range = layout.range(lane);
            let end = range.end.min(range.start + first + steps);
            let start = end.min(range.start + first);
            out[start..end].copy_from_slice(&priced[lane * steps..][..end - start]);
        }
        first += steps;
    }
    out
}

#[test]
fn prices_do_not_depend_on_how_the_steps_are_cut() {
    let model = LearningModel::new(recipe()).unwrap();
    for bytes in [text(1), text(3), text(403), text(430)] {
        let layout = Layout::new(bytes.len(), 1, model.lanes());
        let expected = step_by_step(&mut *model.start(&layout), &bytes, &layout);
        for (slice, threads) in [(1, 1), (7, 2), (16, 1), (1000, 3)] {
            let found = with_threads(threads, || {
                in_slices(&mut *model.start(&layout), &bytes, &layout, slice)
            });
            assert!(found == expected, "{} bytes in {slice}s", bytes.len());
        }
    }
}

#[test]
fn the_length_is_that_of_an_archive_which_decodes_with_other_threads() {
    let bytes = text(3001);
    let recipe = recipe();
    let length = length(&recipe, &bytes);
    assert!(length.bits_per_byte() < 5.0, "{}", length.bits_per_byte());
    let sum: f64 = length.lengths.iter().map(|&b| f64::from(b)).sum();
    assert!((sum - length.bits).abs() < 0.1);

    let model = LearningModel::new(recipe.clone()).unwrap();
    let source = Source::recipe(recipe.to_bytes(), Box::new(model));
    for method in [Method::Model, Method::Mixed] {
        let options = Options {
            method: Some(method),
            ..Options::default()
        };
        let mut archive = Vec::new();
        with_threads(3, || {
            compress(&bytes[..], &mut archive, &source, &options, &|_| {})
        })
        .unwrap();
        if method == Method::Model {
            let payload = inspect(&archive[..]).unwrap().payload();
            assert!(payload.abs_diff((length.bits / 8.0) as u64) <= 2);
        }
        let models = Models {
            recipe: Some(&LearningModel::follow),
            ..Models::default()
        };
        let mut back = Vec::new();
        with_threads(1, || decompress(&archive[..], &mut back, &models, &|_| {})).unwrap();
        assert!(back == bytes, "{}", method.name());
    }
}

#[test]
fn the_future_changes_no_price() {
    let recipe = recipe();
    let mut bytes = text(1200);
    let before = length(&recipe, &bytes).lengths;
    // The last byte of the first lane: step 299 of 300.
    bytes[299] ^= 1;
    let after = length(&recipe, &bytes).lengths;
    let lane = |i: usize| i / 300;
    for i in (0..1200).filter(|&i| i != 299) {
        assert!(before[i] == after[i], "byte {i} of lane {}", lane(i));
    }
    assert!(before[299] != after[299]);
}

#[test]
fn nothing_is_known_at_first_and_no_byte_costs_more_than_the_floor_allows() {
    let length = length(&recipe(), &text(800));
    // The first window has two steps of four lanes of 200.
    for lane in 0..4 {
        assert_eq!(length.lengths[lane * 200..][..2], [8.0, 8.0]);
    }
    assert!(length.lengths.iter().all(|&bits| bits <= 20.0));
    let first = length.curve[0];
    assert_eq!((first.bytes, first.bits), (8, 64.0));
}

#[test]
fn random_bytes_cost_at_least_themselves() {
    let noise = Generator::Random.bytes(5, 0..6000);
    for replay in [0, 2] {
        let online = OnlineConfig {
            replay,
            ..recipe().online().clone()
        };
        let train = TrainConfig::default();
        let recipe = Recipe::new(recipe().spec().clone(), 1, &train, online).unwrap();
        let length = length(&recipe, &noise);
        assert!(length.rate() >= 1.0, "{}", length.rate());
        assert!(length.bits >= 8.0 * 6000.0, "{}", length.bits_per_byte());
    }
}

#[test]
fn no_bytes_cost_nothing() {
    let length = length(&recipe(), &[]);
    assert_eq!((length.bits, length.curve.len()), (0.0, 0));
}

#[test]
fn a_block_wise_code_starts_anew_and_goes_on_where_it_stopped() {
    let bytes = text(5000);
    let setup = TrainSetup {
        spec: recipe().spec().clone(),
        config: TrainConfig {
            epochs: Some(4.0),
            batch_bytes: 256,
            ..TrainConfig::default()
        },
        seed: 0,
        device: DeviceKind::Flex,
        beside: None,
    };
    let run = |folder: &Path, bytes: &[u8], stop: bool| {
        let asked = Stop::new();
        if stop {
            asked.set();
        }
        let control = Control::silent(&asked);
        blockwise(&setup, recipe().online(), 1024, bytes, 99, folder, &control).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let whole = run(&runs, &bytes, false).unwrap();
    assert!(!runs.exists(), "nothing is left behind");
    assert_eq!(whole.lengths[..1024], [8.0; 1024]);
    assert_eq!(whole.curve[0].bytes, 1024);
    assert!(whole.bits_per_byte() < 6.0, "{}", whole.bits_per_byte());
    assert!((whole.rate() - (whole.bits / 8.0 + 99.0) / 5000.0).abs() < 1e-12);

    // A block does not depend on the bytes after it.
    let front = run(&runs, &bytes[..2048], false).unwrap();
    assert_eq!(front.lengths[..], whole.lengths[..2048]);

    // One training is already finished when the run is stopped.
    let first = runs.join("1024");
    let control = Control::none();
    brevity_train::run(&setup, &bytes[..1024], &first, &control).unwrap();
    assert!(run(&runs, &bytes, true).is_none());
    assert_eq!(run(&runs, &bytes, false).unwrap(), whole);
}

#[test]
fn a_model_that_is_done_learning_needs_less_for_what_it_learned() {
    let bytes = text(4000);
    let recipe = recipe();
    let length = length(&recipe, &bytes);
    let stop = Stop::new();
    let bits = fixed(&length.weights, recipe.online(), &bytes, &stop).unwrap();
    assert!(bits.unwrap() < length.bits);
}
