//! Bytes from a token model: the sum over all ways to cut them into tokens.
//!
//! The probability of a string of bytes is the sum, over all its covers, of the
//! probability of their tokens; a cover is a sequence of tokens whose bytes begin with
//! the string and whose last token it needs (Phan et al. 2024, arXiv 2410.09303; Vieira
//! et al. 2024, arXiv 2412.03719). Almost all of it is in few covers, so [`Covers`]
//! keeps a beam of them: each is tokens that are complete, for which the model has
//! said what comes next, and the range of tokens that go on with the bytes since. With
//! the vocabulary sorted by bytes, prefix sums of the frequencies give the mass of
//! each next byte. A byte may complete tokens; each of these makes a new cover, and
//! those of too little mass are dropped.
//!
//! As a [`Predictor`] it is a distribution of the next byte that any coder can use,
//! alone or mixed with context models: causal, normalised, and computed in an order
//! that is fixed. Weights are `f64`; every operation on them is rounded once.

use crate::archive::Settings;
use crate::contexts::Contexts;
use crate::decoder::Piece;
use crate::frequencies::Frequencies;
use crate::model::Model;
use crate::prefixes::Prefixes;
use crate::price::Progress;
use crate::state::State;
use brevity_codec::predict::{self, PredictError, Predictor};
use brevity_codec::{Frequencies as ByteFrequencies, Layout, SYMBOLS};
use serde::Serialize;
use std::ops::Range;
use std::sync::Arc;

/// How many covers are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beam {
    /// Most covers of a lane.
    pub width: usize,
    /// Share of the mass below which a cover is dropped.
    pub least: f64,
}

impl Default for Beam {
    /// Six covers of one in 256 each: on prose, all but some tenths of a percent of the
    /// mass.
    fn default() -> Beam {
        Beam {
            width: 6,
            least: 1.0 / 256.0,
        }
    }
}

/// A pretrained model that predicts bytes.
#[derive(Debug)]
pub struct ByteModel<'a> {
    model: &'a Model,
    prefixes: Prefixes,
    contexts: Contexts,
    beam: Beam,
    /// Bytes of independent chunks, if they are.
    chunk: Option<usize>,
}

impl<'a> ByteModel<'a> {
    /// A model with contexts, in chunks that are predicted on their own if they are.
    ///
    /// # Panics
    /// If the contexts are longer than the model's, or a chunk or the beam's width
    /// is 0.
    pub fn new(
        model: &'a Model,
        contexts: Contexts,
        chunk: Option<usize>,
        beam: Beam,
    ) -> ByteModel<'a> {
        assert!(contexts.tokens <= model.spec().context, "{contexts:?}");
        assert!(chunk != Some(0) && beam.width > 0, "{chunk:?}, {beam:?}");
        ByteModel {
            model,
            prefixes: Prefixes::new(model.vocabulary()),
            contexts,
            beam,
            chunk,
        }
    }

    /// Lanes at their start.
    pub fn covers(&self, lanes: usize) -> Covers<'_> {
        Covers {
            model: self,
            state: self.model.state(lanes * self.beam.width),
            lanes: vec![Lane::default(); lanes],
            position: 0,
        }
    }
}

/// Lanes that are decoded at once.
const LANES: usize = 8;

impl predict::Model for ByteModel<'_> {
    fn unit(&self) -> usize {
        self.chunk.unwrap_or(1)
    }

    fn lanes(&self) -> usize {
        LANES
    }

    /// Keys and values of all covers, and what each says of all tokens.
    fn memory(&self, layout: &Layout) -> u64 {
        let spec = self.model.spec();
        let steps = layout.steps().min(self.chunk.unwrap_or(usize::MAX)) + 1;
        // A history grows by half at a time.
        let tokens = self.contexts.tokens.min(steps) * 3 / 2 + 64;
        let cover = tokens * spec.position_bytes() + 8 * spec.vocabulary;
        (layout.lanes() * self.beam.width) as u64 * cover as u64
    }

    fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a> {
        Box::new(self.covers(layout.lanes()))
    }
}

/// Bounds of the code length of bytes over all ways to cut them, in chunks that are
/// coded on their own if they are. `progress` hears of bytes that are done, and stops
/// the work if it returns false.
///
/// # Errors
/// A model whose logits are not finite; a stop.
///
/// # Panics
/// As [`ByteModel::new`].
pub fn marginal(
    model: &Model,
    settings: &Settings,
    beam: Beam,
    bytes: &[u8],
    progress: Progress,
) -> Result<Marginal, PredictError> {
    let model = ByteModel::new(model, settings.contexts, None, beam);
    let parts: Vec<&[u8]> = match settings.chunk {
        Some(chunk) => bytes.chunks(chunk).collect(),
        None => vec![bytes],
    };
    let mut out = Marginal {
        bits: 0.0,
        least_bits: 0.0,
    };
    for parts in parts.chunks(LANES) {
        let mut covers = model.covers(parts.len());
        covers.begin();
        for step in 0..parts.iter().map(|part| part.len()).max().unwrap_or(0) {
            covers.ask()?;
            let mut count = 0;
            for (lane, part) in parts.iter().enumerate() {
                if let Some(&byte) = part.get(step) {
                    covers.take(lane, byte);
                    count += 1;
                }
            }
            if !progress(count) {
                return Err(PredictError("stopped".into()));
            }
        }
        for found in covers.marginals() {
            out.bits += found.bits;
            out.least_bits += found.least_bits;
        }
    }
    Ok(out)
}

/// A way to cut the bytes so far.
#[derive(Clone, Debug)]
struct Cover {
    /// What the model has seen: its first token and complete ones.
    ids: Vec<u32>,
    /// Where the state remembers them, among the lane's places.
    place: usize,
    /// Sums of the frequencies of the sorted tokens before each, after `ids`; empty
    /// until the model is asked.
    sums: Arc<Vec<u64>>,
    /// Share of the lane's mass, had the next token any bytes.
    weight: f64,
    /// The tokens that go on with the bytes since.
    range: Range<usize>,
    /// How many bytes that are.
    depth: usize,
}

/// What the frequencies of all tokens and the escape sum to.
const WHOLE: f64 = 4_294_967_296.0;

impl Cover {
    /// The mass of a range of tokens.
    fn mass(&self, range: &Range<usize>) -> f64 {
        self.weight * ((self.sums[range.end] - self.sums[range.start]) as f64 / WHOLE)
    }
}

/// Where a cover comes from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// It was there, and its next token goes on.
    Same,
    /// One token more than what this place remembers.
    After(usize),
    /// A context that begins anew.
    Anew,
}

/// The covers of a lane.
#[derive(Clone, Debug, Default)]
struct Lane {
    covers: Vec<Cover>,
    /// Covers that the model has to see.
    asked: Vec<(usize, Origin)>,
    /// See [`Marginal::bits`].
    bits: f64,
    /// Mass that was ever dropped, by that which is left.
    dropped: f64,
}

/// Covers of some lanes, in lock-step.
pub struct Covers<'a> {
    model: &'a ByteModel<'a>,
    /// `width` places a lane.
    state: State,
    lanes: Vec<Lane>,
    /// Bytes so far.
    position: usize,
}

/// What the mass of covers says of the bytes of a lane so far: bounds of the exact
/// code length, that of the sum over all covers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Marginal {
    /// By the covers that were kept, bits: at least the exact one, and that if nothing
    /// was dropped. A byte that no kept cover can go on with counts 24 bits, as it
    /// costs in a code, and ends the claim.
    pub bits: f64,
    /// As if all that was dropped had foretold every byte after it, bits: at most the
    /// exact one. Over long texts that says little.
    pub least_bits: f64,
}

impl Covers<'_> {
    /// Of each lane since its start.
    pub fn marginals(&self) -> Vec<Marginal> {
        let lanes = self.lanes.iter();
        lanes
            .map(|lane| Marginal {
                bits: lane.bits,
                least_bits: (lane.bits - (1.0 + lane.dropped).log2()).max(0.0),
            })
            .collect()
    }

    /// Begins all lanes anew, with nothing before them.
    fn begin(&mut self) {
        let all = self.model.prefixes.all();
        for lane in &mut self.lanes {
            lane.covers = vec![Cover {
                ids: vec![self.model.model.first()],
                place: 0,
                sums: Arc::default(),
                weight: 1.0,
                range: all.clone(),
                depth: 0,
            }];
            lane.asked = vec![(0, Origin::Anew)];
        }
    }

    /// Asks the model what comes after new covers.
    fn ask(&mut self) -> Result<(), PredictError> {
        let (model, width) = (self.model.model, self.model.beam.width);
        let mut asked = Vec::new();
        for (i, lane) in self.lanes.iter_mut().enumerate() {
            for (cover, from) in std::mem::take(&mut lane.asked) {
                let place = i * width + lane.covers[cover].place;
                match from {
                    Origin::Anew => self.state.reset(place),
                    Origin::After(from) if i * width + from != place => {
                        self.state.copy(i * width + from, place);
                    }
                    Origin::After(_) | Origin::Same => {}
                }
                asked.push((i, cover, place));
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let pieces: Vec<Piece> = asked
            .iter()
            .map(|&(lane, cover, place)| Piece {
                lane: place,
                ids: &self.lanes[lane].covers[cover].ids[self.state.position(place)..],
            })
            .collect();
        let mut logits = model.next_logits(&mut self.state, &pieces);
        let vocabulary = model.spec().vocabulary;
        let mut frequencies = Frequencies::default();
        for (&(lane, cover, _), logits) in asked.iter().zip(logits.chunks_exact_mut(vocabulary)) {
            let set = frequencies.set(logits, model.vocabulary().barred());
            set.map_err(|error| PredictError(error.to_string()))?;
            let mut sum = 0;
            let mut sums = Vec::with_capacity(self.model.prefixes.order().len() + 1);
            sums.push(0);
            for &id in self.model.prefixes.order() {
                sum += u64::from(frequencies.counts()[id as usize]);
                sums.push(sum);
            }
            self.lanes[lane].covers[cover].sums = Arc::new(sums);
        }
        Ok(())
    }

    /// The masses of the next byte of a lane.
    fn masses(&self, lane: &Lane) -> [f64; SYMBOLS] {
        let (vocabulary, order) = (self.model.model.vocabulary(), self.model.prefixes.order());
        let mut out = [0.0; SYMBOLS];
        for cover in &lane.covers {
            let mut start = cover.range.start;
            while start < cover.range.end {
                let byte = vocabulary.token(order[start])[cover.depth];
                let rest = start..cover.range.end;
                let next = self
                    .model
                    .prefixes
                    .next(vocabulary, rest, cover.depth, byte);
                out[usize::from(byte)] += cover.mass(&next);
                start = next.end;
            }
        }
        out
    }

    /// Takes the next byte of a lane; the model must have been asked.
    fn take(&mut self, index: usize, byte: u8) {
        let ByteModel {
            model,
            prefixes,
            contexts,
            beam,
            ..
        } = self.model;
        let vocabulary = model.vocabulary();
        let lane = &mut self.lanes[index];
        let mut next: Vec<(f64, Cover, Origin)> = Vec::new();
        let after = |cover: &Cover, id: u32, weight: f64| {
            let mut ids = cover.ids.clone();
            ids.push(id);
            let full = ids.len() > contexts.tokens;
            if full {
                ids.drain(1..ids.len() - contexts.keep);
            }
            let origin = match full {
                true => Origin::Anew,
                false => Origin::After(cover.place),
            };
            let new = Cover {
                ids,
                place: usize::MAX,
                sums: Arc::default(),
                weight,
                range: prefixes.all(),
                depth: 0,
            };
            (weight, new, origin)
        };
        for cover in &lane.covers {
            let depth = cover.depth + 1;
            let range = prefixes.next(vocabulary, cover.range.clone(), cover.depth, byte);
            let ending = prefixes.ending(vocabulary, range.clone(), depth);
            let longer = ending.end..range.end;
            for token in ending {
                let mass = cover.mass(&(token..token + 1));
                next.push(after(cover, prefixes.order()[token], mass));
            }
            if !longer.is_empty() {
                let mass = cover.mass(&longer);
                let range = longer;
                let same = Cover {
                    range,
                    depth,
                    ..cover.clone()
                };
                next.push((mass, same, Origin::Same));
            }
        }
        if next.is_empty() {
            // No token goes on like that: the best cover ends here, and the byte is
            // skipped unless it has a token.
            let heavier = |a: &&Cover, b: &&Cover| a.weight.total_cmp(&b.weight);
            let best = lane.covers.iter().max_by(heavier);
            let best = best.expect("a lane has covers");
            next.push(match vocabulary.single(byte) {
                Some(id) => after(best, id, 1.0),
                None => {
                    let same = Cover {
                        weight: 1.0,
                        range: prefixes.all(),
                        depth: 0,
                        ..best.clone()
                    };
                    (1.0, same, Origin::Same)
                }
            });
            lane.bits += f64::from(brevity_codec::PRECISION);
        }
        // A stable sort: equal masses stay in order.
        next.sort_by(|a, b| b.0.total_cmp(&a.0));
        let sum = |covers: &[(f64, Cover, Origin)]| covers.iter().map(|c| c.0).sum::<f64>();
        let least = beam.least * sum(&next);
        let kept = next.partition_point(|(mass, ..)| *mass >= least);
        let dropped = sum(&next.split_off(kept.clamp(1, beam.width)));
        let left = sum(&next);
        lane.bits -= left.log2();
        lane.dropped = (lane.dropped + dropped) / left;
        lane.asked.clear();
        let places = places(&next, beam.width);
        for (i, ((_, cover, origin), place)) in next.iter_mut().zip(places).enumerate() {
            cover.weight /= left;
            cover.place = place;
            if !matches!(origin, Origin::Same) {
                lane.asked.push((i, *origin));
            }
        }
        lane.covers = next.into_iter().map(|(_, cover, _)| cover).collect();
    }
}

/// A place for each cover: the old ones keep theirs. Places are filled in the order of
/// the covers, and none is before the last cover that continues it has been: that one
/// takes it, if it is free.
fn places(covers: &[(f64, Cover, Origin)], width: usize) -> Vec<usize> {
    let mut taken = vec![false; width];
    let mut readers = vec![0; width];
    for (_, cover, origin) in covers {
        match *origin {
            Origin::Same => taken[cover.place] = true,
            Origin::After(from) => readers[from] += 1,
            Origin::Anew => {}
        }
    }
    let mut unread: Vec<usize> = (0..width)
        .rev()
        .filter(|&place| !taken[place] && readers[place] == 0)
        .collect();
    let mut free = || unread.pop().expect("as many places as covers");
    let place = |(_, cover, origin): &(f64, Cover, Origin)| match *origin {
        Origin::Same => cover.place,
        Origin::Anew => free(),
        Origin::After(from) => {
            readers[from] -= 1;
            match taken[from] || readers[from] > 0 {
                true => free(),
                false => from,
            }
        }
    };
    covers.iter().map(place).collect()
}

impl Predictor for Covers<'_> {
    fn lanes(&self) -> usize {
        self.lanes.len()
    }

    fn predict(&mut self, next: &mut [ByteFrequencies]) -> Result<(), PredictError> {
        let chunk = self.model.chunk.unwrap_or(usize::MAX);
        if self.position.is_multiple_of(chunk) && self.lanes.iter().all(|l| l.covers.is_empty()) {
            self.begin();
        }
        self.ask()?;
        for (lane, out) in self.lanes.iter().zip(next) {
            let masses = self.masses(lane);
            let all: f64 = masses.iter().sum();
            // Sixteen million for all; the least likely bytes get what any gets.
            let scale = f64::from(brevity_codec::TOTAL) / all;
            *out = ByteFrequencies::from_weights(&masses.map(|mass| (mass * scale) as u32));
        }
        Ok(())
    }

    fn update(&mut self, bytes: &[u8]) -> Result<(), PredictError> {
        for (lane, &byte) in bytes.iter().enumerate() {
            self.take(lane, byte);
        }
        self.position += 1;
        if self
            .model
            .chunk
            .is_some_and(|chunk| self.position.is_multiple_of(chunk))
        {
            self.lanes.iter_mut().for_each(|lane| lane.covers.clear());
        }
        Ok(())
    }
}
