//! Coding and decoding of one block of bytes.
//!
//! A block is one stream of the range coder. It is coded step by step, and within
//! a step from the first lane to the last. An encoder prices the next slice of steps
//! while it codes the current one; a decoder predicts one step at a time (`lanes`).

mod follow;
mod lanes;

use crate::cm::{Gates, Level, Models, Transform, survey, survey_unchanged};
use crate::coder::{ByteDecoder, ByteEncoder, Given, Known, Wanted};
use crate::layout::Layout;
use crate::mixing::Mixing;
use crate::predict::{Model, PredictError, Predictor, Priced};
use crate::said::Said;
use std::borrow::Cow;

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

/// Bytes between two calls of a [`Progress`] without a model.
const STRIDE: usize = 1 << 15;

/// Most bytes of memory that a predictor may use for a block that is coded. A reader
/// has a limit of its own.
const MOST_MEMORY: u64 = 1 << 33;

/// Most bytes of memory that a block's context models and those of a decoder that follows
/// them take.
const MOST_FOLLOWED: u64 = 1 << 30;

/// Refuses to code a block for which the predictor needs too much memory.
fn check_memory(model: &dyn Model, layout: &Layout) -> Result<(), PredictError> {
    let memory = model.memory(layout);
    if memory > MOST_MEMORY {
        return Err(PredictError(format!(
            "the model needs {memory} bytes for {} lanes of {} bytes, more than {MOST_MEMORY}: \
             make blocks smaller",
            layout.lanes(),
            layout.steps()
        )));
    }
    Ok(())
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

/// How blocks are coded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub method: Method,
    pub level: Level,
    /// Those of a model that was trained beside context models, if the two are mixed.
    pub gates: Option<Gates>,
    /// Takes the place of the model's own number of lanes.
    pub lanes: Option<usize>,
    /// Whether to decode what context models code alone, on a thread of its own, as it is
    /// coded, where both together take at most [`MOST_FOLLOWED`].
    pub decode: bool,
    /// Whether the archive is brief.
    pub brief: bool,
}

/// The power of two of lanes, for a block that is coded like this.
pub(crate) fn lanes_log2(how: How, model: Option<&dyn Model>) -> u32 {
    needed(how.method, model).map_or(0, |m| how.lanes.unwrap_or_else(|| m.lanes()).ilog2())
}

/// Codes `bytes`, raw if nothing shorter comes of it.
///
/// # Panics
/// If the method needs a model and there is none, or if `lanes` is 0.
pub(crate) fn encode(
    bytes: &[u8],
    how: How,
    model: Option<&dyn Model>,
    progress: Progress<'_>,
) -> Result<Coded, PredictError> {
    let How {
        method,
        level,
        gates,
        ..
    } = how;
    let raw = || Coded {
        method: Method::Raw,
        lanes_log2: 0,
        models: None,
        gates: None,
        payload: bytes.to_vec(),
        frequencies: None,
        decoded: Some(true),
    };
    if method == Method::Raw || bytes.is_empty() {
        progress(bytes.len() as u64);
        return Ok(raw());
    }
    let model = needed(method, model);
    let lanes_log2 = lanes_log2(how, model);
    let models = method.needs_contexts().then(|| {
        Models::Second(match model {
            None => survey(level, bytes),
            Some(_) => survey_unchanged(level, bytes),
        })
    });
    let mixture =
        |lanes| models.map(|m| Mixing::new(m, gates, lanes, bytes.len(), model.is_some()));
    let mut decoded = None;
    let (payload, frequencies) = match model {
        None => {
            let mut changed = Cow::Borrowed(bytes);
            let transform = models.expect("context models").transform();
            if transform != Transform::None {
                transform.apply(changed.to_mut());
            }
            let memory = models.map_or(0, |m| m.memory(1, bytes.len()));
            let mixture = || mixture(1).expect("context models");
            if how.decode && 2 * memory <= MOST_FOLLOWED {
                let coded;
                (coded, decoded) = follow::encode(&changed, &mixture, progress);
                if let Cow::Owned(changed) = &mut changed {
                    transform.undo(changed);
                    decoded = decoded.map(|same| same && changed == bytes);
                }
                coded
            } else {
                encode_contexts(&changed, mixture(), progress, |_| {})
            }
        }
        Some(model) => {
            let layout = Layout::new(bytes.len(), model.unit(), 1 << lanes_log2);
            check_memory(model, &layout)?;
            check_beside(model, gates)?;
            encode_lanes(bytes, &layout, model, mixture(layout.lanes()), progress)?
        }
    };
    let coded = Coded {
        method,
        lanes_log2,
        models,
        gates,
        payload,
        frequencies: Some(frequencies),
        decoded,
    };
    if coded.payload.len() + coded.extra_header(how.brief) >= bytes.len() {
        return Ok(raw());
    }
    Ok(coded)
}

/// The stream of context models alone, and the hash of its frequencies. From time to time,
/// `tell` gets the bytes that will not change.
fn encode_contexts(
    bytes: &[u8],
    mut mixture: Mixing,
    progress: Progress<'_>,
    mut tell: impl FnMut(&[u8]),
) -> (Vec<u8>, u32) {
    let mut coder = ByteEncoder::default();
    for part in bytes.chunks(STRIDE) {
        let given = Given {
            coder,
            bytes: part.iter(),
        };
        coder = mixture.code_all(given).coder;
        progress(part.len() as u64);
        tell(coder.settled());
    }
    coder.finish()
}

fn encode_lanes(
    bytes: &[u8],
    layout: &Layout,
    model: &dyn Model,
    mut mixture: Option<Mixing>,
    progress: Progress<'_>,
) -> Result<(Vec<u8>, u32), PredictError> {
    let lanes = layout.lanes();
    let mut predictor = model.start(layout);
    let mut coder = ByteEncoder::default();
    let slice = |first: usize| -> Slice {
        let steps = SLICE.min(layout.steps() - first);
        let mut column = vec![0; lanes * steps];
        for (lane, column) in column.chunks_mut(steps).enumerate() {
            let range = layout.range(lane);
            let rest = &bytes[range][first.min(layout.range(lane).len())..];
            let count = steps.min(rest.len());
            column[..count].copy_from_slice(&rest[..count]);
        }
        Slice {
            first,
            steps,
            priced: vec![Priced::default(); column.len()],
            said: Vec::new(),
            bytes: column,
        }
    };
    // A model that learns beside context models needs to hear them first.
    let beside = model.learns_beside();
    let mut current = slice(0);
    if let Some(mixture) = mixture.as_mut().filter(|_| beside) {
        current.say(layout, mixture);
    }
    current.price(&mut *predictor)?;
    loop {
        let next = current.first + current.steps;
        let mut ahead = (next < layout.steps()).then(|| slice(next));
        if let (Some(ahead), Some(mixture)) = (&mut ahead, mixture.as_mut().filter(|_| beside)) {
            ahead.say(layout, mixture);
        }
        let (priced, ()) = rayon::join(
            || match &mut ahead {
                Some(slice) => slice.price(&mut *predictor),
                None => Ok(()),
            },
            || progress(current.code(layout, &mut coder, mixture.as_mut())),
        );
        priced?;
        match ahead {
            Some(slice) => current = slice,
            None => return Ok(coder.finish()),
        }
    }
}

/// Consecutive steps of all lanes, `[lanes, steps]`.
struct Slice {
    first: usize,
    steps: usize,
    bytes: Vec<u8>,
    priced: Vec<Priced>,
    /// What context models said of the bytes, if they spoke first.
    said: Vec<Said>,
}

impl Slice {
    /// Lets the context models speak of all bytes.
    fn say(&mut self, layout: &Layout, mixture: &mut Mixing) {
        self.said = vec![Said::default(); self.bytes.len()];
        for step in 0..self.steps {
            for lane in 0..layout.lanes() {
                let at = lane * self.steps + step;
                if lane < layout.active(self.first + step) {
                    self.said[at] = mixture.say(lane, self.bytes[at]);
                } else {
                    mixture.skip();
                }
            }
        }
    }

    /// Prices all bytes.
    fn price(&mut self, predictor: &mut dyn Predictor) -> Result<(), PredictError> {
        let (bytes, steps, priced) = (&self.bytes, self.steps, &mut self.priced);
        if self.said.is_empty() {
            return predictor.price(bytes, steps, priced);
        }
        let said = self.said.iter().zip(bytes);
        let said: Vec<_> = said.map(|(said, &byte)| said.logits(byte)).collect();
        predictor.price_beside(bytes, &said, steps, priced)
    }

    /// Codes the slice and returns its number of bytes.
    fn code(
        &self,
        layout: &Layout,
        coder: &mut ByteEncoder,
        mut mixture: Option<&mut Mixing>,
    ) -> u64 {
        let mut count = 0;
        for step in 0..self.steps {
            count += layout.active(self.first + step) as u64;
            for lane in 0..layout.lanes() {
                let at = lane * self.steps + step;
                let active = lane < layout.active(self.first + step);
                match &mut mixture {
                    Some(mixture) if active => {
                        coder.byte = self.bytes[at];
                        let advice = Known(&self.priced[at], self.bytes[at]);
                        match self.said.get(at) {
                            Some(said) => mixture.code_said(lane, said, coder, &advice),
                            None => {
                                mixture.code(lane, coder, &advice);
                            }
                        }
                    }
                    // Otherwise, the lanes that have ended were skipped when it was said.
                    Some(mixture) if self.said.is_empty() => mixture.skip(),
                    Some(_) => {}
                    None if active => coder.symbol(&self.priced[at]),
                    None => {}
                }
            }
        }
        count
    }
}

/// Decodes `length` bytes.
///
/// # Panics
/// If the method needs a model and there is none.
pub(crate) fn decode(
    coded: &Coded,
    length: usize,
    model: Option<&dyn Model>,
    progress: Progress<'_>,
) -> Result<Vec<u8>, Failure> {
    if coded.method == Method::Raw {
        progress(length as u64);
        return Ok(coded.payload.clone());
    }
    let mut coder = ByteDecoder::new(&coded.payload);
    decode_stream(&mut coder, coded, length, model, progress)
}

/// The code length in bits of the block's bytes, under the frequencies that code
/// them.
///
/// # Panics
/// As [`decode`].
pub(crate) fn code_length(
    coded: &Coded,
    length: usize,
    model: Option<&dyn Model>,
    progress: Progress<'_>,
) -> Result<f64, Failure> {
    if coded.method == Method::Raw {
        progress(length as u64);
        return Ok(8.0 * length as f64);
    }
    let mut coder = ByteDecoder::new(&coded.payload);
    coder.bits = Some(0.0);
    decode_stream(&mut coder, coded, length, model, progress)?;
    Ok(coder.bits.unwrap_or_default())
}

fn decode_stream(
    coder: &mut ByteDecoder,
    coded: &Coded,
    length: usize,
    model: Option<&dyn Model>,
    progress: Progress<'_>,
) -> Result<Vec<u8>, Failure> {
    let model = needed(coded.method, model);
    let mixture = |lanes| {
        let models = coded.models;
        models.map(|m| Mixing::new(m, coded.gates, lanes, length, model.is_some()))
    };
    let out = match model {
        None => {
            let mixture = mixture(1).expect("context models");
            let mut bytes = decode_contexts(coder, mixture, length, progress)?;
            coded
                .models
                .expect("context models")
                .transform()
                .undo(&mut bytes);
            bytes
        }
        Some(model) => {
            let layout = Layout::new(length, model.unit(), 1 << coded.lanes_log2);
            check_beside(model, coded.gates)?;
            lanes::decode(coder, &layout, model, mixture(layout.lanes()), progress)?
        }
    };
    if coded
        .frequencies
        .is_some_and(|hash| coder.hash.finish() != hash)
    {
        return Err(Failure::Diverged);
    }
    if !coder.decoder.ended() {
        return Err(Failure::Stream);
    }
    Ok(out)
}

fn decode_contexts(
    coder: &mut ByteDecoder,
    mut mixture: Mixing,
    length: usize,
    progress: Progress<'_>,
) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::with_capacity(length);
    while out.len() < length {
        let start = out.len();
        mixture.code_all(Wanted {
            coder,
            out: &mut out,
            length: length.min(start + STRIDE),
            least: 0,
        });
        if coder.decoder.overrun() {
            return Err(Failure::Stream);
        }
        progress((out.len() - start) as u64);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::Counts;

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

    fn how(method: Method) -> How {
        How {
            method,
            level: Level::default(),
            gates: None,
            lanes: None,
            decode: false,
            brief: false,
        }
    }

    /// Every way to code, and whether a gate is behind context models.
    fn ways() -> impl Iterator<Item = How> {
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

    #[test]
    fn a_claim_of_more_bytes_than_the_stream_holds_is_refused() {
        let mut coded = encode(&text(500), how(Method::Contexts), None, &|_| {}).unwrap();
        coded.payload.truncate(9);
        assert_eq!(decode(&coded, 1 << 20, None, &|_| {}), Err(Failure::Stream));
    }
}
