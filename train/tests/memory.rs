//! The memory of training, counted from spec and config, against what the allocator
//! sees. A program of its own: nothing else may allocate meanwhile.

use brevity_codec::Layout;
use brevity_codec::predict::{LstmModel, LstmRecipe, Model, Priced};
use brevity_model::{Activation, Norm, Placement, Position, Spec};
use brevity_train::online::{LearningModel, OnlineConfig, Recipe};
use brevity_train::{Control, DeviceKind, Stop, TrainConfig, TrainSetup, run};
use peak_alloc::PeakAlloc;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The most memory that `work` has in use beyond what there was.
fn peak(work: impl FnOnce()) -> u64 {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    work();
    (ALLOCATOR.peak_usage() - before) as u64
}

fn random_spec(rng: &mut ChaCha8Rng) -> Spec {
    let mut below = |n: u32| (rng.next_u32() % n) as usize;
    let position = [Position::Rope, Position::Sinusoidal, Position::Learned][below(3)];
    let heads = 1 << below(3);
    let width = heads * 2 * (1 + below(8));
    let context = 1 << (4 + below(6));
    let window = (position == Position::Rope && below(2) == 0).then(|| 1 + below(context as u32));
    let activations = [Activation::Gelu, Activation::Relu2, Activation::Swiglu];
    Spec {
        width,
        layers: 1 + below(4),
        heads,
        hidden: 1 + below(200),
        taps: below(4),
        lags: Vec::new(),
        context,
        window,
        norm: [Norm::Layer, Norm::Rms][below(2)],
        placement: [Placement::Pre, Placement::Post][below(2)],
        position,
        activation: activations[below(3)],
        mlp_bias: below(2) == 0,
        attention_bias: below(2) == 0,
        output_bias: below(2) == 0,
        tied: below(2) == 0,
        scale_embedding: below(2) == 0,
        qk_norm: below(2) == 0,
    }
}

/// One test: the counts are of the whole process.
#[test]
fn no_buffer_is_forgotten() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for case in 0..12 {
        let spec = random_spec(&mut rng);
        let mut config = TrainConfig {
            steps: Some(2),
            batch_bytes: 1 << (6 + rng.next_u32() % 11),
            dropout: f64::from(rng.next_u32() % 2) * 0.1,
            ema: f64::from(rng.next_u32() % 2) * 0.9,
            ..TrainConfig::default()
        };
        config.quantise.share = f64::from(rng.next_u32() % 2) * 0.5;
        trains_within(case, &spec, &config);

        let online = OnlineConfig {
            lanes: 1 << (rng.next_u32() % 5),
            window: 1 + rng.next_u32() % spec.context as u32,
            replay: rng.next_u32() % 3,
            batch_bytes: 1 + rng.next_u32() % 8192,
            ..OnlineConfig::default()
        };
        learns_within(case, spec, online);
    }
    for (cells, layers, horizon, lanes, contexts) in [
        (16, 1, 1024, 1, 0),
        (64, 8, 3, 1, 0),
        (192, 2, 24, 1, 0b101),
        (16, 2, 8, 64, 0b1_1111_1111),
    ] {
        lstm_within(cells, layers, horizon, lanes, contexts);
    }
    no_sum_wraps();
}

fn trains_within(case: usize, spec: &Spec, config: &TrainConfig) {
    let data = b"to be or not to be, that is the question. ".repeat(200);
    let setup = TrainSetup {
        spec: spec.clone(),
        config: config.clone(),
        seed: 1,
        device: DeviceKind::Flex,
        beside: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let used = peak(|| {
        let stop = Stop::new();
        run(&setup, &data, folder.path(), &Control::silent(&stop)).unwrap();
    });
    let counted = config.memory(spec, data.len() as u64);
    let what = format!("{case}: training takes {used} of {counted}: {config:?}, {spec:?}");
    assert!(used <= counted, "{what}");
    assert!(counted < 4 * used + (16 << 20), "{what}");
}

fn learns_within(case: usize, spec: Spec, online: OnlineConfig) {
    let recipe = Recipe::new(spec, 0, &TrainConfig::default(), online).unwrap();
    let model = LearningModel::new(recipe).unwrap();
    let layout = Layout::new(3000, 1, model.lanes());
    codes_within(&format!("{case}: {:?}", model.recipe()), &model, layout);
}

fn codes_within(case: &str, model: &dyn Model, layout: Layout) {
    let counted = model.memory(&layout);
    let used = peak(|| {
        let mut predictor = model.start(&layout);
        let bytes = vec![b'x'; layout.lanes() * layout.steps()];
        let mut priced = vec![Priced::default(); bytes.len()];
        predictor
            .price(&bytes, layout.steps(), &mut priced)
            .unwrap();
    });
    // What is priced is the caller's.
    let lent = (layout.lanes() * layout.steps() * (size_of::<Priced>() + 1)) as u64;
    let counted = counted + lent;
    let what = format!("{case}: learning takes {used} of {counted}");
    assert!(used <= counted, "{what}");
    // A short block never holds the longest sequences that are counted.
    assert!(counted < 8 * used + (64 << 20), "{what}");
}

fn lstm_within(cells: usize, layers: usize, horizon: usize, lanes: usize, contexts: u16) {
    let recipe = LstmRecipe {
        cells,
        layers,
        horizon,
        contexts,
        rows_log2: if contexts == 0 { 0 } else { 9 },
        rate: 0.01,
    };
    let model = LstmModel::new(recipe).unwrap();
    let layout = Layout::new(3000, 1, lanes);
    codes_within(&format!("{recipe:?}, {lanes} lanes"), &model, layout);
}

/// The largest recipe and batch that there can be.
fn no_sum_wraps() {
    let spec = Spec {
        width: 1 << 14,
        layers: 1,
        heads: 1 << 9,
        hidden: 1 << 14,
        taps: 0,
        context: 1 << 20,
        activation: Activation::Swiglu,
        ..Spec::brevity(16, 1, 1, 64)
    };
    let config = TrainConfig {
        batch_bytes: 1 << 30,
        ..TrainConfig::default()
    };
    assert!(config.memory(&spec, u64::MAX / 2) > 1 << 50);
    let online = OnlineConfig {
        lanes: 1 << 12,
        window: 1,
        batch_bytes: 1 << 22,
        ..OnlineConfig::default()
    };
    let recipe = Recipe::new(spec, 0, &TrainConfig::default(), online).unwrap();
    let layout = Layout::new(1 << 26, 1, 1 << 12);
    assert!(recipe.memory(&layout) > 1 << 40);
    assert!(recipe.operations(&layout) > 1e18);
}
