//! Streams of bytes within tokens, mixed with context models.
//!
//! The model says of each token how likely it is, hence of each byte of a token how likely
//! it is after the bytes since the last token ended ([`Walk`]), at no further forward
//! pass; a gate adds that to what context models say ([`Blend`]). Where the bytes do not
//! tell whether a token ends, a [`Flags`] decision does, by the model's probability as it
//! was right so far. A byte without a token ends as one of no token: the model does not
//! see it, and it needs no escape.
//!
//! Without context models and learning, the code length would be that of the tokens.

use super::error::ArchiveError;
use super::settings::{Settings, tokenise};
use crate::contexts::Stream;
use crate::decoder::Piece;
use crate::frequencies::Frequencies;
use crate::model::Model;
use crate::prefixes::Prefixes;
use crate::price::{Progress, each};
use crate::state::State;
use crate::tokenizer::Item;
use crate::walk::{Border, Walk};
use brevity_codec::predict::Priced;
use brevity_codec::range::{Decoder, Encoder};
use brevity_codec::{Blend, BlendSetup, Flags, Level};

/// The context models' level.
pub(super) const LEVEL: Level = Level::Best;

/// Lengths of tokens that borders tell apart, and of the token before.
const LENGTHS: usize = 5;
const LAST_LENGTHS: usize = 3;

/// A border's context.
fn context(length: usize, last: usize) -> usize {
    length.min(LENGTHS - 1) * LAST_LENGTHS + last.min(LAST_LENGTHS - 1)
}

/// What the model says of a byte of an item.
#[derive(Clone, Debug)]
struct Step {
    byte: u8,
    said: Priced,
    /// The masses of going on and of ending, where bytes leave it open.
    border: Option<(u32, u32)>,
}

/// What the model says along the bytes of an item.
fn steps(model: &Model, prefixes: &Prefixes, frequencies: &Frequencies, item: Item) -> Vec<Step> {
    let raw;
    let bytes = match item {
        Item::Token(id) => model.vocabulary().token(id),
        Item::Byte(byte) => {
            raw = [byte];
            &raw
        }
    };
    let counts = frequencies.counts();
    let mut walk = Walk::new(model.vocabulary(), prefixes);
    let step = |&byte| {
        let said = Priced::new(&walk.next(counts), byte);
        let border = match walk.take(byte, counts) {
            Border::Open(_, masses) => Some(masses),
            Border::No | Border::Yes(_) => None,
        };
        Step { byte, said, border }
    };
    bytes.iter().map(step).collect()
}

/// How the context models are set up, the stream, and its items.
type Coded = (BlendSetup, Vec<u8>, Vec<Vec<Item>>);

/// The stream of content.
pub(super) fn encode(
    model: &Model,
    settings: &Settings,
    content: &[u8],
    progress: Progress,
) -> Result<Coded, ArchiveError> {
    let prefixes = Prefixes::new(model.vocabulary());
    let mut streams: Vec<Vec<Item>> = tokenise(model, settings, content)
        .into_iter()
        .flatten()
        .collect();
    for item in streams.iter_mut().flatten() {
        if let Item::Token(id) = item {
            // The decoder knows bytes, and several tokens may have the same.
            *id = prefixes.first_alike(model.vocabulary(), *id);
        }
    }
    let take = |frequencies: &Frequencies, item| steps(model, &prefixes, frequencies, item);
    let found = each(model, &settings.contexts, &streams, take, progress)?;
    let setup = BlendSetup::of(LEVEL, content);
    let mut blend = Blend::new(setup, content.len());
    let mut borders = Flags::new(LENGTHS * LAST_LENGTHS);
    let mut encoder = Encoder::default();
    for items in &found {
        let mut last = 0;
        for (i, item) in items.iter().enumerate() {
            for (depth, Step { byte, said, border }) in (1..).zip(item) {
                blend.encode(*byte, said, &mut encoder);
                let ends = depth == item.len();
                // A stream that is complete ends whatever it holds.
                if let Some(masses) = border.filter(|_| !ends || i + 1 < items.len()) {
                    borders.encode(ends, masses, context(depth, last), &mut encoder);
                }
            }
            last = item.len();
        }
    }
    Ok((setup, encoder.finish(), streams))
}

/// The content of a stream.
pub(super) fn decode(
    model: &Model,
    settings: &Settings,
    setup: BlendSetup,
    bytes: usize,
    payload: &[u8],
    progress: Progress,
) -> Result<Vec<u8>, ArchiveError> {
    let prefixes = Prefixes::new(model.vocabulary());
    let mut blend = Blend::new(setup, bytes);
    let mut borders = Flags::new(LENGTHS * LAST_LENGTHS);
    let mut decoder = Decoder::new(payload);
    let mut next = Next {
        model,
        state: model.state(1),
        frequencies: Frequencies::default(),
    };
    let mut out = Vec::new();
    for length in settings.streams(bytes) {
        let end = out.len() + length;
        let mut stream = Stream::new(model.first());
        let mut last = 0;
        while out.len() < end {
            next.see(&mut stream)?;
            let counts = next.frequencies.counts();
            let mut walk = Walk::new(model.vocabulary(), &prefixes);
            let token = loop {
                let byte = blend.decode(&walk.next(counts), &mut decoder);
                if decoder.overrun() {
                    return Err(ArchiveError::Damaged);
                }
                out.push(byte);
                let border = walk.take(byte, counts);
                if out.len() == end {
                    break None;
                }
                match border {
                    Border::No => {}
                    Border::Yes(id) => break id,
                    Border::Open(id, masses) => {
                        if borders.decode(masses, context(walk.depth(), last), &mut decoder) {
                            break id;
                        }
                    }
                }
            };
            last = walk.depth();
            if let Some(id) = token {
                stream.push(&settings.contexts, model.first(), id);
            }
            if !progress(last) {
                return Err(ArchiveError::Stopped);
            }
        }
    }
    match decoder.ended() {
        true => Ok(out),
        false => Err(ArchiveError::Damaged),
    }
}

/// What the model says of the next token.
struct Next<'a> {
    model: &'a Model,
    state: State,
    frequencies: Frequencies,
}

impl Next<'_> {
    /// Shows the model what a stream has pending, if anything.
    fn see(&mut self, stream: &mut Stream) -> Result<(), ArchiveError> {
        if stream.pending().is_empty() {
            return Ok(());
        }
        if stream.fresh() {
            self.state.reset(0);
        }
        let ids = &stream.take_pending()[..];
        let pieces = [Piece { lane: 0, ids }];
        let mut logits = self.model.next_logits(&mut self.state, &pieces);
        let barred = self.model.vocabulary().barred();
        Ok(self.frequencies.set(&mut logits, barred)?)
    }
}
