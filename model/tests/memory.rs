//! The memory of a forward pass, counted from the spec, against what the allocator
//! sees. A program of its own: nothing else may allocate meanwhile.

use brevity_model::{Activation, Norm, Placement, Position, Spec, Transformer, Weights};
use peak_alloc::PeakAlloc;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What `work` gives, and the most memory that it has in use beyond what there was.
fn peak<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = work();
    (result, (ALLOCATOR.peak_usage() - before) as u64)
}

fn random_spec(rng: &mut ChaCha8Rng) -> Spec {
    let mut below = |n: u32| (rng.next_u32() % n) as usize;
    let position = [Position::Rope, Position::Sinusoidal, Position::Learned][below(3)];
    let heads = 1 << below(3);
    let width = heads * 2 * (1 + below(12));
    let context = 1 << (4 + below(8));
    let window = (position == Position::Rope && below(2) == 0).then(|| 1 + below(context as u32));
    let lags = match below(3) {
        0 => vec![context - 1],
        _ => Vec::new(),
    };
    let activations = [Activation::Gelu, Activation::Relu2, Activation::Swiglu];
    let spec = Spec {
        width,
        layers: 1 + below(4),
        heads,
        hidden: 1 + below(200),
        taps: below(4),
        lags,
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
    };
    spec.validate().unwrap();
    spec
}

#[test]
fn no_buffer_is_forgotten() {
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    let threads = rayon::current_num_threads();
    // Tables that are made once and kept.
    let warm = Weights::from_fn(Spec::brevity(16, 1, 1, 64), |info| vec![0.0; info.len()]);
    Transformer::new(&warm.unwrap()).state(1);
    for case in 0..60 {
        let spec = random_spec(&mut rng);
        let lanes = 1 << (rng.next_u32() % 9);
        let steps = 1 + (rng.next_u32() % 600) as usize;
        let make = || Weights::from_fn(spec.clone(), |info| vec![0.01; info.len()]).unwrap();
        let (weights, used) = peak(make);
        let counted = spec.weights_memory();
        // Made in one pass: nothing is there twice.
        assert!(
            used <= counted,
            "{case}: weights {used} > {counted}, {spec:?}"
        );

        let (model, used) = peak(|| Transformer::new(&weights));
        let counted = spec.transformer_memory();
        assert!(
            used <= counted,
            "{case}: model {used} > {counted}, {spec:?}"
        );
        assert!(
            counted < 2 * used + (1 << 16),
            "{case}: model {used} of {counted}"
        );

        let run = || {
            let mut state = model.state_for(lanes, steps);
            let mut sinks = vec![(); lanes];
            let first = steps.div_ceil(2);
            for steps in [first, steps - first] {
                let previous = vec![b'x'; lanes * steps];
                model
                    .forward_each(&mut state, &previous, steps, &mut sinks, |(), _, _| {})
                    .unwrap();
            }
        };
        let ((), used) = peak(run);
        let bytes = (lanes * steps) as u64;
        let counted = spec.state_memory(lanes, steps, threads) + bytes;
        assert!(
            used <= counted,
            "{case}: state {used} > {counted}, {lanes} lanes, {steps} steps, {spec:?}"
        );
        assert!(
            counted < 4 * used + (8 << 20),
            "{case}: state {used} of {counted}, {lanes} lanes, {steps} steps, {spec:?}"
        );
    }
}

#[test]
fn what_fits_no_memory_does_not_wrap() {
    let spec = Spec {
        width: 1 << 14,
        layers: 1 << 10,
        heads: 1 << 10,
        hidden: 1 << 16,
        context: 1 << 20,
        taps: 0,
        ..Spec::brevity(16, 1, 1, 64)
    };
    let most = spec.state_memory(1 << 15, usize::MAX, 1 << 20);
    assert!(most > 1 << 60, "{most}");
    // A window of two, and a lag of a million in each of many lanes.
    let lagging = Spec {
        context: 1 << 20,
        window: Some(2),
        lags: vec![(1 << 20) - 1],
        ..Spec::brevity(8, 1, 1, 64)
    };
    assert!(lagging.state_memory(1 << 15, 64, 1) > 1 << 35);
}
