//! Archives give back what was compressed, and nothing else passes.

use super::small::{self, Noise, model};
use crate::archive::{
    ArchiveError, Limits, Settings, compress, compress_mixed, decompress, header,
};
use crate::price::PriceError;
use crate::{Contexts, Form, Item, Model, byte_bits};
use brevity_kernels::simd::InstructionSet;
use std::path::{Path, PathBuf};

fn content() -> Vec<u8> {
    let mut content = "the thing ~ in the \u{e4}ther\n\n".repeat(9).into_bytes();
    let mut noise = Noise(3);
    content.extend((0..80).map(|_| noise.next() as u8));
    content
}

fn settings(tokens: usize, chunk: Option<usize>, lanes: usize) -> Settings {
    Settings {
        contexts: Contexts::new(tokens),
        chunk,
        lanes,
        form: Form::Text,
    }
}

fn round_trip(model: &Model, settings: &Settings, content: &[u8]) -> f64 {
    let out = compress(model, settings, content, &|_| true).unwrap();
    let back = decompress(model, &out.archive, &Limits::default(), &|_| true).unwrap();
    assert!(back == content);
    let length = header(&out.archive).unwrap().bytes;
    assert_eq!(length, content.len() as u64);
    // The header takes 23 bytes at most, the end of the stream 2.
    assert!(out.archive.len() as f64 <= out.bits / 8.0 + 25.0);
    out.bits
}

#[test]
fn any_bytes_come_back_however_they_are_cut() {
    let model = model("llama");
    for settings in [
        Settings::new(&model),
        settings(8, None, 1),
        settings(2, None, 3),
        settings(40, Some(50), 4),
    ] {
        for content in [&content()[..], b"", b"~", b"\xff", b"the"] {
            round_trip(&model, &settings, content);
        }
    }
}

#[test]
fn every_form_gives_any_bytes_back_and_each_byte_has_its_price() {
    let model = model("llama");
    let content = content();
    for form in Form::ALL {
        for (chunk, lanes) in [(None, 1), (Some(32), 3)] {
            let settings = Settings {
                form,
                ..settings(40, chunk, lanes)
            };
            let bits = round_trip(&model, &settings, &content);
            let each = byte_bits(&model, &settings, &content, &|_| true).unwrap();
            assert_eq!(each.len(), content.len());
            assert!(each.iter().all(|&bits| bits >= 0.0));
            let sum: f64 = each.iter().map(|&bits| f64::from(bits)).sum();
            assert!((sum - bits).abs() < 1e-6 * bits, "{form}: {sum}, {bits}");
        }
    }
}

#[test]
fn bytes_within_tokens_come_back_mixed_with_context_models_on_any_path() {
    let model = model("llama");
    let bytes = Settings {
        form: Form::Bytes,
        ..Settings::new(&model)
    };
    for settings in [
        Settings::new(&model),
        settings(8, None, 1),
        settings(40, Some(50), 1),
        bytes,
    ] {
        for content in [&content()[..], b"", b"~", b"\xff", b"the", b"~the\xc3~"] {
            let out = compress_mixed(&model, &settings, content, &|_| true).unwrap();
            let found = header(&out.archive).unwrap();
            assert!(found.mixed.is_some() && found.bytes == content.len() as u64);
            let read = || decompress(&model, &out.archive, &Limits::default(), &|_| true);
            for threads in [1, 2, 8] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let back = pool.unwrap().install(read);
                assert!(back.unwrap() == content, "{settings:?} {threads} threads");
            }
            let before = InstructionSet::current();
            for set in InstructionSet::supported() {
                set.select();
                assert!(read().unwrap() == content, "{settings:?} {set:?}");
            }
            before.select();
        }
    }
    for settings in [
        settings(40, None, 2),
        Settings {
            form: Form::Ascii7,
            ..Settings::new(&model)
        },
    ] {
        let refused = compress_mixed(&model, &settings, b"the", &|_| true);
        assert_eq!(refused.unwrap_err(), ArchiveError::Mixed);
    }
}

/// A small model whose matrices are integers where they can be.
fn quantised() -> Model {
    let mut file = small::file("llama", 1);
    file.quantise();
    Model::load(small::on_disk(&file.finish()).path()).unwrap()
}

fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(name)
}

/// Archives that must stay readable. After a deliberate change of the format or of the
/// context models' numeric engine, which takes a new number, `BREVITY_GOLDEN=write cargo
/// test --release -p brevity-pretrained golden` writes them again.
#[test]
fn golden_archives_decode_on_any_path_and_are_made_again() {
    let model = quantised();
    let cut = settings(40, Some(50), 4);
    let whole = Settings::new(&model);
    let made = [
        ("tokens.bvp", compress(&model, &cut, &content(), &|_| true)),
        (
            "mixed.bvp",
            compress_mixed(&model, &whole, &content(), &|_| true),
        ),
    ];
    for (name, made) in made {
        let (path, made) = (golden(name), made.unwrap().archive);
        if std::env::var_os("BREVITY_GOLDEN").is_some_and(|v| v == "write") {
            std::fs::write(&path, &made).unwrap();
        }
        let archive = std::fs::read(path).unwrap();
        let before = InstructionSet::current();
        for set in InstructionSet::supported() {
            set.select();
            let back = decompress(&model, &archive, &Limits::default(), &|_| true);
            assert!(back.unwrap() == content(), "{name} {set}");
        }
        before.select();
        assert!(made == archive, "{name} is not made again");
    }
}

#[test]
fn context_models_of_another_engine_are_refused_by_number() {
    let model = model("llama");
    let settings = Settings::new(&model);
    let made = compress_mixed(&model, &settings, b"the", &|_| true).unwrap();
    let mut archive = made.archive;
    // Magic, version, three bytes of the model's hash, the length.
    let at = 3 + 1 + 3 + 1;
    assert_eq!(archive[at], 9 << 4 | brevity_codec::archive::ENGINE);
    archive[at] += 1;
    let error = header(&archive).unwrap_err();
    let other = brevity_codec::archive::ENGINE + 1;
    assert_eq!(error, ArchiveError::Engine(other));
    assert!(error.to_string().contains("numeric engine"), "{error}");
    archive[at] = 7 << 4 | brevity_codec::archive::ENGINE;
    assert_eq!(header(&archive), Err(ArchiveError::Header("the level")));
}

#[test]
fn a_model_that_knows_nothing_costs_context_models_little() {
    let model = model("llama");
    let text = "one thing in another, and the other within it; ".repeat(60);
    let mut noise = Noise(5);
    let noise: Vec<u8> = (0..3000).map(|_| noise.next() as u8).collect();
    for content in [text.as_bytes(), &noise] {
        let options = brevity_codec::archive::Options {
            level: brevity_codec::Level::Best,
            ..Default::default()
        };
        let (source, mut alone) = (brevity_codec::archive::Source::none(), Vec::new());
        brevity_codec::archive::compress(content, &mut alone, &source, &options, &|_| {}).unwrap();
        let mixed = compress_mixed(&model, &Settings::new(&model), content, &|_| true).unwrap();
        let (alone, mixed) = (alone.len(), mixed.archive.len());
        assert!(mixed < alone + 100 + content.len() / 20, "{mixed}, {alone}");
        let tokens = compress(&model, &Settings::new(&model), content, &|_| true).unwrap();
        assert!(mixed < tokens.archive.len(), "{mixed}");
    }
}

#[test]
fn work_can_be_stopped() {
    let model = model("llama");
    let settings = Settings::new(&model);
    let content = content();
    let stopped = compress(&model, &settings, &content, &|_| false).unwrap_err();
    assert_eq!(stopped, ArchiveError::Price(PriceError::Stopped));
    let archive = compress(&model, &settings, &content, &|_| true)
        .unwrap()
        .archive;
    let stopped = decompress(&model, &archive, &Limits::default(), &|_| false);
    assert_eq!(stopped, Err(ArchiveError::Stopped));
    let mixed = compress_mixed(&model, &settings, &content, &|_| true).unwrap();
    let stopped = decompress(&model, &mixed.archive, &Limits::default(), &|_| false);
    assert_eq!(stopped, Err(ArchiveError::Stopped));
}

#[test]
fn an_exact_model_has_archives_of_its_own() {
    let model = model("llama");
    let exact = model.clone().exact();
    let archive = compress(&exact, &Settings::new(&exact), b"the", &|_| true);
    let archive = archive.unwrap().archive;
    let error = decompress(&model, &archive, &Limits::default(), &|_| true).unwrap_err();
    assert!(matches!(error, ArchiveError::OtherModel { .. }));
    let back = decompress(&exact, &archive, &Limits::default(), &|_| true);
    assert_eq!(back.unwrap(), b"the");
}

#[test]
fn the_price_of_a_stream_does_not_depend_on_its_company() {
    let model = model("gemma3");
    let content = content();
    let chunks = |lanes| round_trip(&model, &settings(60, Some(64), lanes), &content);
    assert_eq!(chunks(1).to_bits(), chunks(5).to_bits());
}

#[test]
fn bytes_without_a_token_are_escaped_and_control_tokens_never_coded() {
    let model = model("llama");
    let items = model.tokenizer().encode(b"the~", model.vocabulary());
    assert_eq!(items.len(), 2);
    assert_eq!(items[1], Item::Byte(b'~'));
    let items = model.tokenizer().encode(b"<s>", model.vocabulary());
    assert!(!items.contains(&Item::Token(0)));
    assert_eq!(model.vocabulary().missing_bytes(), 1);
}

#[test]
fn damage_is_found() {
    let model = model("llama");
    let content = content();
    for make in [compress, compress_mixed] {
        let good = make(&model, &Settings::new(&model), &content, &|_| true);
        is_refused_if_damaged(&model, &good.unwrap().archive);
    }
    let read = |archive: &[u8]| decompress(&model, archive, &Limits::default(), &|_| true);
    assert_eq!(read(b"something else"), Err(ArchiveError::Magic));
}

fn is_refused_if_damaged(model: &Model, good: &[u8]) {
    let read = |archive: &[u8]| decompress(model, archive, &Limits::default(), &|_| true);
    for len in (0..good.len()).step_by(7) {
        assert!(read(&good[..len]).is_err());
    }
    for at in (0..good.len()).step_by(5) {
        let mut bad = good.to_vec();
        bad[at] ^= 0x11;
        assert!(read(&bad).is_err(), "byte {at}");
    }
    let mut longer = good.to_vec();
    longer.push(0);
    assert_eq!(read(&longer), Err(ArchiveError::Damaged));
}

#[test]
fn other_models_and_large_claims_are_refused() {
    let model = model("llama");
    let other = small::on_disk(&small::file("llama", 2).finish());
    let other = Model::load(other.path()).unwrap();
    let archive = compress(&model, &Settings::new(&model), b"the", &|_| true)
        .unwrap()
        .archive;
    let error = decompress(&other, &archive, &Limits::default(), &|_| true).unwrap_err();
    assert!(matches!(error, ArchiveError::OtherModel { .. }));
    let limits = Limits {
        bytes: 2,
        ..Limits::default()
    };
    let error = decompress(&model, &archive, &limits, &|_| true).unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { needed: 3, .. }));
    let long = settings(small::CONTEXT + 1, None, 1);
    let error = compress(&model, &long, b"the", &|_| true).unwrap_err();
    assert!(matches!(error, ArchiveError::Context { .. }));
}

#[test]
fn scores_are_those_of_the_archive_and_name_the_model() {
    let model = model("qwen3");
    let content = content();
    let score =
        crate::score::score(&model, &Settings::new(&model), &content, true, &|_| true).unwrap();
    assert!(score.verified && score.escaped_bytes > 0);
    assert_eq!(score.data_bytes, content.len() as u64);
    let n = content.len() as f64;
    assert_eq!(score.raw_rate, score.coded_bytes as f64 / n);
    let model_bytes = 2.0 * model.weights().parameters() as f64;
    assert_eq!(
        score.adjusted_rate.fp16,
        (score.coded_bytes as f64 + model_bytes) / n
    );
}

#[test]
fn generated_text_depends_on_the_numbers_alone() {
    let model = model("llama");
    let text = |seed, tokens, temperature| {
        let mut noise = Noise(seed);
        let contexts = Contexts::new(tokens);
        let random = || (noise.next() << 1) as u32;
        let text = crate::generate(&model, &contexts, b"in the ", temperature, random);
        let text: Result<Vec<&[u8]>, _> = text.take(50).collect();
        text.unwrap().concat()
    };
    assert_eq!(text(1, 80, 1.0), text(1, 80, 1.0));
    assert_ne!(text(1, 80, 1.0), text(2, 80, 1.0));
    assert_ne!(text(1, 80, 1.0), text(1, 80, 0.5));
    assert_eq!(text(1, 80, 0.0), text(2, 80, 0.0));
    assert!(text(1, 7, 1.0).len() >= 50);
}
