//! What known items cost: whole contexts at once.

use crate::contexts::Contexts;
use crate::decoder::Piece;
use crate::frequencies::{Frequencies, Interval, NonFinite};
use crate::model::Model;
use crate::tokenizer::Item;
use rayon::prelude::*;
use std::ops::Range;

/// Rows of a forward pass: enough to make up for decoding the parameters once.
const ROWS: usize = 1024;

/// Logits that are held at once.
const LOGITS: usize = 1 << 23;

/// Hears of bytes that are done; false stops the work.
pub type Progress<'a> = &'a (dyn Fn(usize) -> bool + Sync);

/// Why items have no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The model has no finite logits.
    #[error("stream {stream}, item {item}: {source}")]
    NotFinite {
        /// The stream.
        stream: usize,
        /// The first item that cannot be priced.
        item: usize,
        /// Why.
        source: NonFinite,
    },
    /// The caller asked for it.
    #[error("stopped")]
    Stopped,
}

/// The interval of each item of some streams; that of a byte without a token is the
/// escape's, after which its 8 bits follow. `progress` hears of the bytes that were
/// priced, and stops the work if it returns false.
///
/// # Errors
/// Logits that are not finite; a stop.
///
/// # Panics
/// If a token does not exist, or contexts are longer than the model's.
pub fn price(
    model: &Model,
    contexts: &Contexts,
    streams: &[Vec<Item>],
    progress: Progress,
) -> Result<Vec<Vec<Interval>>, PriceError> {
    each(model, contexts, streams, interval, progress)
}

/// The interval of an item.
pub(crate) fn interval(frequencies: &Frequencies, item: Item) -> Interval {
    match item {
        Item::Token(id) => frequencies.interval(id),
        Item::Byte(_) => Interval::ESCAPE,
    }
}

/// What `take` says of each item and the frequencies that code it.
///
/// # Errors
/// As [`price`].
///
/// # Panics
/// As [`price`].
pub fn each<T: Clone + Default + Send>(
    model: &Model,
    contexts: &Contexts,
    streams: &[Vec<Item>],
    take: impl Fn(&Frequencies, Item) -> T + Sync,
    progress: Progress,
) -> Result<Vec<Vec<T>>, PriceError> {
    let mut out: Vec<Vec<T>> = Vec::with_capacity(streams.len());
    for items in streams {
        out.push(vec![T::default(); items.len()]);
    }
    let mut batch: Vec<Segment> = Vec::new();
    let mut rows = 0;
    for segment in segments(model.first(), contexts, streams) {
        rows += segment.inputs.len();
        batch.push(segment);
        if rows >= ROWS {
            run(model, streams, &batch, &mut out, &take, progress)?;
            batch.clear();
            rows = 0;
        }
    }
    run(model, streams, &batch, &mut out, &take, progress)?;
    Ok(out)
}

/// A context and the items that it predicts.
struct Segment {
    stream: usize,
    /// What the model sees.
    inputs: Vec<u32>,
    /// The first row that predicts, and the items of each row from there on.
    first_row: usize,
    items: Vec<Range<usize>>,
}

/// The contexts of all streams in order.
fn segments<'a>(
    first: u32,
    contexts: &'a Contexts,
    streams: &'a [Vec<Item>],
) -> impl Iterator<Item = Segment> + 'a {
    streams.iter().enumerate().flat_map(move |(stream, items)| {
        let mut ids = Vec::new();
        // Items before which there are `t` tokens: escapes, then the token.
        let mut rows: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        for (i, item) in items.iter().enumerate() {
            if let Item::Token(id) = item {
                ids.push(*id);
                rows.push(start..i + 1);
                start = i + 1;
            }
        }
        if start < items.len() {
            rows.push(start..items.len());
        }
        let mut begin = 0;
        std::iter::from_fn(move || {
            if begin >= rows.len() {
                return None;
            }
            let end = contexts.end(begin).min(rows.len());
            let kept = contexts.kept(begin);
            let mut inputs = vec![first];
            inputs.extend_from_slice(&ids[begin - kept..end - 1]);
            let segment = Segment {
                stream,
                inputs,
                first_row: kept,
                items: rows[begin..end].to_vec(),
            };
            begin = end;
            Some(segment)
        })
    })
}

fn run<T: Clone + Send>(
    model: &Model,
    streams: &[Vec<Item>],
    batch: &[Segment],
    out: &mut [Vec<T>],
    take: &(impl Fn(&Frequencies, Item) -> T + Sync),
    progress: Progress,
) -> Result<(), PriceError> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut state = model.state(batch.len());
    let pieces: Vec<Piece> = (0..)
        .zip(batch)
        .map(|(lane, segment)| Piece {
            lane,
            ids: &segment.inputs,
        })
        .collect();
    let hidden = model.hidden(&mut state, &pieces);
    drop(state);
    let (width, vocabulary) = (model.spec().width, model.spec().vocabulary);
    let block = (LOGITS / vocabulary).max(8);
    let mut logits = vec![0.0; block * vocabulary];
    let mut start = 0;
    for segment in batch {
        let rows = &hidden[(start + segment.first_row) * width..];
        let rows = &rows[..segment.items.len() * width];
        for (rows, items) in rows.chunks(block * width).zip(segment.items.chunks(block)) {
            let logits = &mut logits[..items.len() * vocabulary];
            model.logits(rows, logits);
            let symbols = &streams[segment.stream];
            let priced: Result<Vec<Vec<T>>, PriceError> = logits
                .par_chunks_mut(vocabulary)
                .zip(items)
                .map_init(Frequencies::default, |frequencies, (logits, items)| {
                    let barred = model.vocabulary().barred();
                    frequencies
                        .set(logits, barred)
                        .map_err(|source| PriceError::NotFinite {
                            stream: segment.stream,
                            item: items.start,
                            source,
                        })?;
                    let items = symbols[items.clone()].iter();
                    Ok(items.map(|&item| take(frequencies, item)).collect())
                })
                .collect();
            let mut bytes = 0;
            for (range, priced) in items.iter().zip(priced?) {
                out[segment.stream][range.clone()].clone_from_slice(&priced);
                let lengths = symbols[range.clone()].iter().map(|item| match item {
                    Item::Token(id) => model.vocabulary().token(*id).len(),
                    Item::Byte(_) => 1,
                });
                bytes += lengths.sum::<usize>();
            }
            if !progress(bytes) {
                return Err(PriceError::Stopped);
            }
        }
        start += segment.inputs.len();
    }
    Ok(())
}

/// The code length of items, bits.
pub fn bits(items: &[Item], intervals: &[Interval]) -> f64 {
    let escaped = items.iter().filter(|item| matches!(item, Item::Byte(_)));
    8.0 * escaped.count() as f64 + intervals.iter().map(|i| i.bits()).sum::<f64>()
}
