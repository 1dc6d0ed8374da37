//! The text shaded by the difference.

use brevity_draw::{escape, is_hidden};
use std::fmt::Write;

/// Bits of difference at which each shade begins.
pub(crate) const SHADES: [f32; 4] = [0.5, 1.5, 3.0, 6.0];

/// The character that starts here and its length: valid UTF-8, else one byte.
fn character(bytes: &[u8]) -> (Option<char>, usize) {
    let length = match bytes[0] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    let valid = bytes.get(..length);
    let valid = valid.and_then(|bytes| std::str::from_utf8(bytes).ok());
    match valid.and_then(|text| text.chars().next()) {
        Some(c) => (Some(c), length),
        None => (None, 1),
    }
}

/// Characters in their shades: `a1` to `a4` where the first side is shorter, `b1` to `b4`
/// where the second is; the costs are shown to whoever points at one.
pub(crate) fn shaded(bytes: &[u8], a: &[f32], b: &[f32]) -> String {
    let mut out = String::with_capacity(16 * bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (c, length) = character(&bytes[at..]);
        let of = |bits: &[f32]| bits[at..at + length].iter().sum::<f32>();
        let (first, second) = (of(a), of(b));
        let gap = second - first;
        let shade = SHADES.iter().filter(|&&from| gap.abs() >= from).count();
        let (sign, after) = match c {
            Some('\n') => ("↵".to_owned(), "\n"),
            Some('\t') => ("⇥".to_owned(), "\t"),
            Some(c) if !is_hidden(c) => (escape(c), ""),
            _ => ("·".to_owned(), ""),
        };
        let side = if gap > 0.0 { 'a' } else { 'b' };
        let quiet = c.is_none_or(is_hidden);
        let _ = match (shade, quiet) {
            (0, false) => write!(out, "{sign}{after}"),
            (0, true) => write!(out, "<i class=q>{sign}</i>{after}"),
            _ => write!(
                out,
                "<i class={side}{shade} title=\"{first:.1} : {second:.1}\">{sign}</i>{after}"
            ),
        };
        at += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_side_that_is_shorter_gives_the_shade() {
        let bytes = b"a<\xC3\xA9\n";
        let html = shaded(
            bytes,
            &[1.0, 4.0, 1.0, 1.0, 0.1],
            &[1.2, 1.0, 4.0, 5.0, 0.1],
        );
        assert_eq!(
            html,
            "a<i class=b3 title=\"4.0 : 1.0\">&lt;</i>\
             <i class=a4 title=\"2.0 : 9.0\">é</i><i class=q>↵</i>\n"
        );
    }
}
