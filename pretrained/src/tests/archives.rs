//! Archives give back what was compressed, and nothing else passes.

use super::small::{self, Noise, model};
use crate::archive::{ArchiveError, Limits, Settings, compress, decompress, header};
use crate::{Contexts, Item, Model};

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
    }
}

fn round_trip(model: &Model, settings: &Settings, content: &[u8]) -> f64 {
    let out = compress(model, settings, content, &|_| {}).unwrap();
    let back = decompress(model, &out.archive, &Limits::default(), &|_| {}).unwrap();
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
    let good = compress(&model, &Settings::new(&model), &content, &|_| {})
        .unwrap()
        .archive;
    let read = |archive: &[u8]| decompress(&model, archive, &Limits::default(), &|_| {});
    for len in (0..good.len()).step_by(7) {
        assert!(read(&good[..len]).is_err());
    }
    for at in (0..good.len()).step_by(5) {
        let mut bad = good.clone();
        bad[at] ^= 0x11;
        assert!(read(&bad).is_err(), "byte {at}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(read(&longer), Err(ArchiveError::Damaged));
    assert_eq!(read(b"something else"), Err(ArchiveError::Magic));
}

#[test]
fn other_models_and_large_claims_are_refused() {
    let model = model("llama");
    let other = small::on_disk(&small::file("llama", 2).finish());
    let other = Model::load(other.path()).unwrap();
    let archive = compress(&model, &Settings::new(&model), b"the", &|_| {})
        .unwrap()
        .archive;
    let error = decompress(&other, &archive, &Limits::default(), &|_| {}).unwrap_err();
    assert!(matches!(error, ArchiveError::OtherModel { .. }));
    let limits = Limits {
        bytes: 2,
        ..Limits::default()
    };
    let error = decompress(&model, &archive, &limits, &|_| {}).unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { needed: 3, .. }));
    let long = settings(small::CONTEXT + 1, None, 1);
    let error = compress(&model, &long, b"the", &|_| {}).unwrap_err();
    assert!(matches!(error, ArchiveError::Context { .. }));
}

#[test]
fn scores_are_those_of_the_archive_and_name_the_model() {
    let model = model("qwen3");
    let content = content();
    let score =
        crate::score::score(&model, &Settings::new(&model), &content, true, &|_| {}).unwrap();
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
    let text = |seed, tokens| {
        let mut noise = Noise(seed);
        let mut random = || (noise.next() << 1) as u32;
        crate::generate(&model, &Contexts::new(tokens), b"in the ", 100, &mut random).unwrap()
    };
    assert!(text(1, 80).len() >= 100);
    assert_eq!(text(1, 80), text(1, 80));
    assert_ne!(text(1, 80), text(2, 80));
    assert!(text(1, 7).len() >= 100);
}
