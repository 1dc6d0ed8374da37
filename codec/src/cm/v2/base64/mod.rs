//! Base64 in a block becomes the bytes it stands for.
//!
//! What is left of a block begins with a table of its runs of base64; then come, in their
//! order, the bytes between runs and those that runs stand for, and zeros up to the
//! block's length. So a change keeps the length, and the zeros cost little.
//!
//! A run is in one line or in lines of one length, with the same bytes between them: ends
//! of lines, written out or escaped, with the indentation of the next line, or what quotes
//! the lines of a list.

mod alphabet;
mod form;
#[cfg(test)]
pub mod tests;

use alphabet::{Alphabet, NONE};
use form::{Form, Run};

/// Shorter runs stay as they are.
const LEAST: usize = 256;

/// Lines of a run, but for the last, have so many digits.
const LINES: std::ops::RangeInclusive<usize> = 32..=1024;

/// Most bytes between two lines.
const MOST_BETWEEN: usize = 40;

/// The bytes between a first line, which `rest` follows, and the next one.
fn between(rest: &[u8], alphabet: Alphabet) -> &[u8] {
    // The letters of escapes are digits, too.
    let escape = [&b"\\r\\n"[..], b"\\n"]
        .into_iter()
        .find(|e| rest.starts_with(e));
    let start = escape.map_or(0, <[u8]>::len);
    let values = alphabet.values();
    let others = rest[start..].iter().take(MOST_BETWEEN + 1);
    let others = others.take_while(|&&b| values[b as usize] == NONE && b != b'=');
    match start + others.count() {
        length if length <= MOST_BETWEEN => &rest[..length],
        _ => &[],
    }
}

/// The run that `bytes` begin with: how long it is, its form, and what it stands for.
/// That, [encoded](Form::encode), is the same again.
fn run(bytes: &[u8], alphabet: Alphabet) -> (usize, Form<'_>, Vec<u8>) {
    let mut form = Form::in_one_line(alphabet);
    let first = alphabet.count(bytes);
    let mut digits = bytes[..first].to_vec();
    let mut end = first;
    let between = between(&bytes[first..], alphabet);
    if LINES.contains(&first) && !between.is_empty() {
        while bytes[end..].starts_with(between) {
            let next = end + between.len();
            let count = alphabet.count(&bytes[next..]);
            if count == 0 || count > first {
                break;
            }
            digits.extend_from_slice(&bytes[next..next + count]);
            end = next + count;
            (form.line, form.between) = (first, between);
            // A shorter line is the last.
            if count < first {
                break;
            }
        }
    }
    // Whole groups, then one of two or three digits whose bits behind the last byte are 0.
    let values = alphabet.values();
    let rest = digits.len() % 4;
    let is_even = |bits: u32| {
        let last = digits.last().map_or(NONE, |&digit| values[digit as usize]);
        u32::from(last).trailing_zeros() >= bits
    };
    let room = match form.line {
        0 => 2,
        line => (line - digits.len() % line) % line,
    };
    let is_followed_by =
        |padding: &[u8]| room >= padding.len() && bytes[end..].starts_with(padding);
    form.padded = match rest {
        2 if is_even(4) => is_followed_by(b"=="),
        3 if is_even(2) => is_followed_by(b"="),
        _ => {
            digits.truncate(digits.len() - rest);
            true
        }
    };
    let mut content = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0, |bits, &digit| {
            bits << 6 | u32::from(values[digit as usize])
        });
        let bytes = (bits << (6 * (4 - group.len()))).to_be_bytes();
        content.extend(&bytes[1..1 + 6 * group.len() / 8]);
    }
    (form.length(content.len()), form, content)
}

/// What is left of a block without the zeros at the end, and where its first run begins.
/// None if less than half of it is base64.
pub fn change(block: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut runs = Vec::new();
    let mut body = Vec::with_capacity(block.len());
    let (mut at, mut end, mut covered) = (0, 0, 0);
    while at < block.len() {
        let counts = [Alphabet::Standard, Alphabet::Url].map(|of| of.count(&block[at..]));
        let count = counts[0].max(counts[1]);
        if count < *LINES.start() {
            at += count.max(1);
            continue;
        }
        let standard = run(&block[at..], Alphabet::Standard);
        let url = run(&block[at..], Alphabet::Url);
        let (length, form, content) = if url.0 > standard.0 { url } else { standard };
        if length < LEAST {
            // What may begin within is short.
            at += length.max(count);
            continue;
        }
        body.extend_from_slice(&block[end..at]);
        runs.push(Run {
            gap: at - end,
            bytes: content.len(),
            form,
        });
        body.extend(content);
        at += length;
        covered += length;
        end = at;
    }
    let first = runs.first()?.gap;
    if 2 * covered < block.len() {
        return None;
    }
    body.extend_from_slice(&block[end..]);
    let mut out = (runs.len() as u32).to_le_bytes().to_vec();
    runs.iter().for_each(|run| run.write(&mut out));
    out.extend(body);
    // The table may take more than its runs save.
    (out.len() <= block.len()).then_some((out, first))
}

/// The runs of `changed`, one after the other, and its body; `None` if the table does not
/// fit. Runs are read again and not kept: a table may be as long as a block.
fn table(changed: &[u8]) -> Option<(impl Iterator<Item = Run<'_>>, &[u8])> {
    let (count, table) = changed.split_first_chunk()?;
    let count = u32::from_le_bytes(*count);
    let mut body = table;
    for _ in 0..count {
        (_, body) = Run::read(body)?;
    }
    let mut rest = table;
    let runs = (0..count).map_while(move |_| {
        let (run, behind) = Run::read(rest)?;
        rest = behind;
        Some(run)
    });
    Some((runs, body))
}

/// The block of `changed`, of the same length. What no block is changed to becomes some
/// block, too: zeros, if the table does not fit.
pub fn undo(changed: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(changed.len());
    if let Some((runs, mut body)) = table(changed) {
        for run in runs {
            let room = changed.len() - out.len();
            if run.gap.saturating_add(run.bytes) > body.len()
                || run.gap.saturating_add(run.form.length(run.bytes)) > room
            {
                break;
            }
            let (gap, rest) = body.split_at(run.gap);
            let (content, rest) = rest.split_at(run.bytes);
            out.extend_from_slice(gap);
            run.form.encode(content, &mut out);
            body = rest;
        }
        let room = changed.len() - out.len();
        out.extend_from_slice(&body[..room.min(body.len())]);
    }
    out.resize(changed.len(), 0);
    out
}
