//! Coding and decoding of one block of bytes.
//!
//! A block is one stream of the range coder. It is coded step by step, and within
//! a step from the first lane to the last. An encoder prices the next slice of steps
//! while it codes the current one; a decoder predicts one step at a time (`lanes`).

mod contexts;
mod decode;
mod encode;
mod follow;
mod lanes;
mod slices;

pub(crate) use decode::{code_length, decode};
pub(crate) use encode::{How, encode, lanes_log2};
pub(crate) use lanes::groups;

use crate::cm::{Gates, Models};
use crate::predict::{Model, PredictError};
use std::sync::atomic::{AtomicU64, Ordering};

/// Steps priced at once; multiples of this keep attention on its fast kernel.
const SLICE: usize = 256;

/// How a block is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// The bytes themselves.
    Raw,
    /// Context models that learn online, no trained model.
    Contexts,
    /// The archive's model alone.
    Model,
    /// The archive's model mixed with context models.
    Mixed,
}

impl Method {
    /// Whether decoding needs the archive's model.
    pub fn needs_model(self) -> bool {
        matches!(self, Method::Model | Method::Mixed)
    }

    /// Whether context models take part.
    pub fn needs_contexts(self) -> bool {
        matches!(self, Method::Contexts | Method::Mixed)
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Method::Raw => "raw",
            Method::Contexts => "contexts",
            Method::Model => "model",
            Method::Mixed => "mixed",
        }
    }
}

/// A coded block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coded {
    pub method: Method,
    /// Binary logarithm of the maximum number of lanes.
    pub lanes_log2: u32,
    /// The context models, if the method has them.
    pub models: Option<Models>,
    /// If the model was trained beside context models.
    pub gates: Option<Gates>,
    pub payload: Vec<u8>,
    /// Hash of all frequencies, in the order in which they are used; none in a brief
    /// archive, whose check covers what they decode to.
    pub frequencies: Option<u32>,
    /// Whether the payload decodes to the block, if it was decoded as it was coded.
    pub decoded: Option<bool>,
}

impl Coded {
    /// Bytes of the block's header, at least, that a raw block does not have: the length of
    /// the payload, the context models, gates, the hash.
    fn extra_header(&self, brief: bool) -> usize {
        let models = match self.models {
            Some(Models::Second(setup)) => setup.to_bytes().len(),
            _ => 0,
        };
        let gates = self.gates.map_or(0, |gates| gates.to_bytes().len());
        let hash = if brief { 0 } else { size_of::<u32>() };
        1 + models + gates + hash
    }
}

/// No coded byte costs less than 2.19e-5 bits: a symbol has at most 2^24 - 255 parts of 2^24,
/// a bit of context models at most 2^24 - 32. So a byte of a payload holds at most so many.
/// An encoder changes no words where a payload would hold more bytes of the original.
const MOST_PER_BYTE: u64 = 366_000;

/// Whether a payload of `stored` bytes can hold `raw` bytes of the original.
pub(crate) fn can_hold(stored: u64, raw: u64) -> bool {
    raw <= stored.saturating_mul(MOST_PER_BYTE)
}

/// Why a block cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The predictor failed.
    Predict(PredictError),
    /// The stream is shorter or longer than its symbols.
    Stream,
    /// The frequencies differ from the encoder's.
    Diverged,
}

impl From<PredictError> for Failure {
    fn from(error: PredictError) -> Failure {
        Failure::Predict(error)
    }
}

/// The model, if the method needs one; the caller has checked that it exists.
fn needed(method: Method, model: Option<&dyn Model>) -> Option<&dyn Model> {
    model.filter(|_| method.needs_model())
}

/// Called with the number of bytes done since the last call.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// Counts the `length` bytes of a block of which fewer are coded.
pub(crate) struct Spread {
    coded: u64,
    length: u64,
    done: AtomicU64,
}

impl Spread {
    /// None are done.
    pub fn new(coded: usize, length: usize) -> Spread {
        Spread {
            coded: coded as u64,
            length: length as u64,
            done: AtomicU64::new(0),
        }
    }

    /// How many bytes of the block are done with these coded ones.
    pub fn more(&self, coded: u64) -> u64 {
        let before = self.done.fetch_add(coded, Ordering::Relaxed);
        let of_length = |done: u64| done * self.length / self.coded.max(1);
        of_length(before + coded) - of_length(before)
    }
}

/// Refuses a block without what its model learns from.
fn check_beside(model: &dyn Model, gates: Option<Gates>) -> Result<(), PredictError> {
    match gates {
        None if model.learns_beside() => Err(PredictError(
            "the model learns beside context models, and the block has none beside it".into(),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cm::v2::words;
    use crate::cm::{Level, Setup, Transform, Words};
    use crate::layout::Layout;
    use crate::predict::{Counts, Predictor};

    struct CountsModel(usize);

    impl Model for CountsModel {
        fn unit(&self) -> usize {
            self.0
        }

        fn lanes(&self) -> usize {
            4
        }

        fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a> {
            Box::new(Counts::new(2, layout.lanes()))
        }
    }

    fn how(method: Method) -> How<'static> {
        How {
            method,
            level: Level::default(),
            words: None,
            gates: None,
            lanes: None,
            decode: false,
            brief: false,
        }
    }

    /// Every way to code, and whether a gate is behind context models.
    fn ways() -> impl Iterator<Item = How<'static>> {
        let gated = How {
            gates: Some(Gates::ALONE),
            ..how(Method::Mixed)
        };
        let methods = [Method::Raw, Method::Contexts, Method::Model, Method::Mixed];
        methods.map(how).into_iter().chain([gated])
    }

    fn text(length: usize) -> Vec<u8> {
        let words = ["sea ", "shells ", "she ", "sells, ", "shore. ", "\n"];
        (0_usize..)
            .flat_map(|i| words[i * i % 7 % 6].bytes())
            .take(length)
            .collect()
    }

    #[test]
    fn every_method_gives_back_the_bytes() {
        for length in [1, 2, 255, 1000, 3001] {
            let bytes = text(length);
            for how in ways() {
                let model = CountsModel(7);
                let coded = encode(&bytes, how, Some(&model), &|_| {}).unwrap();
                assert_eq!(
                    decode(&coded, length, Some(&model), &|_| {}),
                    Ok(bytes.clone())
                );
                if length > 900 {
                    assert_eq!((coded.method, coded.gates), (how.method, how.gates));
                }
            }
        }
    }

    #[test]
    fn a_stream_is_its_code_length_and_at_most_a_byte_more() {
        let bytes = text(3000);
        for how in ways().filter(|how| how.method != Method::Raw) {
            let model = CountsModel(7);
            let coded = encode(&bytes, how, Some(&model), &|_| {}).unwrap();
            let least = code_length(&coded, 3000, Some(&model), &|_| {}).unwrap() / 8.0;
            let more = coded.payload.len() as f64 - least;
            assert!((0.0..=2.0).contains(&more), "{how:?}: {more}");
        }
    }

    #[test]
    fn another_model_is_found_out() {
        let bytes = text(3000);
        for how in ways().filter(|how| how.method.needs_model()) {
            let coded = encode(&bytes, how, Some(&CountsModel(7)), &|_| {}).unwrap();
            let failure = decode(&coded, 3000, Some(&CountsModel(8)), &|_| {}).unwrap_err();
            assert!(matches!(failure, Failure::Diverged | Failure::Stream));
        }
    }

    #[test]
    fn noise_is_stored() {
        let bytes: Vec<u8> = (0..999_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let coded = encode(&bytes, how(Method::Contexts), None, &|_| {}).unwrap();
        assert!(coded.payload.len() <= 999);
    }

    /// With a model, in several lanes, and without.
    #[test]
    fn a_false_number_of_coded_bytes_is_refused() {
        let bytes = words::tests::prose(1 << 16);
        let words = Words::of(&bytes, Level::Fast);
        let model = CountsModel(7);
        for method in [Method::Contexts, Method::Mixed] {
            let how = How {
                level: Level::Fast,
                words: words.as_ref(),
                ..how(method)
            };
            let coded = encode(&bytes, how, Some(&model), &|_| {}).unwrap();
            assert_eq!(
                decode(&coded, bytes.len(), Some(&model), &|_| {}),
                Ok(bytes.clone())
            );
            let Some(Models::Second(setup)) = coded.models else {
                panic!("no context models");
            };
            let length = setup.transform.coded_length(bytes.len());
            assert!(length < bytes.len() / 2);
            for other in [0, 1, 3, 15, 16, 17, length - 1, length + 1, bytes.len()] {
                let transform = Transform::Words(other as u32);
                let forged = Coded {
                    models: Some(Models::Second(Setup { transform, ..setup })),
                    ..coded.clone()
                };
                assert!(
                    decode(&forged, bytes.len(), Some(&model), &|_| {}).is_err(),
                    "{other}"
                );
            }
        }
    }

    #[test]
    fn a_claim_of_more_bytes_than_the_stream_holds_is_refused() {
        let mut coded = encode(&text(500), how(Method::Contexts), None, &|_| {}).unwrap();
        coded.payload.truncate(9);
        assert_eq!(decode(&coded, 1 << 20, None, &|_| {}), Err(Failure::Stream));
    }
}
