//! The forward pass gives the same bits however it is cut.

use super::small::{Noise, model, tokens};
use crate::Piece;
use brevity_kernels::simd::InstructionSet;

fn ids(n: usize, seed: u64) -> Vec<u32> {
    let mut noise = Noise(seed);
    (0..n)
        .map(|_| (noise.next() % tokens().len() as u64) as u32)
        .collect()
}

/// Logits of `ids`, seen in pieces of `cut` tokens while another lane sees others.
fn logits(model: &crate::Model, ids: &[u32], cut: usize) -> Vec<u32> {
    let mut state = model.state(2);
    let others: Vec<u32> = ids.iter().rev().copied().collect();
    let mut out = Vec::new();
    for (piece, other) in ids.chunks(cut).zip(others.chunks(cut)) {
        let pieces = [
            Piece {
                lane: 1,
                ids: other,
            },
            Piece {
                lane: 0,
                ids: piece,
            },
        ];
        // The other lane is sometimes there and sometimes not.
        let skip = usize::from(piece.len() % 2 == 0);
        let hidden = model.hidden(&mut state, &pieces[skip..]);
        let mine = &hidden[hidden.len() - piece.len() * model.spec().width..];
        let mut logits = vec![0.0; piece.len() * model.spec().vocabulary];
        model.logits(mine, &mut logits);
        out.extend(logits.iter().map(|x| x.to_bits()));
    }
    out
}

#[test]
fn whole_chunks_and_single_steps_give_the_same_bits_in_every_family() {
    for family in [
        "llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "gpt2", "gptneox", "olmo2",
    ] {
        let model = model(family);
        let ids = ids(61, 5);
        let whole = logits(&model, &ids, 61);
        assert!(whole.iter().all(|&x| f32::from_bits(x).is_finite()));
        for cut in [1, 2, 17] {
            assert!(
                logits(&model, &ids, cut) == whole,
                "{family} in pieces of {cut}"
            );
        }
        for threads in [1, 2, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let again = pool.expect("threads").install(|| logits(&model, &ids, 61));
            assert!(again == whole, "{family} with {threads} threads");
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let models = ["llama", "gemma3", "gptneox"].map(model);
    let ids = ids(40, 6);
    let mut expected = Vec::new();
    let before = InstructionSet::current();
    for set in InstructionSet::supported() {
        set.select();
        let found: Vec<Vec<u32>> = models.iter().map(|m| logits(m, &ids, 13)).collect();
        if expected.is_empty() {
            expected = found;
        } else {
            assert!(found == expected, "{set:?}");
        }
    }
    before.select();
}
