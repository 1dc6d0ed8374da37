//! The sum over all ways to cut bytes into tokens.

use super::small::model;
use crate::archive::{Settings, compress};
use crate::cover::{Beam, ByteModel, Marginal, marginal};
use crate::frequencies::Frequencies;
use crate::{Contexts, Model, Piece};
use brevity_codec::Frequencies as ByteFrequencies;
use brevity_codec::predict::Predictor;

/// Keeps everything, over short texts.
const WIDE: Beam = Beam {
    width: 40,
    least: 0.0,
};

fn contexts(tokens: usize) -> Contexts {
    Contexts::new(tokens)
}

/// Bits of each byte by the predictor, and what it says of the whole.
fn priced(bytes: &ByteModel, lanes: &[&[u8]]) -> (Vec<Vec<f64>>, Vec<Marginal>) {
    let mut covers = bytes.covers(lanes.len());
    let mut next = vec![ByteFrequencies::default(); lanes.len()];
    let mut out = vec![Vec::new(); lanes.len()];
    for step in 0..lanes[0].len() {
        covers.predict(&mut next).unwrap();
        for (i, lane) in lanes.iter().enumerate() {
            out[i].push(next[i].bits(lane[step]));
        }
        let column: Vec<u8> = lanes.iter().map(|lane| lane[step]).collect();
        covers.update(&column).unwrap();
    }
    (out, covers.marginals())
}

/// The probability that tokens begin with `rest`, after `ids`.
fn exact(model: &Model, ids: &mut Vec<u32>, rest: &[u8]) -> f64 {
    if rest.is_empty() {
        return 1.0;
    }
    let mut state = model.state(1);
    let hidden = model.hidden(&mut state, &[Piece { lane: 0, ids }]);
    let mut logits = vec![0.0; model.spec().vocabulary];
    model.logits(&hidden[hidden.len() - model.spec().width..], &mut logits);
    let mut frequencies = Frequencies::default();
    frequencies
        .set(&mut logits, model.vocabulary().barred())
        .unwrap();
    let mut sum = 0.0;
    for id in 0..model.vocabulary().len() as u32 {
        let token = model.vocabulary().token(id);
        let p = f64::from(frequencies.counts()[id as usize]) / 4_294_967_296.0;
        if token.starts_with(rest) {
            sum += p;
        } else if !token.is_empty() && rest.starts_with(token) {
            ids.push(id);
            sum += p * exact(model, ids, &rest[token.len()..]);
            ids.pop();
        }
    }
    sum
}

#[test]
fn with_all_covers_it_is_the_sum_over_them() {
    let model = model("llama");
    let bytes = ByteModel::new(&model, contexts(40), None, WIDE);
    for text in [&b"the thing"[..], b" there", b"\n\n\n"] {
        let sum = exact(&model, &mut vec![model.first()], text);
        let (_, found) = priced(&bytes, &[text]);
        assert!((found[0].bits + sum.log2()).abs() < 1e-9, "{:?}", found[0]);
        assert_eq!(found[0].least_bits, found[0].bits);
    }
}

#[test]
fn bounds_hold_the_exact_length_and_no_cut_is_shorter() {
    let model = model("qwen3");
    let text = b"in the thing\n\nther";
    let exact = -exact(&model, &mut vec![model.first()], text).log2();
    let cut = compress(&model, &Settings::new(&model), text, &|_| true).unwrap();
    assert!(exact < cut.bits, "{exact}, {}", cut.bits);
    for (width, least) in [(1, 0.0), (2, 0.01), (4, 0.1), (6, 1.0 / 256.0)] {
        let beam = Beam { width, least };
        let bytes = ByteModel::new(&model, contexts(40), None, beam);
        let (_, found) = priced(&bytes, &[text]);
        let Marginal { bits, least_bits } = found[0];
        let bounded = least_bits <= exact + 1e-9 && exact <= bits + 1e-9;
        assert!(bounded, "{beam:?}: {least_bits}, {exact}, {bits}");
    }
}

#[test]
fn a_lane_does_not_depend_on_its_company_and_any_bytes_have_a_price() {
    let model = model("gemma3");
    let bytes = ByteModel::new(&model, contexts(7), Some(13), Beam::default());
    let lanes: [&[u8]; 3] = [
        b"the thing in the ther\n\n\n and the",
        b"~~~\xff\x00\xc3\xa4the~the~\x80 ingthe \xffin~~",
        b"\xff\xfe\xfdinininininin the the the ~~",
    ];
    let lanes = lanes.map(|lane| &lane[..27]);
    let (together, _) = priced(&bytes, &lanes);
    for (lane, expected) in lanes.iter().zip(&together) {
        let (alone, _) = priced(&bytes, &[lane]);
        assert_eq!(&alone[0], expected);
        assert!(expected.iter().all(|&bits| bits > 0.0 && bits <= 24.0));
        // Chunks are on their own.
        let (chunk, _) = priced(&bytes, &[&lane[13..26]]);
        assert_eq!(chunk[0], expected[13..26]);
    }
}

#[test]
fn chunks_add_up() {
    let model = model("llama");
    let settings = Settings {
        chunk: Some(5),
        ..Settings::new(&model)
    };
    let text = b"in the thing";
    let found = marginal(&model, &settings, WIDE, text, &|_| true).unwrap();
    let alone = |part: &[u8]| -exact(&model, &mut vec![model.first()], part).log2();
    let sum: f64 = text.chunks(5).map(alone).sum();
    assert!((found.bits - sum).abs() < 1e-9);
    assert!(marginal(&model, &settings, WIDE, text, &|_| false).is_err());
}
