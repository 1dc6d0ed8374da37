//! The forward pass: its values, which depend only on the weights and the earlier
//! bytes.

use crate::reference;
use crate::support::{any_spec, random_bytes, random_weights};
use brevity_kernels::simd::InstructionSet;
use brevity_model::{Activation, Role, Spec, Transformer, Weights};
use proptest::prelude::*;

/// Logits `[bytes.len(), 256]` of one lane, byte by byte.
fn stepwise(model: &Transformer, bytes: &[u8]) -> Vec<f32> {
    let mut state = model.state(1);
    let mut logits = vec![0.0; bytes.len() * 256];
    let mut previous = 77; // ignored
    for (byte, logits) in bytes.iter().zip(logits.chunks_exact_mut(256)) {
        model.forward(&mut state, &[previous], 1, logits).unwrap();
        previous = *byte;
    }
    logits
}

/// The byte before each byte, for `forward`.
fn previous(bytes: &[u8]) -> Vec<u8> {
    [&[99], &bytes[..bytes.len() - 1]].concat()
}

fn assert_same(got: &[f32], expected: &[f32], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    if let Some(at) = (0..got.len()).find(|&i| got[i].to_bits() != expected[i].to_bits()) {
        panic!("{what}: at {at}, {} is not {}", got[at], expected[at]);
    }
}

fn in_pool<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(f)
}

#[test]
fn presets_agree_with_the_reference() {
    let mut stream = Spec::aspect(32, 40);
    stream.window = Some(24);
    for spec in [Spec::lmic(32, 2, 4, 40), Spec::aspect(32, 40), stream] {
        let weights = random_weights(&spec, 3);
        let bytes = random_bytes(4, 100);
        compare(&weights, &bytes);
    }
}

fn compare(weights: &Weights, bytes: &[u8]) {
    let got = stepwise(&Transformer::new(weights), bytes);
    let expected = reference::logits(weights, bytes);
    let largest = expected.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(*got) - expected).abs();
        assert!(
            error < 1e-4 * largest,
            "row {}, symbol {}: {got}, expected {expected}",
            at / 256,
            at % 256
        );
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    // The choice holds for the whole process; the results of other tests do not
    // depend on it.
    let chosen = InstructionSet::current();
    for activation in [Activation::Gelu, Activation::GeluErf, Activation::Swiglu] {
        let mut spec = Spec::lmic(24, 2, 2, 40);
        spec.activation = activation;
        spec.qk_norm = true;
        let model = Transformer::new(&random_weights(&spec, 8));
        let bytes = random_bytes(9, 60);
        let expected = stepwise(&model, &bytes);
        for set in InstructionSet::supported() {
            set.select();
            let got = stepwise(&model, &bytes);
            chosen.select();
            assert_same(&got, &expected, &format!("{set}"));
        }
    }
}

#[test]
fn a_reset_state_is_as_new() {
    let weights = random_weights(&Spec::aspect(16, 8), 5);
    let model = Transformer::new(&weights);
    let bytes = random_bytes(6, 2 * 21);
    let mut state = model.state(2);
    let mut logits = [vec![0.0; 42 * 256], vec![0.0; 42 * 256]];
    for logits in &mut logits {
        model.forward(&mut state, &bytes, 21, logits).unwrap();
        assert_eq!(state.position(), 21);
        state.reset();
        assert_eq!(state.position(), 0);
    }
    assert_same(&logits[0], &logits[1], "after reset");
}

#[test]
fn chunks_do_not_see_each_other() {
    let weights = random_weights(&Spec::lmic(16, 2, 2, 8), 5);
    let model = Transformer::new(&weights);
    let bytes = random_bytes(7, 20);
    let whole = stepwise(&model, &bytes);
    let parts: Vec<f32> = bytes.chunks(8).flat_map(|c| stepwise(&model, c)).collect();
    assert_same(&whole, &parts, "chunks");
}

#[test]
fn a_stream_forgets_beyond_the_window() {
    let mut spec = Spec::aspect(16, 8);
    spec.window = Some(5);
    spec.taps = 2;
    let weights = random_weights(&spec, 5);
    let model = Transformer::new(&weights);
    // Two layers see 2 * 4 earlier positions, taps see two more, and the input
    // is the previous byte.
    let (mut one, mut other) = (random_bytes(7, 60), random_bytes(8, 60));
    one[40..].copy_from_slice(&random_bytes(9, 20));
    other[40..].copy_from_slice(&random_bytes(9, 20));
    let (one, other) = (stepwise(&model, &one), stepwise(&model, &other));
    assert_same(
        &one[51 * 256..],
        &other[51 * 256..],
        "far from the difference",
    );
    assert_ne!(one[50 * 256..51 * 256], other[50 * 256..51 * 256]);
}

#[test]
fn overflow_is_an_error_that_names_the_tensor() {
    for (tensor, at) in [
        (
            "blocks.1.attention.output.weight",
            "blocks.1.attention.output.weight",
        ),
        ("blocks.0.mlp.down.weight", "blocks.0.mlp.down.weight"),
        ("output.weight", "output.weight"),
    ] {
        let good = random_weights(&Spec::lmic(16, 2, 2, 8), 5);
        let weights = Weights::from_fn(good.spec().clone(), |info| {
            let factor = if info.name == tensor { 3e38 } else { 1.0 };
            let values = good.get(&info.name).unwrap();
            values
                .iter()
                .map(|v| (v * factor).clamp(-3e38, 3e38))
                .collect()
        });
        let model = Transformer::new(&weights.unwrap());
        let mut state = model.state(3);
        let mut logits = vec![0.0; 3 * 2 * 256];
        let error = model
            .forward(&mut state, &[1; 6], 2, &mut logits)
            .unwrap_err();
        assert_eq!((&error.tensor[..], error.lane, error.position), (at, 0, 0));
        assert!(error.to_string().contains(tensor), "{error}");
        let again = model.forward(&mut state, &[1; 6], 2, &mut logits);
        assert_eq!(again.unwrap_err(), error);
        let error = model
            .score(&[b"ab"], &mut [()], |_, _, _, _| ())
            .unwrap_err();
        assert_eq!(error.tensor, at);
    }
}

#[test]
#[should_panic(expected = "step 9 exceeds the 8 steps of the state")]
fn a_state_for_few_steps_takes_no_more() {
    let mut spec = Spec::aspect(16, 32);
    spec.window = Some(32);
    let model = Transformer::new(&random_weights(&spec, 1));
    let mut state = model.state_for(1, 8);
    let mut logits = vec![0.0; 9 * 256];
    let _ = model.forward(&mut state, &[0; 9], 9, &mut logits);
}

#[test]
fn nothing_is_scored_without_bytes() {
    let model = Transformer::new(&random_weights(&Spec::aspect(16, 32), 1));
    model
        .score(&[], &mut [], |_: &mut (), _, _, _| panic!())
        .unwrap();
    model
        .score(&[b"", b""], &mut [(), ()], |_, _, _, _| panic!())
        .unwrap();
    let mut state = model.state(2);
    model.forward(&mut state, &[], 0, &mut []).unwrap();
}

#[test]
fn scoring_hands_out_each_byte_once_and_in_order() {
    let model = Transformer::new(&random_weights(&Spec::aspect(16, 32), 1));
    let bytes = random_bytes(2, 1000);
    let parts: Vec<&[u8]> = bytes.chunks(37).collect();
    let mut seen = vec![Vec::new(); parts.len()];
    let note = |seen: &mut Vec<u8>, index: usize, byte, _: &[f32; 256]| {
        assert_eq!(seen.len(), index);
        seen.push(byte);
    };
    model.score(&parts, &mut seen, note).unwrap();
    assert_eq!(seen.concat(), bytes);
}

#[test]
fn a_zero_model_is_uniform() {
    let weights = Weights::from_fn(Spec::aspect(16, 32), |info| {
        let value = if info.role == Role::Scale { 1.0 } else { 0.0 };
        vec![value; info.len()]
    });
    let logits = stepwise(&Transformer::new(&weights.unwrap()), b"abc");
    assert!(logits.iter().all(|z| *z == 0.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_spec_agrees_with_the_reference(spec in any_spec(), seed in any::<u64>()) {
        compare(&random_weights(&spec, seed), &random_bytes(seed, 30));
    }

    /// Encoder and decoder: blocks and steps, any number of lanes and threads.
    #[test]
    fn any_way_of_running_gives_the_same_bits(
        spec in any_spec(),
        seed in any::<u64>(),
        lanes in 1..40usize,
        threads in 1..5usize,
        cuts in prop::collection::vec(1..20usize, 0..4),
        length in 1..40usize,
    ) {
        let model = Transformer::new(&random_weights(&spec, seed));
        let bytes: Vec<Vec<u8>> = (0..lanes as u64)
            .map(|lane| random_bytes(seed ^ lane, length))
            .collect();
        let expected: Vec<Vec<f32>> = bytes.iter().map(|b| stepwise(&model, b)).collect();

        let mut blocks = vec![Vec::new(); lanes];
        in_pool(threads, || {
            let mut state = model.state_for(lanes, length);
            let inputs: Vec<Vec<u8>> = bytes.iter().map(|b| previous(b)).collect();
            let mut start = 0;
            for steps in cuts.iter().copied().chain([length]) {
                let steps = steps.min(length - start);
                let input: Vec<u8> = inputs.iter().flat_map(|l| &l[start..start + steps]).copied().collect();
                let mut logits = vec![0.0; lanes * steps * 256];
                model.forward(&mut state, &input, steps, &mut logits).unwrap();
                for (lane, logits) in logits.chunks(steps.max(1) * 256).enumerate() {
                    blocks[lane].extend_from_slice(logits);
                }
                start += steps;
            }
        });
        for (blocks, expected) in blocks.iter().zip(&expected) {
            assert_same(blocks, expected, "in blocks");
        }

        // Byte by byte, as in decoding.
        let mut decoded = vec![Vec::new(); lanes];
        in_pool(threads, || {
            let mut state = model.state(lanes);
            let mut last = vec![3; lanes];
            let mut sinks: Vec<_> = bytes.iter().zip(&mut decoded).collect();
            let next = |(bytes, decoded): &mut (&Vec<u8>, &mut Vec<f32>), _, logits: &[f32; 256]| {
                let byte = bytes[decoded.len() / 256];
                decoded.extend_from_slice(logits);
                byte
            };
            let half = length / 2;
            model.decode(&mut state, &mut last, half, &mut sinks, next).unwrap();
            model.decode(&mut state, &mut last, length - half, &mut sinks, next).unwrap();
        });
        for (decoded, expected) in decoded.iter().zip(&expected) {
            assert_same(decoded, expected, "decoded");
        }

        // Parts of unequal length.
        let parts: Vec<&[u8]> = bytes.iter().enumerate().map(|(i, b)| &b[..length - i % length]).collect();
        let mut scored = vec![Vec::new(); lanes];
        in_pool(threads, || {
            model.score(&parts, &mut scored, |logits: &mut Vec<f32>, index, _, row| {
                assert_eq!(logits.len(), index * 256);
                logits.extend(row);
            })
        }).unwrap();
        for ((scored, expected), part) in scored.iter().zip(&expected).zip(parts) {
            assert_same(scored, &expected[..part.len() * 256], "scored");
        }
    }
}
