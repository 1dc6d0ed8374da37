//! Every instruction set and every number of threads writes the same archive,
//! and reads it. A separate test binary, because a process has one instruction set.

use brevity_codec::archive::{Models, Options, Source, compress, decompress};
use brevity_codec::predict::{LstmModel, LstmRecipe};
use brevity_codec::weights::{Plan, Precision};
use brevity_codec::{Level, Method};
use brevity_kernels::simd::InstructionSet;
use brevity_model::{Spec, Weights};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

const THREADS: [usize; 3] = [1, 2, 8];

fn weights(spec: Spec) -> Weights {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut value = |_| (rng.next_u32() >> 16) as f32 / 131_072.0 - 0.25;
    Weights::from_fn(spec, |info| (0..info.len()).map(&mut value).collect()).unwrap()
}

fn text(length: usize) -> Vec<u8> {
    let line = |i: usize| format!("How much wood would {} woodchucks chuck? ", i * i % 97);
    (0..)
        .flat_map(|i| line(i).into_bytes())
        .take(length)
        .collect()
}

/// Runs `work` on every instruction set that this CPU has, with one to eight
/// threads.
fn everywhere<T: Send>(work: impl Fn() -> T + Sync) -> Vec<(String, T)> {
    let mut results = Vec::new();
    for set in InstructionSet::supported() {
        set.select();
        for threads in THREADS {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let result = pool.build().unwrap().install(&work);
            results.push((format!("{set}, {threads} threads"), result));
        }
    }
    results
}

fn lstm() -> LstmModel {
    let recipe = LstmRecipe {
        cells: 32,
        layers: 2,
        horizon: 24,
        contexts: 0,
        rows_log2: 0,
        rate: 0.01,
    };
    LstmModel::new(recipe).unwrap()
}

#[test]
fn archives_are_the_same_everywhere_and_decode_everywhere() {
    let chunks = weights(Spec::brevity(16, 2, 2, 32));
    let paper = weights(Spec::lmic(8, 1, 2, 32));
    let mut stream = Spec::brevity(8, 2, 2, 32);
    stream.window = Some(12);
    let stream = weights(stream);
    let stored = |weights| Source::embedded(weights, &Plan::new(weights, Precision::Bits(4)));
    let sources = [
        (Source::none(), Method::Contexts, Level::Fast),
        (Source::none(), Method::Contexts, Level::Default),
        (Source::none(), Method::Contexts, Level::Best),
        (stored(&chunks), Method::Mixed, Level::Default),
        (stored(&paper), Method::Mixed, Level::Best),
        (stored(&stream), Method::Model, Level::Default),
        (Source::lstm(lstm()), Method::Mixed, Level::Default),
    ];
    let bytes = text(3000);
    let pack = || -> Vec<Vec<u8>> {
        let pack = |(source, method, level): &(Source, Method, Level)| {
            let level = *level;
            let options = Options {
                block: 1100,
                method: Some(*method),
                level,
                lanes: None,
            };
            let mut out = Vec::new();
            compress(&bytes[..], &mut out, source, &options, &|_| {}).unwrap();
            out
        };
        sources.iter().map(pack).collect()
    };
    let written = everywhere(pack);
    let (_, first) = &written[0];
    for (place, archives) in &written {
        assert!(archives == first, "{place}: another archive");
    }
    let read = everywhere(|| {
        first.iter().all(|archive| {
            let mut back = Vec::new();
            decompress(&archive[..], &mut back, &Models::default(), &|_| {}).unwrap();
            back == bytes
        })
    });
    for (place, same) in read {
        assert!(same, "{place}: other bytes");
    }
}

/// Long enough for a network among the context models of the best level.
#[test]
fn a_network_among_context_models_is_the_same_everywhere() {
    let bytes = text(34_000);
    let options = Options {
        level: Level::Best,
        ..Options::default()
    };
    let pack = || {
        let mut out = Vec::new();
        compress(&bytes[..], &mut out, &Source::none(), &options, &|_| {}).unwrap();
        let mut back = Vec::new();
        decompress(&out[..], &mut back, &Models::default(), &|_| {}).unwrap();
        assert!(back == bytes);
        out
    };
    let written = everywhere(pack);
    for (place, archive) in &written {
        assert!(*archive == written[0].1, "{place}: another archive");
    }
}
