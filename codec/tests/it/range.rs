//! The range coder against constriction's, and its recorded output.

use brevity_codec::range::{Decoder, Encoder};
use brevity_codec::{Frequencies, TOTAL};
use constriction::stream::Encode;
use constriction::stream::model::{ContiguousCategoricalEntropyModel, EncoderModel};
use constriction::stream::queue::RangeEncoder;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// Distributions from flat to steep.
fn distribution(rng: &mut ChaCha8Rng) -> Frequencies {
    let steepness = (rng.next_u32() % 30) as f32;
    let logits: Vec<f32> = (0..256)
        .map(|_| (rng.next_u32() as f32 / u32::MAX as f32) * steepness)
        .collect();
    Frequencies::from_logits(&logits).unwrap()
}

#[test]
fn symbols_and_bits_come_back_at_their_code_length() {
    proptest!(ProptestConfig::with_cases(32), |(seed: u64, count in 0_usize..2000)| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let tables: Vec<_> = (0..8).map(|_| distribution(&mut rng)).collect();
        let mut encoder = Encoder::default();
        let mut bits = 0.0;
        let mut coded = Vec::new();
        for i in 0..count {
            if rng.next_u32() % 3 == 0 {
                let p = 1 + rng.next_u32() % (TOTAL - 1);
                let bit = rng.next_u32() % TOTAL < p;
                encoder.bit(bit, p);
                bits += brevity_codec::code_length(if bit { p } else { TOTAL - p });
                coded.push((p, u32::from(bit)));
            } else {
                let table = &tables[i % 8];
                let (byte, start, length) = table.find(rng.next_u32() % TOTAL);
                encoder.symbol(start, length);
                bits += table.bits(byte);
                coded.push((0, u32::from(byte)));
            }
        }
        let bytes = encoder.finish();
        prop_assert!(bytes.len() as f64 <= bits / 8.0 * (1.0 + 1e-8) + 2.0, "{} for {bits}", bytes.len());
        let mut decoder = Decoder::new(&bytes);
        for (i, &(p, value)) in coded.iter().enumerate() {
            if p > 0 {
                prop_assert_eq!(u32::from(decoder.bit(p)), value);
            } else {
                let (byte, start, length) = tables[i % 8].find(decoder.target());
                decoder.take(start, length);
                prop_assert_eq!(u32::from(byte), value);
            }
        }
        prop_assert!(decoder.ended());
    });
}

#[test]
fn as_short_as_constriction() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut ours = Encoder::default();
    let mut theirs = RangeEncoder::<u32, u64>::new();
    for _ in 0..2000 {
        let table = distribution(&mut rng);
        let (byte, start, length) = table.find(rng.next_u32() % TOTAL);
        ours.symbol(start, length);
        let model = ContiguousCategoricalEntropyModel::<u32, Vec<u32>, 24>::from_nonzero_fixed_point_probabilities(
            table.as_array().iter().copied(),
            false,
        )
        .unwrap();
        let (_, probability) = model
            .left_cumulative_and_probability(usize::from(byte))
            .unwrap();
        assert_eq!(probability.get(), length);
        theirs.encode_symbol(usize::from(byte), &model).unwrap();
    }
    let theirs = theirs.into_compressed().unwrap().len() * 4;
    let ours = ours.finish().len();
    assert!(ours <= theirs, "{ours} bytes, constriction needs {theirs}");
}

/// These bytes never change: archives depend on them.
#[test]
fn golden_stream() {
    let mut encoder = Encoder::default();
    for i in 0..24_u32 {
        encoder.symbol(i * 699_050, 699_050 - i * i);
        encoder.bit(i % 3 == 0, 1 + i * i * 29_000);
    }
    let hex: String = encoder
        .finish()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(hex, "000000007c0f5d5d1d0190cfcb6f8dae725e90d04c");
}
