//! An encoder's pass over known bytes and a decoder's steps give the same
//! frequencies, for every predictor.

use brevity_codec::predict::{Counts, Model, Predictor, Priced, TransformerModel, Uniform};
use brevity_codec::{Frequencies, Layout};
use brevity_model::{Spec, Transformer, Weights};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

fn weights(spec: Spec, seed: u64) -> Weights {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut value = |_| (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 0.7;
    Weights::from_fn(spec, |info| (0..info.len()).map(&mut value).collect()).unwrap()
}

fn steps_equal_block(fast: &mut dyn Predictor, slow: &mut dyn Predictor, bytes: &[u8]) {
    let lanes = fast.lanes();
    let steps = bytes.len() / lanes;
    let mut all = vec![Priced::default(); bytes.len()];
    // In two unequal parts, lane-major.
    let cut = steps / 3;
    for range in [0..cut, cut..steps] {
        let part: Vec<u8> = bytes
            .chunks(steps)
            .flat_map(|lane| lane[range.clone()].to_vec())
            .collect();
        let mut priced = vec![Priced::default(); part.len()];
        fast.price(&part, range.len(), &mut priced).unwrap();
        for (lane, priced) in priced.chunks(range.len()).enumerate() {
            all[lane * steps..][range.clone()].copy_from_slice(priced);
        }
    }
    let mut next = vec![Frequencies::default(); lanes];
    for step in 0..steps {
        slow.predict(&mut next).unwrap();
        let column: Vec<u8> = (0..lanes).map(|l| bytes[l * steps + step]).collect();
        for lane in 0..lanes {
            let expected = Priced::new(&next[lane], column[lane]);
            assert_eq!(
                all[lane * steps + step],
                expected,
                "step {step}, lane {lane}"
            );
        }
        slow.update(&column).unwrap();
    }
}

#[test]
fn counting_predictors() {
    let bytes = b"the cat sat on the mat and the rat sat on that; then all was done";
    let bytes = &bytes[..64];
    steps_equal_block(&mut Uniform { lanes: 4 }, &mut Uniform { lanes: 4 }, bytes);
    for order in [0, 1, 2, 7] {
        steps_equal_block(
            &mut Counts::new(order, 4),
            &mut Counts::new(order, 4),
            bytes,
        );
    }
}

#[test]
fn transformers_in_both_modes() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let bytes: Vec<u8> = (0..210).map(|_| rng.next_u32() as u8).collect();
    let mut chunks = Spec::brevity(16, 2, 2, 24);
    let mut stream = chunks.clone();
    stream.window = Some(9);
    chunks.context = 20;
    for spec in [chunks, stream, Spec::lmic(16, 2, 4, 32)] {
        let model = TransformerModel::new(Transformer::new(&weights(spec, 5)));
        let layout = Layout::new(210, 1, 3);
        steps_equal_block(
            &mut *model.start(&layout),
            &mut *model.start(&layout),
            &bytes,
        );
    }
}

#[test]
fn the_score_is_the_sum_of_the_prices() {
    let weights = weights(Spec::brevity(16, 2, 2, 24), 9);
    let bytes: Vec<u8> = (0..100_u8).map(|i| i.wrapping_mul(37)).collect();
    let score = brevity_codec::score(&weights, &bytes).unwrap();
    let model = TransformerModel::new(Transformer::new(&weights));
    let layout = Layout::new(100, model.unit(), 1);
    let mut priced = vec![Priced::default(); 100];
    model
        .start(&layout)
        .price(&bytes, 100, &mut priced)
        .unwrap();
    let bits: f64 = priced
        .iter()
        .map(|p| brevity_codec::code_length(p.frequency()))
        .sum();
    assert!(
        (score.bits - bits).abs() < 1e-3,
        "{} and {bits}",
        score.bits
    );
}
