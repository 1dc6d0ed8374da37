//! What each byte costs.

use crate::archive::{ArchiveError, Compressed, Settings, compress_each, tokenise};
use crate::form::Form;
use crate::frequencies::{Frequencies, Interval};
use crate::model::Model;
use crate::prefixes::Prefixes;
use crate::price::{PriceError, Progress, each};
use crate::tokenizer::Item;
use brevity_codec::log2;

/// The code length of each byte, bits; their sum is that of the tokens.
///
/// A token's frequency is a product over its bytes: of all tokens that start with the
/// bytes so far, those that go on with the next byte, and in the end the one that
/// stops there. So a byte costs what a coder would pay that went byte by byte and was
/// told where tokens end; the last byte of a token pays for its end. (The frequency of
/// a byte whatever the tokens is in the sum over all ways to cut them.) In a
/// [`Form`] a byte costs what its character does.
///
/// `progress` hears of the bytes of text that are priced, and stops the work if it
/// returns false.
///
/// # Errors
/// Logits that are not finite; a stop.
///
/// # Panics
/// If the contexts of the settings are longer than the model's.
pub fn byte_bits(
    model: &Model,
    settings: &Settings,
    bytes: &[u8],
    progress: Progress,
) -> Result<Vec<f32>, PriceError> {
    let prefixes = Prefixes::new(model.vocabulary());
    let lanes = tokenise(model, settings, bytes);
    let streams: Vec<Vec<Item>> = lanes.into_iter().flatten().collect();
    let take = |frequencies: &Frequencies, item| spread(model, &prefixes, frequencies, item);
    let found = each(model, &settings.contexts, &streams, take, progress)?;
    Ok(of_bytes(settings.form, found, bytes))
}

/// The archive of bytes and the code length of each: [`compress`](crate::archive::compress)
/// and [`byte_bits`] in one pass.
///
/// # Errors
/// As [`compress`](crate::archive::compress).
pub fn compress_with_bits(
    model: &Model,
    settings: &Settings,
    bytes: &[u8],
    progress: Progress,
) -> Result<(Compressed, Vec<f32>), ArchiveError> {
    let prefixes = Prefixes::new(model.vocabulary());
    let take = |frequencies: &Frequencies, item| spread(model, &prefixes, frequencies, item);
    let (compressed, found) = compress_each(model, settings, bytes, take, progress)?;
    Ok((compressed, of_bytes(settings.form, found, bytes)))
}

/// The code lengths of bytes from those of the bytes of their text's tokens.
fn of_bytes(form: Form, found: Vec<Vec<Vec<f32>>>, bytes: &[u8]) -> Vec<f32> {
    let text: Vec<f32> = found.into_iter().flatten().flatten().collect();
    match form {
        Form::Text | Form::Bytes => text,
        Form::Latin1 => {
            let mut text = text.into_iter();
            let lengths = bytes.iter().map(|byte| if *byte < 128 { 1 } else { 2 });
            lengths.map(|len| text.by_ref().take(len).sum()).collect()
        }
        Form::Ascii7 => text.into_iter().map(|bits| bits + 1.0).collect(),
    }
}

/// The code length of each byte of an item.
fn spread(model: &Model, prefixes: &Prefixes, frequencies: &Frequencies, item: Item) -> Vec<f32> {
    let id = match item {
        Item::Token(id) => id,
        Item::Byte(_) => return vec![Interval::ESCAPE.bits() as f32 + 8.0],
    };
    let (vocabulary, counts) = (model.vocabulary(), frequencies.counts());
    let token = vocabulary.token(id);
    let mut ranges = vec![prefixes.all()];
    for (depth, &byte) in token.iter().enumerate() {
        let range = ranges[depth].clone();
        ranges.push(prefixes.next(vocabulary, range, depth, byte));
    }
    let mass = |range: std::ops::Range<usize>| {
        let ids = prefixes.order()[range].iter();
        ids.map(|&id| u64::from(counts[id as usize])).sum::<u64>()
    };
    // From the shortest range, which is a part of the one before it.
    let mut masses = vec![0; token.len()];
    let mut sum = 0;
    let mut inner = ranges[token.len()].end..ranges[token.len()].end;
    for (range, out) in ranges[1..].iter().zip(&mut masses).rev() {
        sum += mass(range.start..inner.start) + mass(inner.end..range.end);
        *out = sum;
        inner = range.clone();
    }
    let mut before = 32.0;
    let mut out: Vec<f32> = Vec::with_capacity(token.len());
    for mass in masses {
        let now = log2(mass);
        out.push((before - now) as f32);
        before = now;
    }
    if let Some(last) = out.last_mut() {
        *last += (before - log2(u64::from(counts[id as usize]))) as f32;
    }
    out
}
