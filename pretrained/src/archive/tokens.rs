//! Streams of tokens: lanes that advance side by side.

use super::error::ArchiveError;
use super::settings::{Settings, tokenise};
use crate::contexts::Stream;
use crate::decoder::Piece;
use crate::frequencies::{Frequencies, Interval, NonFinite};
use crate::model::Model;
use crate::price::{self, Progress};
use crate::state::State;
use crate::tokenizer::Item;
use brevity_codec::range::{Decoder, Encoder};
use rayon::prelude::*;

/// A stream and what it holds.
pub(super) struct Coded {
    pub stream: Vec<u8>,
    /// Sum of the code lengths, bits.
    pub bits: f64,
    pub items: Vec<Vec<Item>>,
}

/// The stream of the tokens of content, and what `take` says of each token of each
/// stream and the frequencies that code it.
pub(super) fn encode<T: Clone + Default + Send>(
    model: &Model,
    settings: &Settings,
    content: &[u8],
    take: impl Fn(&Frequencies, Item) -> T + Sync,
    progress: Progress,
) -> Result<(Coded, Vec<Vec<T>>), ArchiveError> {
    let lanes = tokenise(model, settings, content);
    let counts: Vec<usize> = lanes.iter().map(Vec::len).collect();
    let streams: Vec<Vec<Item>> = lanes.into_iter().flatten().collect();
    let both = |frequencies: &Frequencies, item| {
        let interval = price::interval(frequencies, item);
        (interval, take(frequencies, item))
    };
    let found = price::each(model, &settings.contexts, &streams, both, progress)?;
    let found = found.into_iter().map(|found| found.into_iter().unzip());
    let (intervals, taken): (Vec<Vec<Interval>>, Vec<Vec<T>>) = found.unzip();
    let bits = streams.iter().zip(&intervals);
    let mut bits: f64 = bits.map(|(items, i)| price::bits(items, i)).sum();

    let mut encoder = Encoder::default();
    let mut lanes: Vec<_> = counts
        .iter()
        .scan(0, |start, &count| {
            let range = *start..*start + count;
            *start += count;
            Some(range)
        })
        .map(|range| {
            let items = streams[range.clone()].iter().flatten();
            items.zip(intervals[range].iter().flatten())
        })
        .collect();
    let mut through = false;
    while !through {
        through = true;
        for lane in &mut lanes {
            let Some((item, interval)) = lane.next() else {
                continue;
            };
            through = false;
            encoder.fine_symbol(interval.start, interval.frequency);
            if let Item::Byte(byte) = item {
                encoder.fine_symbol(u32::from(*byte) << 24, 1 << 24);
            }
        }
    }
    for bit in settings.form.rest(content) {
        encoder.fine_symbol(u32::from(bit) << 31, 1 << 31);
        bits += 1.0;
    }
    let coded = Coded {
        stream: encoder.finish(),
        bits,
        items: streams,
    };
    Ok((coded, taken))
}

/// A lane that is decoded.
struct Lane<Later> {
    stream: Stream,
    /// Text so far.
    out: Vec<u8>,
    /// Bytes that the current stream still needs, and those of later streams.
    missing: usize,
    /// Bytes of text, at most.
    most: usize,
    /// Not a list: a short header may ask for very many.
    later: Later,
    frequencies: Frequencies,
}

impl<Later: Iterator<Item = usize>> Lane<Later> {
    fn next_stream(&mut self, first: u32) {
        if let Some(len) = self.later.next() {
            self.missing = len;
            self.stream = Stream::new(first);
        }
    }

    /// Decodes an item; how many bytes of the content end in it.
    fn item(
        &mut self,
        decoder: &mut Decoder,
        model: &Model,
        settings: &Settings,
    ) -> Result<usize, ArchiveError> {
        let found = self.frequencies.find(decoder.fine_target());
        let (_, interval) = found.unwrap_or((0, Interval::ESCAPE));
        decoder.take_fine(interval.start, interval.frequency);
        let raw;
        let bytes = match found {
            Some((id, _)) => {
                self.stream.push(&settings.contexts, model.first(), id);
                model.vocabulary().token(id)
            }
            None => {
                raw = [(decoder.fine_target() >> 24) as u8];
                decoder.take_fine(u32::from(raw[0]) << 24, 1 << 24);
                &raw
            }
        };
        let count = settings.form.bytes_of(bytes);
        // A barred token has no bytes: no encoder wrote it.
        if bytes.is_empty() || count > self.missing || decoder.overrun() {
            return Err(ArchiveError::Damaged);
        }
        self.missing -= count;
        self.out.extend_from_slice(bytes);
        // No character of a form has more than two bytes.
        if self.out.len() > self.most {
            return Err(ArchiveError::Damaged);
        }
        if self.missing == 0 {
            self.next_stream(model.first());
        }
        Ok(count)
    }
}

/// The content of a stream of tokens.
pub(super) fn decode(
    model: &Model,
    settings: &Settings,
    bytes: usize,
    payload: &[u8],
    progress: Progress,
) -> Result<Vec<u8>, ArchiveError> {
    let layout = settings.layout(bytes);
    let mut lanes: Vec<Lane<_>> = (0..layout.lanes())
        .map(|lane| {
            let len = layout.range(lane).len();
            let mut lane = Lane {
                stream: Stream::default(),
                out: Vec::new(),
                missing: 0,
                most: 2 * len,
                later: settings.streams(len),
                frequencies: Frequencies::default(),
            };
            lane.next_stream(model.first());
            lane
        })
        .collect();
    let mut state = model.state(lanes.len());
    let mut decoder = Decoder::new(payload);
    let mut done = 0;
    while done < bytes {
        predict(model, &mut state, &mut lanes)?;
        for lane in lanes.iter_mut().filter(|lane| lane.missing > 0) {
            let more = lane.item(&mut decoder, model, settings)?;
            done += more;
            if !progress(more) {
                return Err(ArchiveError::Stopped);
            }
        }
    }
    let text: Vec<u8> = lanes.into_iter().flat_map(|lane| lane.out).collect();
    let rest = std::iter::from_fn(|| {
        let bit = decoder.fine_target() >> 31;
        decoder.take_fine(bit << 31, 1 << 31);
        Some(bit == 1)
    });
    let content = settings.form.bytes(text, rest);
    match content.filter(|_| decoder.ended()) {
        Some(content) => Ok(content),
        None => Err(ArchiveError::Damaged),
    }
}

/// Shows the model what lanes have pending, and asks it what comes next there.
fn predict<Later>(
    model: &Model,
    state: &mut State,
    lanes: &mut [Lane<Later>],
) -> Result<(), NonFinite> {
    let mut pieces = Vec::with_capacity(lanes.len());
    let mut asked = Vec::with_capacity(lanes.len());
    for (lane, it) in lanes.iter_mut().enumerate() {
        if it.missing == 0 || it.stream.pending().is_empty() {
            continue;
        }
        if it.stream.fresh() {
            state.reset(lane);
        }
        let Lane {
            stream,
            frequencies,
            ..
        } = it;
        let ids = stream.take_pending();
        pieces.push((lane, ids));
        asked.push(frequencies);
    }
    let pieces: Vec<Piece> = pieces
        .iter()
        .map(|(lane, ids)| Piece { lane: *lane, ids })
        .collect();
    let mut logits = model.next_logits(state, &pieces);
    let barred = model.vocabulary().barred();
    asked
        .par_iter_mut()
        .zip(logits.par_chunks_mut(model.spec().vocabulary))
        .try_for_each(|(frequencies, logits)| frequencies.set(logits, barred))
}
